/**
 * A newsroom that serves its feeds on a port of this machine, as in production, and notes what each request was answered with.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Article } from '../../src/articles/article.ts';
import { publishFeeds } from '../../src/feeds/publish.ts';
import { createApp } from '../../src/http/server/app.ts';
import { listen } from '../../src/http/server/listen.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { NOW, SECRETS, sampleConfig, save } from '../http/test-site.ts';
import { openMigrated } from '../support/databases.ts';

export interface ServedNewsroom {
  /** Such as `http://127.0.0.1:8080/feeds/latest.rss`. */
  url(path: string): string;
  /** Saves articles and publishes, a minute after the last time. */
  publish(...articles: Article[]): Promise<void>;
  /** The statuses of the answers since it was last asked. */
  answers(): number[];
  /** An empty folder. */
  home: string;
  close(): Promise<void>;
}

export async function serveNewsroom(): Promise<ServedNewsroom> {
  const store = await openMigrated();
  const config = sampleConfig();
  let now = NOW;
  const clock = (): number => now;
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  const app = createApp({ store, config, templates, secrets: SECRETS, clock });
  const serving = await listen(app, { host: '127.0.0.1', port: 0 });
  const statuses: number[] = [];
  const front = createServer((socket) => {
    const behind = connect(Number(new URL(serving.url).port), '127.0.0.1');
    behind.on('data', (chunk: Buffer) => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(chunk.toString('latin1', 0, 20));
      if (status !== null) statuses.push(Number(status[1]));
    });
    socket.pipe(behind).pipe(socket);
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as AddressInfo;
  const home = await mkdtemp(join(tmpdir(), 'daywire-reader-'));
  return {
    url: (path) => `http://127.0.0.1:${port}/feeds/${path}`,
    async publish(...articles) {
      now += MINUTE;
      await save(store, ...articles);
      await publishFeeds(store, config, templates, { now, changedArticles: articles.map(({ id }) => id) });
    },
    answers: () => statuses.splice(0),
    home,
    async close() {
      front.close();
      await serving.close();
      await store.close();
      await rm(home, { recursive: true });
    },
  };
}

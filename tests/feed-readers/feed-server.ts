/**
 * Serves feeds on a port, as in production, and records the status of each response.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app/routes/app.ts';
import type { Article } from '../../src/articles/article.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { listen } from '../../src/web/server/listen.ts';
import { NOW, save } from '../app/test-site.ts';
import { clockAt } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { SECRETS, sampleConfig } from '../support/sample.ts';

export interface FeedServer {
  /** `http://127.0.0.1:8080/feeds/latest.rss` for `latest.rss`. */
  url(path: string): string;
  store: Store;
  /** Saves articles and publishes them, a minute after the previous call. */
  publish(...articles: Article[]): Promise<void>;
  /** Returns the statuses of the responses since the previous call. */
  takeStatuses(): number[];
  /** An empty folder. */
  home: string;
  close(): Promise<void>;
}

/** @param change of the sample configuration */
export async function openFeedServer(change: (config: Config) => Config = (config) => config): Promise<FeedServer> {
  const store = await openMigrated();
  const config = change(sampleConfig());
  const at = clockAt(NOW);
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  const app = createApp({ store, config, templates, secrets: SECRETS, clock: at.clock });
  const web = await listen(app, { host: '127.0.0.1', port: 0 });
  const statuses: number[] = [];
  const proxy = createServer((socket) => {
    const upstream = connect(Number(new URL(web.url).port), '127.0.0.1');
    upstream.on('data', (chunk: Buffer) => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(chunk.toString('latin1', 0, 20));
      if (status !== null) statuses.push(Number(status[1]));
    });
    socket.pipe(upstream).pipe(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const home = await mkdtemp(join(tmpdir(), 'daywire-reader-'));
  return {
    store,
    url: (path) => `http://127.0.0.1:${port}/feeds/${path}`,
    async publish(...articles) {
      at.now += MINUTE;
      await save(store, ...articles);
      await publishFeeds(store, config, templates, { now: at.now, hasChanges: true });
    },
    takeStatuses: () => statuses.splice(0),
    home,
    async close() {
      proxy.close();
      await web.close();
      await store.close();
      await rm(home, { recursive: true });
    },
  };
}

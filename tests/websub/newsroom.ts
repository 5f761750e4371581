/**
 * A newsroom with a hub: its door, its errands, a clock set by hand. Documents are published as `publishFeeds` does, without articles.
 */
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { SigningSecrets } from '../../src/config/signing-secrets.ts';
import { saveDocuments } from '../../src/feeds/documents.ts';
import { topicAddress } from '../../src/feeds/topics.ts';
import type { Resolve } from '../../src/lib/guarded-fetch/guarded-request.ts';
import { SECOND } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';
import { openHub } from '../../src/websub/hub.ts';
import { noteForHub } from '../../src/websub/note-changes.ts';
import type { Pool } from '../../src/websub/pool.ts';
import { NOW, sampleConfig } from '../feeds/formats/sample.ts';
import { openTestSite, SECRETS } from '../http/test-site.ts';

export const TOPIC = 'https://wire.example.com/feeds/latest.atom';

export interface HubNewsroom {
  config: Config;
  now: number;
  /** What was logged, one line each. */
  logged: string[];
  /** The errands of one process. */
  pool: Pool;
  /** Those of another process on the same store. */
  another(secrets?: SigningSecrets): Pool;
  /** Posts to the door. `hub.topic` is the Atom feed unless something else is said. */
  ask(fields: Record<string, string>, from?: string): Promise<Response>;
  /** Asks to subscribe, and lets the callback be asked. */
  subscribe(callback: string, more?: Record<string, string>): Promise<void>;
  /** Publishes documents, a second later than the last time. */
  publish(bodies: Record<string, string>): Promise<number>;
}

/** @param hub as in YAML */
export async function openHubNewsroom(
  store: Store,
  options: { hub?: string; resolve?: Resolve } = {},
): Promise<HubNewsroom> {
  const { hub = '{ url: self, allowPrivateNetworks: [127.0.0.0/8] }', resolve } = options;
  const config = sampleConfig((yaml) => yaml.replace(/^hub: .*$/m, `hub: ${hub}`));
  const site = openTestSite(store, config);
  const logged: string[] = [];
  const note = (details: object, message: string): void => void logged.push(`${message} ${JSON.stringify(details)}`);
  const log = { info: note, warn: note, error: note };
  const open = (secrets: SigningSecrets = SECRETS): Pool => {
    const pool = openHub({ store, config, secrets, clock: () => newsroom.now, log, ...(resolve && { resolve }) });
    onTestFinished(() => pool.stop());
    return pool;
  };
  const newsroom: HubNewsroom = {
    config,
    now: NOW,
    logged,
    pool: open(),
    another: open,
    ask(fields, from) {
      site.at(newsroom.now);
      const form = { 'hub.mode': 'subscribe', 'hub.topic': TOPIC, ...fields };
      return site.post('/hub', Object.entries(form), from === undefined ? {} : { from });
    },
    async subscribe(callback, more = {}) {
      const response = await newsroom.ask({ 'hub.callback': callback, ...more });
      if (response.status !== 202) throw new Error(`the hub answered ${response.status}: ${await response.text()}`);
      await newsroom.pool.settle();
    },
    async publish(bodies) {
      newsroom.now += SECOND;
      const at = Math.floor(newsroom.now / SECOND) * SECOND;
      await store.db.transaction().execute(async (tx) => {
        const drafts = Object.entries(bodies).map(([path, body]) => ({ path, mediaType: typeOf(path), body }));
        await noteForHub(tx, config, await saveDocuments(tx, drafts, at), at);
      });
      return at;
    },
  };
  await newsroom.publish({ 'latest.atom': '<feed>first</feed>', 'latest.rss': '<rss/>', 'latest.json': '{}' });
  if (topicAddress(config, 'latest.atom') !== TOPIC) throw new Error('the sample has moved');
  return newsroom;
}

function typeOf(path: string): string {
  const format = path.split('.').at(-1) ?? '';
  const types: Record<string, string> = { rss: 'rss+xml', atom: 'atom+xml', json: 'feed+json' };
  return `application/${types[format] ?? 'xml'}; charset=utf-8`;
}

/**
 * A publisher with a hub and a manual clock. It publishes documents as `publishFeeds` does, without articles.
 */
import { onTestFinished } from 'vitest';
import type { Config } from '../../../src/core/config/config.ts';
import type { SigningSecrets } from '../../../src/core/config/signing-secrets.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { compressChanged, saveDocuments } from '../../../src/feeds/documents.ts';
import { advanceFeedVersion, lockFeedVersion } from '../../../src/feeds/feed-version.ts';
import { openHub, queueHubNotifications } from '../../../src/feeds/hub/hub.ts';
import { topicAddress } from '../../../src/feeds/topics.ts';
import { type AddressGuard, openAddressGuard } from '../../../src/lib/guarded-fetch/address-guard.ts';
import type { Resolve } from '../../../src/lib/guarded-fetch/guarded-socket.ts';
import { SECOND } from '../../../src/lib/time.ts';
import type { WorkerPool } from '../../../src/lib/worker-pool.ts';
import { openTestSite } from '../../app/test-site.ts';
import { clockAt, NOW, type TestClock } from '../../support/clock.ts';
import { SECRETS } from '../../support/sample.ts';
import { openTestLog } from '../../support/test-log.ts';
import { feedsConfig } from '../feeds-fixture.ts';

export const TOPIC = 'https://wire.example.com/feeds/latest.atom';

export interface HubPublisher extends TestClock {
  config: Config;
  /** The log, one line for each record. */
  logged: string[];
  /** The hub of one process. */
  pool: WorkerPool;
  /** Opens the hub of another process on the same store. */
  openAnotherPool(secrets?: SigningSecrets): WorkerPool;
  /** Posts a request to the hub. `hub.topic` defaults to the Atom feed. */
  request(fields: Record<string, string>, from?: string): Promise<Response>;
  /** Requests a subscription, and runs its verification. */
  subscribe(callback: string, more?: Record<string, string>): Promise<void>;
  /** Publishes documents, one second after the last publish. */
  publish(bodies: Record<string, string>): Promise<number>;
  /** Publishes the Atom feed with one word, and delivers it. */
  deliver(word: string): Promise<void>;
}

/** The subscribers of tests are on this machine, under names that resolve to it. */
const LOCAL_GUARD = openAddressGuard({ allowed: ['127.0.0.0/8'] });
const toThisMachine: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];

/** @param options.hub as in YAML */
export async function openPublisher(
  store: Store,
  options: { hub?: string; resolve?: Resolve; guard?: AddressGuard } = {},
): Promise<HubPublisher> {
  const { hub = 'self', resolve = toThisMachine, guard = LOCAL_GUARD } = options;
  const config = feedsConfig((yaml) => yaml.replace(/^hub: .*$/m, `hub: ${hub}`));
  const site = openTestSite(store, config);
  const log = openTestLog();
  const at = clockAt(NOW);
  const open = (secrets: SigningSecrets = SECRETS): WorkerPool => {
    const pool = openHub({ store, config, secrets, clock: at.clock, log, resolve, guard }, at.now);
    onTestFinished(() => pool.stop());
    return pool;
  };
  const publisher: HubPublisher = Object.assign(at, {
    config,
    logged: log.lines,
    pool: open(),
    openAnotherPool: open,
    request(fields: Record<string, string>, from?: string) {
      site.at(publisher.now);
      const form = { 'hub.mode': 'subscribe', 'hub.topic': TOPIC, ...fields };
      return site.post('/hub', Object.entries(form), from === undefined ? {} : { from });
    },
    async subscribe(callback: string, more: Record<string, string> = {}) {
      const response = await publisher.request({ 'hub.callback': callback, ...more });
      if (response.status !== 202) throw new Error(`the hub answered ${response.status}: ${await response.text()}`);
      await publisher.pool.drain();
    },
    async publish(bodies: Record<string, string>) {
      publisher.now += SECOND;
      const publishedAt = Math.floor(publisher.now / SECOND) * SECOND;
      await store.db.transaction().execute(async (tx) => {
        const rendered = Object.entries(bodies).map(([path, body]) => ({ path, mediaType: typeOf(path), body }));
        const compressed = await compressChanged(tx, rendered);
        await lockFeedVersion(tx);
        await advanceFeedVersion(tx, publishedAt);
        await queueHubNotifications(tx, config, await saveDocuments(tx, compressed, publishedAt), publishedAt);
      });
      return publishedAt;
    },
    async deliver(word: string) {
      await publisher.publish({ 'latest.atom': `<feed>${word}</feed>` });
      await publisher.pool.drain();
    },
  });
  await publisher.publish({ 'latest.atom': '<feed>first</feed>', 'latest.rss': '<rss/>', 'latest.json': '{}' });
  if (topicAddress(config, 'latest.atom') !== TOPIC) throw new Error('the sample has another URL');
  return publisher;
}

function typeOf(path: string): string {
  const format = path.split('.').at(-1) ?? '';
  const types: Record<string, string> = { rss: 'rss+xml', atom: 'atom+xml', json: 'feed+json' };
  return `application/${types[format] ?? 'xml'}; charset=utf-8`;
}

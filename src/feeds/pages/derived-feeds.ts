/**
 * Derived feeds: built on request, cached until the feeds change, and limited, since strangers cause the work.
 */
import { setTimeout } from 'node:timers/promises';
import { hasChangesSince } from '../../articles/pending-changes.ts';
import type { Config } from '../../core/config/config.ts';
import type { Db, Store } from '../../core/store/store.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import { compress } from '../compress.ts';
import { deriveFeed } from '../derived/derived.ts';
import { type DerivedAddress, parseDerivedAddress } from '../derived/derived-address.ts';
import { openVersionReader, readFeedVersion } from '../feed-version.ts';
import { topicAddress } from '../topics.ts';
import { BuildLimiter } from './build-limiter.ts';
import type { CachedDocument } from './decide-response.ts';
import { FeedCache, toCached } from './feed-cache.ts';

/** Less than published documents have: strangers choose what is cached here. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** A publish follows a change sooner. If it does not, a feed newer than the published ones is better than none. */
const PUBLISH_WAIT = { forMs: 1_500, everyMs: 50 };

/**
 * Feeds by the canonical path of their address. `find` throws BuildRefused if the feed is not cached and the client, or
 * all clients together, asked for too many.
 */
export function openDerivedFeeds(store: Store, config: Config, clock: Clock): FeedCache {
  const { db } = store;
  const limiter = new BuildLimiter(clock);
  const load = async (path: string, client = 'unknown'): Promise<CachedDocument | null> => {
    const [file = '', query] = path.split('?');
    const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
    if (parsed?.kind !== 'derived') return null;
    await waitForPublish(db, clock);
    return limiter.build(client, () => buildFeed(db, config, parsed.address, clock));
  };
  return new FeedCache({ version: openVersionReader(db), load }, CACHE_BYTES);
}

/** Waits for the publish of changed articles, so that all processes build a feed from the same articles. */
async function waitForPublish(db: Db, clock: Clock): Promise<void> {
  for (let waited = 0; waited < PUBLISH_WAIT.forMs; waited += PUBLISH_WAIT.everyMs) {
    const { modifiedAt } = await readFeedVersion(db);
    if (!(await hasChangesSince(db, modifiedAt, clock()))) return;
    await setTimeout(PUBLISH_WAIT.everyMs);
  }
}

async function buildFeed(
  db: Db,
  config: Config,
  address: DerivedAddress,
  clock: Clock,
): Promise<CachedDocument | null> {
  const { modifiedAt } = await readFeedVersion(db);
  // As of the last publish, in every process. Articles that become public later in that second cause another one.
  const now = Math.min(clock(), modifiedAt + SECOND - 1);
  const draft = await deriveFeed(db, config, address, now);
  if (draft === null) return null;
  const { path, mediaType } = draft;
  const body = Buffer.from(draft.body);
  const hash = sha256(body);
  const codings = await compress(body);
  const link = `<${topicAddress(config, path)}>; rel="self"`;
  return toCached({ path, mediaType, hash, modifiedAt, size: body.length, codings }, link);
}

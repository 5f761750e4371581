/**
 * A shelf of feeds that were made on demand. What lies on it is as old as the last publish, like what is published: it is made anew
 * when the store's version has moved, and once for all who ask meanwhile.
 */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { hasChangesSince } from '../../articles/pending-changes.ts';
import type { Config } from '../../config/config.ts';
import { compress } from '../../feeds/compress.ts';
import { deriveFeed } from '../../feeds/derived/derived.ts';
import { type DerivedAddress, parseDerivedAddress } from '../../feeds/derived/derived-address.ts';
import { openVersionReader, readFeedVersion } from '../../feeds/feed-version.ts';
import { topicAddress } from '../../feeds/topics.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import type { Db, Store } from '../../store/store.ts';
import { openBuildLimits } from './build-limits.ts';
import { type FeedCache, type LoadedDocument, openFeedCache } from './feed-cache.ts';

/** Fewer bytes than published documents have: strangers choose what lies here. */
const ROOM = 16 * 1024 * 1024;

/** A publish follows a change in less; where it does not, a feed that is ahead of the published ones is better than none. */
const WAIT = { forMs: 1_500, everyMs: 50 };

/**
 * Waits until what has changed is published, so that every process makes a feed of the same articles, under a Last-Modified of their own.
 */
async function publishCatchesUp(db: Db, clock: Clock): Promise<void> {
  for (let waited = 0; waited < WAIT.forMs; waited += WAIT.everyMs) {
    const { modifiedAt } = await readFeedVersion(db);
    if (!(await hasChangesSince(db, modifiedAt, clock()))) return;
    await setTimeout(WAIT.everyMs);
  }
}

/** Feeds by the canonical path of their address. Its `find` throws BuildRefused where a client asks for too many that do not lie there. */
export function openDerivedFeeds(store: Store, config: Config, clock: Clock): FeedCache {
  const { db } = store;
  const limits = openBuildLimits(clock);
  const make = async (address: DerivedAddress): Promise<LoadedDocument | null> => {
    const { modifiedAt } = await readFeedVersion(db);
    // As of the last publish, in every process alike. What becomes public later in that second is followed by a publish of its own.
    const now = Math.min(clock(), modifiedAt + SECOND - 1);
    const draft = await deriveFeed(db, config, address, now);
    if (draft === null) return null;
    const { path, mediaType, body } = draft;
    const hash = createHash('sha256').update(body).digest('hex');
    const codings = await compress(Buffer.from(body));
    const link = `<${topicAddress(config, path)}>; rel="self"`;
    return { document: { path, mediaType, hash, modifiedAt, body, codings }, link };
  };
  return openFeedCache(
    {
      version: openVersionReader(db),
      load: async (path, client = 'unknown') => {
        const [file = '', query] = path.split('?');
        const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
        if (parsed?.kind !== 'derived') return null;
        await publishCatchesUp(db, clock);
        return limits.build(client, () => make(parsed.address));
      },
    },
    ROOM,
  );
}

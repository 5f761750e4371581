/**
 * A shelf of feeds that were made on demand. What lies on it is as old as the last publish, like what is published: it is made anew
 * when the store's version has moved, and once for all who ask meanwhile.
 */
import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { compress } from '../feeds/coding.ts';
import { deriveFeed } from '../feeds/derived.ts';
import { type DerivedAddress, parseDerivedAddress } from '../feeds/derived-address.ts';
import { readStamp } from '../feeds/stamp.ts';
import { topicAddress } from '../feeds/topics.ts';
import type { Store } from '../store/store.ts';
import { type Clock, SECOND } from '../time.ts';
import { openBuildLimits } from './build-limits.ts';
import { type Loaded, openShelf, type Shelf } from './feed-shelf.ts';

/** Fewer bytes than published documents have: strangers choose what lies here. */
const ROOM = 16 * 1024 * 1024;

/** Feeds by the canonical path of their address. Its `find` throws BuildRefused where a client asks for too many that do not lie there. */
export function openDerivedFeeds(store: Store, config: Config, clock: Clock): Shelf {
  const { db } = store;
  const limits = openBuildLimits(clock);
  const make = async (address: DerivedAddress): Promise<Loaded | null> => {
    const { modifiedAt } = await readStamp(db);
    // As of the last publish, in every process alike. What becomes public later in that second is followed by a publish of its own.
    const now = Math.min(clock(), modifiedAt + SECOND - 1);
    const draft = await deriveFeed(db, config, address, now);
    if (draft === null) return null;
    const { path, mediaType, body, spans = null } = draft;
    const hash = createHash('sha256').update(body).digest('hex');
    const codings = await compress(Buffer.from(body));
    const link = `<${topicAddress(config, path)}>; rel="self"`;
    return { document: { path, mediaType, hash, modifiedAt, body, codings, spans, history: [] }, link };
  };
  return openShelf(
    {
      version: async () => (await readStamp(db)).version,
      load: async (path, client = 'unknown') => {
        const [file = '', query] = path.split('?');
        const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
        return parsed?.is === 'derived' ? limits.build(client, () => make(parsed.address)) : null;
      },
    },
    ROOM,
  );
}

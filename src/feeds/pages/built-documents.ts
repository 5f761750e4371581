/** Derived feeds and archive pages: built on request, and limited, since strangers cause the work. */
import { setTimeout } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { hasChangesSince } from '../../articles/pending-changes.ts';
import type { Config } from '../../core/config/config.ts';
import type { Db, Store } from '../../core/store/store.ts';
import type { Log } from '../../lib/log.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import { ARCHIVE_FOLDER, type ArchivePage, findArchivePage, renderArchivePage } from '../archive/archive-page.ts';
import { compress } from '../compress.ts';
import { deriveFeed } from '../derived/derived.ts';
import { parseDerivedAddress } from '../derived/derived-address.ts';
import type { RenderedDocument } from '../documents.ts';
import { openVersionReader, readFeedVersion } from '../feed-version.ts';
import { FORMATS } from '../formats/feed-view.ts';
import { topicAddress } from '../topics.ts';
import { BuildLimiter } from './build-limiter.ts';
import type { CachedDocument } from './decide-response.ts';
import { bytesInMemory, FeedCache, toCached } from './feed-cache.ts';

/** Less than published documents have: strangers choose what is cached here. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** A publish follows a change sooner. If it does not, a feed newer than the published ones is better than none. */
const PUBLISH_WAIT = { forMs: 1_500, everyMs: 50 };

/**
 * Feeds by the canonical path of their address. `find` throws BuildRefused if the feed is not cached and the client, or
 * all clients together, asked for too many.
 */
export function openDerivedFeeds({ db }: Store, config: Config, clock: Clock): FeedCache {
  const limiter = new BuildLimiter(clock);
  const load = async (path: string, client = 'unknown'): Promise<CachedDocument | null> => {
    const [file = '', query] = path.split('?');
    const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
    if (parsed?.kind !== 'derived') return null;
    await waitForPublish(db, clock);
    return limiter.build(client, async () => {
      const { modifiedAt } = await readFeedVersion(db);
      // As of the last publish, in every process. Articles that become public later in that second cause another one.
      const now = Math.min(clock(), modifiedAt + SECOND - 1);
      return pack(config, await deriveFeed(db, config, parsed.address, now), modifiedAt);
    });
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

/** A feed reader that is new to a feed reads its whole archive, once. */
const PAGES_OF_CLIENT = { everyMs: SECOND / 10, burst: 2_000 };

const ARCHIVE_DOCUMENT = new RegExp(`^(${ARCHIVE_FOLDER}[a-z0-9-]{1,100}/[0-9-]{4,20})\\.(?:${FORMATS.join('|')})$`);

/**
 * Finds the archive page at a path below feeds/, or null.
 * @throws BuildRefused if the client, or all clients together, asked for too many
 */
type FindArchivePage = (path: string, client: string) => Promise<CachedDocument | null>;

export function openArchivePages({ db }: Store, config: Config, clock: Clock, log?: Log): FindArchivePage {
  const limiter = new BuildLimiter(clock, PAGES_OF_CLIENT);
  // Without it, a 304 also renders and compresses a page: one client could cause ten of them a second, without end.
  const cached = new LRUCache<string, CachedDocument>({ maxSize: CACHE_BYTES, sizeCalculation: bytesInMemory });
  const render = async (path: string, page: ArchivePage): Promise<CachedDocument | null> => {
    const rendered = await renderArchivePage(db, config, page, clock());
    if (rendered !== null && rendered.failed.length > 0) {
      const articles = rendered.failed.map(({ article, problems }) => `${article.id}: ${problems.join('; ')}`);
      log?.warn({ page: page.path, articles }, 'an archive page lacks articles that cannot be items');
    }
    const draft = rendered?.documents.find((one) => one.path === path) ?? null;
    const document = await pack(config, draft, page.changedAt);
    if (document !== null) cached.set(path, document);
    return document;
  };
  return async (path, client) => {
    const [, pagePath] = ARCHIVE_DOCUMENT.exec(path) ?? [];
    if (pagePath === undefined) return null;
    const known = cached.get(path);
    const page = await findArchivePage(db, pagePath).catch((error: unknown) => {
      // While the store is unavailable, an earlier version is better than none.
      if (known === undefined) throw error;
      return known;
    });
    if (page === null || 'codings' in page) return page;
    return page.changedAt === known?.modifiedAt ? known : limiter.build(client, () => render(path, page));
  };
}

async function pack(
  config: Config,
  rendered: RenderedDocument | null,
  modifiedAt: number,
): Promise<CachedDocument | null> {
  if (rendered === null) return null;
  const { path, mediaType } = rendered;
  const body = Buffer.from(rendered.body);
  const codings = await compress(body);
  const packed = { path, mediaType, hash: sha256(body), modifiedAt, size: body.length, codings };
  return toCached(packed, `<${topicAddress(config, path)}>; rel="self"`);
}

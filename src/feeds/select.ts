/** Selects the articles of a feed. */
import type { Article } from '../articles/article.ts';
import { type ArticleHead, findPublicHeads, findRetractedArticles } from '../articles/queries.ts';
import type { FeedConfig, Selection } from '../core/config/config.ts';
import type { Db } from '../core/store/store.ts';
import { DAY, HOUR } from '../lib/time.ts';

export interface FeedArticles {
  /** Newest first. */
  articles: Article[];
  /** Retracted in the last 30 days, newest retraction first. */
  retracted: Article[];
}

export interface FeedHeads extends Pick<FeedArticles, 'retracted'> {
  /** Newest first. */
  heads: ArticleHead[];
  /** An article that was published before this instant does not enter. */
  entersFrom: number;
}

/** A feed without a window holds so many articles, and all of this time: a reader that polls once a day misses none. */
const MIN_ITEMS = 50;
const MIN_AGE = 48 * HOUR;
/** More summaries never fit into a document. */
const MAX_ITEMS = 2_000;
/** Bounds the memory after a mistaken import; otherwise a window is complete. */
const MAX_IN_WINDOW = 10_000;
const MAX_TOMBSTONE_AGE = 30 * DAY;
/** More come of a mistaken import that is taken back. Their bytes are limited as well; see `tombstonesOf`. */
const MAX_TOMBSTONES = 1_000;

/**
 * A feed with a window holds exactly `[now - window, now)`: an article published at `now` itself enters with the next
 * publish. Any other feed holds the newest 50 articles by dateline, and all of the last 48 hours: an imported archive
 * is not news.
 */
export async function selectForFeed(db: Db, feed: FeedConfig, now: number): Promise<FeedHeads> {
  const { select, windowHours } = feed;
  const retracted = await findTombstones(db, select, now);
  if (windowHours !== undefined) {
    const window = { from: now - windowHours * HOUR, until: now };
    const heads = await findPublicHeads(db, { select, now, ...window, limit: MAX_IN_WINDOW });
    return { heads, retracted, entersFrom: window.from };
  }
  const heads = await newestHeads(db, feed, now);
  return {
    heads,
    retracted,
    // Later, this many articles are still newer.
    entersFrom: heads.length < MIN_ITEMS ? 0 : Math.min(heads.at(-1)?.publishedAt ?? 0, now - MIN_AGE),
  };
}

async function newestHeads(db: Db, { select }: FeedConfig, now: number): Promise<ArticleHead[]> {
  const newest = await findPublicHeads(db, { select, now, limit: MIN_ITEMS });
  const oldest = newest.at(-1);
  if (newest.length < MIN_ITEMS || oldest === undefined || oldest.publishedAt < now - MIN_AGE) return newest;
  return findPublicHeads(db, { select, now, from: now - MIN_AGE, limit: MAX_ITEMS });
}

/** The order of the store. */
export function byNewest(a: Omit<ArticleHead, 'version'>, b: Omit<ArticleHead, 'version'>): number {
  return b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : -1);
}

/** Finds the articles that a feed reports as retracted: those of the last 30 days, newest retraction first. */
export async function findTombstones(db: Db, select: Selection, now: number): Promise<Article[]> {
  return findRetractedArticles(db, select, now - MAX_TOMBSTONE_AGE, MAX_TOMBSTONES);
}

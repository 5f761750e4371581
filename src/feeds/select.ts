/**
 * What a feed holds at an instant.
 */
import type { Article } from '../articles/article.ts';
import { findPublicArticles, findRetractedArticles } from '../articles/queries.ts';
import type { FeedConfig } from '../config.ts';
import type { Db } from '../store/store.ts';
import { DAY, HOUR } from '../time.ts';

export interface FeedSelection {
  /** Newest first. */
  articles: Article[];
  /** Retracted in the last 30 days, newest retraction first. */
  retracted: Article[];
}

/** A feed without a window keeps at least this much, however many articles that is. */
const KEPT = 48 * HOUR;
/** More summaries than this never fit into a document. */
const MOST_ITEMS = 2_000;
/** A window is never cut short; this only bounds the memory that a mistaken import can take. */
const MOST_IN_WINDOW = 10_000;
const TOMBSTONES_KEPT = 30 * DAY;
const MOST_TOMBSTONES = 50;

/**
 * A feed with a window holds exactly `[now - window, now)`: what is published at `now` itself is public, but enters with the next
 * publish. Any other feed holds the newest `limit`, and all of the last 48 hours.
 */
export async function selectForFeed(db: Db, feed: FeedConfig, now: number): Promise<FeedSelection> {
  const { select, windowHours, limit } = feed;
  const retracted = await findRetractedArticles(db, select, now - TOMBSTONES_KEPT, MOST_TOMBSTONES);
  if (windowHours !== undefined) {
    const window = { from: now - windowHours * HOUR, until: now };
    return { articles: await findPublicArticles(db, { select, now, ...window, limit: MOST_IN_WINDOW }), retracted };
  }
  const newest = await findPublicArticles(db, { select, now, limit });
  const oldest = newest.at(-1);
  if (newest.length < limit || oldest === undefined || oldest.publishedAt < now - KEPT) {
    return { articles: newest, retracted };
  }
  return { articles: await findPublicArticles(db, { select, now, from: now - KEPT, limit: MOST_ITEMS }), retracted };
}

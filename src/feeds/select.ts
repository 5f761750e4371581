/**
 * What a feed holds at an instant.
 */
import { type Article, isPublic } from '../articles/article.ts';
import { findArticles, findPublicArticles, findRetractedArticles } from '../articles/queries.ts';
import type { FeedConfig, Selection } from '../config/config.ts';
import { DAY, HOUR } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import { findNewestPage } from './archive/archive-page.ts';
import { findUnarchived } from './archive/record-members.ts';

export interface FeedSelection {
  /** Newest first. */
  articles: Article[];
  /** Retracted in the last 30 days, newest retraction first. */
  retracted: Article[];
  /** The ids of those that no archive holds yet. None for a feed without an archive. */
  unarchived?: ReadonlySet<string>;
  /** The path of the newest part of its archive, or null. */
  newestPage?: string | null;
}

/** A feed without a window keeps at least this much, however many articles that is. */
const KEPT = 48 * HOUR;
/** More summaries than this never fit into a document. */
const MOST_ITEMS = 2_000;
/**
 * Fewer than a part takes wait for one, but after a large import, until its parts are closed. Of those the newest stand in the feed: 500
 * would make each publish take seconds meanwhile.
 */
const MOST_WAITING = 200;
/** A window is never cut short; this only bounds the memory that a mistaken import can take. */
const MOST_IN_WINDOW = 10_000;
const TOMBSTONES_KEPT = 30 * DAY;
const MOST_TOMBSTONES = 50;

/**
 * A feed with a window holds exactly `[now - window, now)`: what is published at `now` itself is public, but enters with the next
 * publish. Any other feed holds the newest `minimumItems`, and all of the last 48 hours; and whatever waits for its archive, so that the
 * feed and its archive always hold everything it has published.
 */
export async function selectForFeed(db: Db, feed: FeedConfig, now: number): Promise<FeedSelection> {
  const { select, windowHours } = feed;
  const retracted = await findTombstones(db, select, now);
  if (windowHours !== undefined) {
    const window = { from: now - windowHours * HOUR, until: now };
    return { articles: await findPublicArticles(db, { select, now, ...window, limit: MOST_IN_WINDOW }), retracted };
  }
  // In this order: a part that is closed in between is then in both, and not in neither.
  const waiting = await findUnarchived(db, feed.id, MOST_WAITING);
  const newestPart = await findNewestPage(db, feed.id);
  const newest = await newestArticles(db, feed, now);
  const held = new Set(newest.map(({ id }) => id));
  const others = await findArticles(
    db,
    waiting.filter((id) => !held.has(id)),
  );
  const articles = [...newest, ...others.filter((article) => isPublic(article, now))];
  if (articles.length > newest.length) articles.sort(byNewest);
  return { articles, retracted, unarchived: new Set(waiting), newestPage: newestPart?.path ?? null };
}

async function newestArticles(db: Db, { select, minimumItems }: FeedConfig, now: number): Promise<Article[]> {
  const newest = await findPublicArticles(db, { select, now, limit: minimumItems });
  const oldest = newest.at(-1);
  if (newest.length < minimumItems || oldest === undefined || oldest.publishedAt < now - KEPT) return newest;
  return findPublicArticles(db, { select, now, from: now - KEPT, limit: MOST_ITEMS });
}

/** As the store orders them. */
function byNewest(a: Article, b: Article): number {
  return b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : -1);
}

/** What a feed names as retracted: the 50 latest of the last 30 days. */
export async function findTombstones(db: Db, select: Selection, now: number): Promise<Article[]> {
  return findRetractedArticles(db, select, now - TOMBSTONES_KEPT, MOST_TOMBSTONES);
}

/**
 * Lets archives grow: takes in what is older than they are, and closes the parts whose month is over, or that are full. A part is
 * closed before the feed is built that leads to it, so that at no moment an article stands in neither.
 */
import { sql } from 'kysely';
import { isPublic } from '../../articles/article.ts';
import { findArticles } from '../../articles/queries.ts';
import { PUBLIC_STATES } from '../../articles/selection.ts';
import type { Config, FeedConfig } from '../../config/config.ts';
import type { Db, Store } from '../../store/store.ts';
import { compressChanged, saveDocuments } from '../documents.ts';
import { lockFeedVersion } from '../feed-version.ts';
import { bodyBytes } from '../formats/fit.ts';
import { toItem } from '../formats/item.ts';
import { archivePagePath, buildArchivePage, findNewestPage, hashNotes, noteOf } from './archive-page.ts';
import { type ArchiveMonth, monthAt } from './month.ts';
import { backfill, deleteUnarchived, feedsWithArchive, isBackfilled } from './record-members.ts';

/** A part is full with so many articles, or with bodies of so many bytes: its documents then hold them whole (see fit.ts). */
const MOST_ARTICLES = 100;
const MOST_BYTES = 700_000;
/** As stored, an article has its body twice: as it was written, and sanitised. */
const MOST_STORED_BYTES = 2 * MOST_BYTES;

export interface ArchiveOptions {
  now: number;
  /** Begins nothing more after so many milliseconds; default: goes on until nothing is left to do. */
  within?: number | undefined;
  /** Begins nothing more when it is aborted. */
  signal?: AbortSignal | undefined;
  onProgress?: ((closed: number) => void) | undefined;
}

export interface ArchiveProgress {
  /** How many parts were closed. */
  closed: number;
  /** Whether more is left to do. */
  more: boolean;
}

/**
 * Takes in and closes what is due, feed by feed in turn. Safe to do in several processes at once, and to end at any moment.
 * @throws what the store throws
 */
export async function closeDuePages(store: Store, config: Config, options: ArchiveOptions): Promise<ArchiveProgress> {
  const { now, within = Number.POSITIVE_INFINITY, signal, onProgress } = options;
  const began = performance.now();
  const { zone } = config.publication;
  let closed = 0;
  let growing = feedsWithArchive(config);
  while (growing.length > 0) {
    const still: FeedConfig[] = [];
    for (const feed of growing) {
      // First, so that parts follow each other as time does.
      if (!(await isBackfilled(store.db, feed))) {
        if (isOver()) return { closed, more: true };
        await backfill(store.db, feed, now);
        still.push(feed);
        continue;
      }
      const due = await findDuePage(store.db, feed.id, zone, now);
      if (due === null) continue;
      if (isOver()) return { closed, more: true };
      if (await closePage(store, config, feed, due, now)) {
        closed++;
        onProgress?.(closed);
      }
      still.push(feed);
    }
    growing = still;
  }
  return { closed, more: false };

  function isOver(): boolean {
    return signal?.aborted === true || performance.now() - began >= within;
  }
}

interface DuePage {
  month: ArchiveMonth;
  /** At most as many as a part takes, those that have waited longest first. */
  ids: string[];
}

/** What the next part of a feed would hold; null where none is to be closed yet. */
async function findDuePage(db: Db, feed: string, zone: string, now: number): Promise<DuePage | null> {
  const rows = await db
    .selectFrom('archive_members')
    .innerJoin('articles', 'articles.id', 'archive_members.article_id')
    .select(['archive_members.article_id as id', 'archive_members.recorded_at as at'])
    // The length of the bytes, which neither database has to read for it.
    .select(sql<number>`octet_length(articles.document)`.as('bytes'))
    .where('archive_members.feed', '=', feed)
    .where('archive_members.page', 'is', null)
    // Where the clock has been set back, an article may have to wait once more.
    .where((e) => e.or([e('articles.state', 'not in', PUBLIC_STATES), e('articles.published_at', '<=', now)]))
    .orderBy('archive_members.recorded_at')
    .orderBy('archive_members.article_id')
    .limit(MOST_ARTICLES)
    .execute();
  const [oldest] = rows;
  if (oldest === undefined) return null;
  const month = monthAt(oldest.at, zone);
  const ofMonth = rows.filter(({ at }) => at < month.until);
  const stored = ofMonth.reduce((sum, { bytes }) => sum + bytes, 0);
  const isFull = ofMonth.length === MOST_ARTICLES || stored >= MOST_STORED_BYTES;
  return isFull || month.until <= now ? { month, ids: ofMonth.map(({ id }) => id) } : null;
}

/** @returns whether a part was closed; otherwise what stood in its way is gone, or another process was faster */
async function closePage(store: Store, config: Config, feed: FeedConfig, due: DuePage, now: number): Promise<boolean> {
  const { db } = store;
  const found = new Map((await findArticles(db, due.ids)).map((article) => [article.id, article]));
  const articles = [];
  const leaving: string[] = [];
  let bytes = 0;
  for (const id of due.ids) {
    const article = found.get(id);
    const result = article !== undefined && isPublic(article, now) ? toItem(article, config) : null;
    if (article === undefined || result?.kind !== 'item') {
      // It has been retracted; or it cannot be an item, and is noted anew when it is mended.
      leaving.push(id);
      continue;
    }
    bytes += bodyBytes(result.item);
    if (bytes > MOST_BYTES && articles.length > 0) break;
    articles.push(article);
  }
  if (leaving.length > 0) {
    await deleteUnarchived(db, feed.id, leaving);
    return false;
  }
  const before = await findNewestPage(db, feed.id);
  const part = (before?.part ?? 0) + 1;
  const path = archivePagePath(feed.id, due.month.id, (await countPages(db, feed.id, due.month.id)) + 1);
  const notes = hashNotes(articles.map(noteOf));
  const { drafts } = buildArchivePage(feed, config, { path, previous: before?.path ?? null }, articles);
  const packed = await compressChanged(db, drafts);
  const ids = articles.map(({ id }) => id);
  return db.transaction().execute(async (tx) => {
    await lockFeedVersion(tx);
    const isNext = ((await findNewestPage(tx, feed.id))?.part ?? 0) === part - 1;
    if (!isNext || (await countUnarchived(tx, feed.id, ids)) < ids.length) return false;
    // Who publishes a correction looks under the same lock for the parts that hold its article, and finds none before this one.
    if (notes !== hashNotes(await readNotes(tx, ids))) return false;
    await tx
      .updateTable('archive_members')
      .set({ page: part })
      .where('feed', '=', feed.id)
      .where('article_id', 'in', ids)
      .execute();
    await tx
      .insertInto('archive_pages')
      .values({ feed: feed.id, page: part, month: due.month.id, path, notes_hash: notes, closed_at: now })
      .execute();
    // No stamp: nothing leads to them before the feed is published, which moves it.
    await saveDocuments(tx, packed, now);
    return true;
  });
}

async function countUnarchived(db: Db, feed: string, ids: string[]): Promise<number> {
  const { count } = await db
    .selectFrom('archive_members')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('feed', '=', feed)
    .where('page', 'is', null)
    .where('article_id', 'in', ids)
    .executeTakeFirstOrThrow();
  return count;
}

async function countPages(db: Db, feed: string, month: string): Promise<number> {
  const { count } = await db
    .selectFrom('archive_pages')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('feed', '=', feed)
    .where('month', '=', month)
    .executeTakeFirstOrThrow();
  return count;
}

async function readNotes(db: Db, ids: string[]) {
  return db.selectFrom('articles').select(['id', 'state', 'noted_at as notedAt']).where('id', 'in', ids).execute();
}

/**
 * Adds older articles to archives, and closes pages whose month is over or that are full. A page is closed before the
 * feed that links to it is built, so that no article is missing from both at any moment.
 */
import { sql } from 'kysely';
import { isPublic } from '../../articles/article.ts';
import { findArticles } from '../../articles/queries.ts';
import { PUBLIC_STATES } from '../../articles/selection.ts';
import type { Config, FeedConfig } from '../../config/config.ts';
import { wallClock } from '../../lib/time.ts';
import type { Db, Store, Tx } from '../../store/store.ts';
import { type CompressedDocument, compressChanged, saveDocuments } from '../documents.ts';
import { lockFeedVersion } from '../feed-version.ts';
import { bodyBytes } from '../formats/fit.ts';
import { toItem } from '../formats/item.ts';
import { archivePagePath, buildArchivePage, findNewestPage, hashNotes, noteOf } from './archive-page.ts';
import { feedsWithArchive } from './archives.ts';
import { backfill, deleteUnarchived, isBackfilled } from './record-members.ts';

/** A page is full with this many articles, or bytes of their bodies: its documents then hold the bodies whole. */
const MAX_ARTICLES = 100;
const MAX_BYTES = 700_000;
/** A stored article has its body twice: as written, and sanitised. */
const MAX_STORED_BYTES = 2 * MAX_BYTES;

export interface ArchiveOptions {
  now: number;
  /** Starts no further step after this time, in milliseconds. Default: continues until nothing is left to do. */
  within?: number | undefined;
  /** Starts no further step once it is aborted. */
  signal?: AbortSignal | undefined;
  onProgress?: ((closed: number) => void) | undefined;
}

export interface ArchiveProgress {
  /** Number of pages closed. */
  closed: number;
  /** Whether more is left to do. */
  more: boolean;
}

/** Backfills archives and closes due pages. Several processes may do it at once, and it may end at any time. */
export async function closeDuePages(store: Store, config: Config, options: ArchiveOptions): Promise<ArchiveProgress> {
  const { now, within = Number.POSITIVE_INFINITY, signal, onProgress } = options;
  const startedAt = performance.now();
  const isOver = (): boolean => signal?.aborted === true || performance.now() - startedAt >= within;
  let closed = 0;
  let unfinished = feedsWithArchive(config);
  while (unfinished.length > 0) {
    const next: FeedConfig[] = [];
    for (const feed of unfinished) {
      // Before closing pages, so that the pages are in order of time.
      if (!(await isBackfilled(store.db, feed))) {
        if (isOver()) return { closed, more: true };
        await backfill(store.db, feed, now);
        next.push(feed);
        continue;
      }
      const due = await findDuePage(store.db, feed.id, config.publication.zone, now);
      if (due === null) continue;
      if (isOver()) return { closed, more: true };
      if (await closePage(store.db, config, feed, due, now)) {
        closed++;
        onProgress?.(closed);
      }
      next.push(feed);
    }
    unfinished = next;
  }
  return { closed, more: false };
}

interface DuePage {
  /** `2026-10`, in the publication's zone. */
  month: string;
  /** Ids of the articles recorded first, at most as many as a page holds. */
  ids: string[];
}

/** Finds the next page of a feed to close; null if none is due. */
async function findDuePage(db: Db, feed: string, zone: string, now: number): Promise<DuePage | null> {
  const rows = await db
    .selectFrom('archive_members')
    .innerJoin('articles', 'articles.id', 'archive_members.article_id')
    .select(['archive_members.article_id as id', 'archive_members.recorded_at as at'])
    // The length in bytes, for which neither database has to read the text.
    .select(sql<number>`octet_length(articles.document)`.as('bytes'))
    .where('archive_members.feed', '=', feed)
    .where('archive_members.page', 'is', null)
    // If the clock has been set back, an article may not be public any more.
    .where((e) => e.or([e('articles.state', 'not in', PUBLIC_STATES), e('articles.published_at', '<=', now)]))
    .orderBy('archive_members.recorded_at')
    .orderBy('archive_members.article_id')
    .limit(MAX_ARTICLES)
    .execute();
  const [oldest] = rows;
  if (oldest === undefined) return null;
  const { id, until } = monthAt(oldest.at, zone);
  const ofMonth = rows.filter(({ at }) => at < until);
  const stored = ofMonth.reduce((sum, { bytes }) => sum + bytes, 0);
  const isFull = ofMonth.length === MAX_ARTICLES || stored >= MAX_STORED_BYTES;
  return isFull || until <= now ? { month: id, ids: ofMonth.map((row) => row.id) } : null;
}

/** The month of an instant. `until`: the start of the next month, epoch milliseconds. */
function monthAt(instant: number, zone: string): { id: string; until: number } {
  const month = wallClock(instant, zone).toPlainDate().toPlainYearMonth();
  const next = month.add({ months: 1 }).toPlainDate({ day: 1 });
  return { id: month.toString(), until: next.toZonedDateTime(zone).epochMilliseconds };
}

/** @returns false if articles were removed from the page instead, or another process was faster */
async function closePage(db: Db, config: Config, feed: FeedConfig, due: DuePage, now: number): Promise<boolean> {
  const found = new Map((await findArticles(db, due.ids)).map((article) => [article.id, article]));
  const articles = [];
  const unusable: string[] = [];
  let bytes = 0;
  for (const id of due.ids) {
    const article = found.get(id);
    const result = article !== undefined && isPublic(article, now) ? toItem(article, config) : null;
    if (article === undefined || result?.kind !== 'item') {
      // It has been retracted, or it cannot be an item; it is recorded again once that is corrected.
      unusable.push(id);
      continue;
    }
    bytes += bodyBytes(result.item);
    if (bytes > MAX_BYTES && articles.length > 0) break;
    articles.push(article);
  }
  if (unusable.length > 0) {
    await deleteUnarchived(db, feed.id, unusable);
    return false;
  }
  const before = await findNewestPage(db, feed.id);
  const page = (before?.page ?? 0) + 1;
  const path = archivePagePath(feed.id, due.month, (await countPages(db, feed.id, due.month)) + 1);
  const { documents } = buildArchivePage(feed, config, { path, previous: before?.path ?? null }, articles);
  const closing: ClosingPage = {
    row: {
      feed: feed.id,
      page,
      month: due.month,
      path,
      notes_hash: hashNotes(articles.map(noteOf)),
      closed_at: now,
    },
    ids: articles.map(({ id }) => id),
    documents: await compressChanged(db, documents),
  };
  return db.transaction().execute((tx) => savePage(tx, closing));
}

interface ClosingPage {
  row: { feed: string; page: number; month: string; path: string; notes_hash: string; closed_at: number };
  ids: string[];
  documents: CompressedDocument[];
}

/** @returns false if the page is outdated */
async function savePage(tx: Tx, { row, ids, documents }: ClosingPage): Promise<boolean> {
  const { feed, page } = row;
  await lockFeedVersion(tx);
  const isNext = ((await findNewestPage(tx, feed))?.page ?? 0) === page - 1;
  if (!isNext || (await countUnarchived(tx, feed, ids)) < ids.length) return false;
  // A publish looks for pages with corrected articles under the same lock, and would not have found this one.
  if (row.notes_hash !== hashNotes(await readNotes(tx, ids))) return false;
  await tx
    .updateTable('archive_members')
    .set({ page })
    .where('feed', '=', feed)
    .where('article_id', 'in', ids)
    .execute();
  await tx.insertInto('archive_pages').values(row).execute();
  // The feed version stays: nothing links to the page before the feed is published, which advances it.
  await saveDocuments(tx, documents, row.closed_at);
  return true;
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

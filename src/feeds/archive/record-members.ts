/**
 * Records which articles a feed has published, and when: the members of its archive. Each is recorded once. It then
 * waits until its page is closed; see close-due-pages.ts. Usually the feed itself holds it meanwhile.
 */
import { sql } from 'kysely';
import type { Config, FeedConfig } from '../../core/config/config.ts';
import type { Db, Store, Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { SECOND } from '../../lib/time.ts';
import { type ChangedArticle, isPublicAt, readChangedArticles } from '../changed-articles.ts';
import { lockFeedVersion } from '../feed-version.ts';
import {
  type Archive,
  type BackfillPosition,
  followSelection,
  openArchives,
  saveBackfillPosition,
} from './archives.ts';
import type { Member } from './plan-pages.ts';
import {
  addWaiting,
  deleteWaiting,
  leaveArchive,
  NO_PAGE,
  type Places,
  readPlaces,
  readWaiting,
  savePlaces,
  touchPages,
} from './save-pages.ts';

/** Publishes wait for the transaction. */
const ARTICLES_PER_TRANSACTION = 2_000;

/**
 * Records which of these articles each feed publishes from `now` on, before any feed is built: a publish that fails
 * later loses nothing. Articles on no page that are no longer public or selected are removed. Idempotent.
 * @param changed ids of articles
 */
export async function recordMembers(
  store: Store,
  config: Config,
  { now, changed }: { now: number; changed: readonly string[] },
): Promise<RecordedChanges> {
  const recorded: RecordedChanges = { articles: [], pages: new Map() };
  for (const ids of chunks([...changed], ARTICLES_PER_TRANSACTION)) {
    await store.db.transaction().execute(async (tx) => {
      // A process that closes pages or publishes holds the same lock.
      await lockFeedVersion(tx);
      const archives = await openArchives(tx, config);
      const articles = await readChangedArticles(tx, config.feeds, ids);
      recorded.articles.push(...articles);
      addPages(recorded.pages, await recordIn(tx, archives, articles, now));
    });
  }
  return recorded;
}

/** Numbers of archive pages, by feed. */
export type ArchivePageNumbers = Map<string, Set<number>>;

export interface RecordedChanges {
  articles: ChangedArticle[];
  /** Earlier closed pages that have some of the articles: see `touchArchivePages`. */
  pages: ArchivePageNumbers;
}

export function addPages(to: ArchivePageNumbers, pages: ArchivePageNumbers): void {
  for (const [feed, numbers] of pages) to.set(feed, new Set([...(to.get(feed) ?? []), ...numbers]));
}

/**
 * Moves the time of closed pages, once for each published change of their articles.
 * @param tx holds the lock of the feed version
 */
export async function touchArchivePages(tx: Tx, pages: ArchivePageNumbers, now: number): Promise<void> {
  const at = Math.floor(now / SECOND) * SECOND;
  for (const [feed, numbers] of pages) await touchPages(tx, feed, numbers, at);
}

async function recordIn(
  tx: Tx,
  archives: Archive[],
  articles: ChangedArticle[],
  now: number,
): Promise<ArchivePageNumbers> {
  const pages: ArchivePageNumbers = new Map();
  const ids = articles.map(({ id }) => id);
  const places = await readPlaces(tx, ids);
  const before = new Map([...places].map(([id, one]) => [id, new Map(one)]));
  for (const archive of archives) {
    const { id: feed } = archive.feed;
    const { added, left, on } = compare(archive, articles, places, now);
    if (on.size > 0) pages.set(feed, on);
    if (added.length + left.length === 0) continue;
    for (const { id } of added) places.get(id)?.set(archive.number, NO_PAGE);
    leaveArchive(places, archive, left);
    await deleteWaiting(tx, feed, left);
    await addWaiting(tx, feed, added);
  }
  await savePlaces(tx, changedIn(places, before));
  return pages;
}

/** Finds the articles that enter or leave one archive, and its pages that change. */
function compare(
  { feed, number, backfilledTo }: Archive,
  articles: ChangedArticle[],
  places: Map<string, Places>,
  now: number,
): { added: Member[]; left: string[]; on: Set<number> } {
  const added: Member[] = [];
  const left: string[] = [];
  const on = new Set<number>();
  for (const article of articles) {
    const { id, bytes } = article;
    const page = places.get(id)?.get(number);
    const isSelected = article.selectedBy.has(feed.id);
    if (page === undefined) {
      if (!isSelected || !isPublicAt(article, now)) continue;
      // During a backfill, an article may have been public before this change.
      const publicSince = Math.max(article.createdAt, article.publishedAt);
      added.push({ id, bytes, recordedAt: backfilledTo === null ? now : publicSince });
    } else if (page !== NO_PAGE) {
      on.add(page);
    } else if (!isSelected || !isPublicAt(article, Number.POSITIVE_INFINITY)) {
      left.push(id);
    }
  }
  return { added, left, on };
}

/**
 * The articles that wait for a page and are public.
 * @returns `gone`: ids of those that were retracted since. After the clock was set back, some are neither.
 */
export async function readClosable(
  tx: Tx,
  feed: FeedConfig,
  now: number,
  limit: number,
): Promise<{ closable: Member[]; gone: string[] }> {
  const waiting = await readWaiting(tx, feed.id, limit);
  const ids = waiting.map(({ id }) => id);
  const articles = new Map((await readChangedArticles(tx, [feed], ids)).map((article) => [article.id, article]));
  const isPublic = (id: string, instant: number): boolean => {
    const article = articles.get(id);
    return article !== undefined && isPublicAt(article, instant);
  };
  return {
    closable: waiting.filter(({ id }) => isPublic(id, now)),
    gone: ids.filter((id) => !isPublic(id, Number.POSITIVE_INFINITY)),
  };
}

function changedIn(places: Map<string, Places>, before: Map<string, Places>): Map<string, Places> {
  const isSame = (a: Places, b: Places | undefined): boolean =>
    a.size === b?.size && [...a].every(([archive, page]) => b.get(archive) === page);
  return new Map([...places].filter(([id, one]) => !isSame(one, before.get(id))));
}

/**
 * Adds the next of the articles that are older than a feed's archive, or than its selection, in the order of time.
 * @returns whether all have been added
 */
export async function backfill(store: Store, config: Config, feed: FeedConfig, now: number): Promise<boolean> {
  return store.db.transaction().execute(async (tx) => {
    await lockFeedVersion(tx);
    const find = async () => (await openArchives(tx, config)).find((one) => one.feed.id === feed.id);
    let archive = await find();
    if (archive === undefined) return true;
    if (await followSelection(tx, archive)) {
      await removeDeselected(tx, archive);
      archive = await find();
    }
    if (archive === undefined || archive.backfilledTo === null) return true;
    const next = await findOlder(tx, archive.backfilledTo, ARTICLES_PER_TRANSACTION);
    const ids = next.map(({ id }) => id);
    await recordIn(tx, [archive], await readChangedArticles(tx, [feed], ids), now);
    const last = next.length < ARTICLES_PER_TRANSACTION ? undefined : next.at(-1);
    await saveBackfillPosition(tx, feed.id, last === undefined ? null : [last.created_at, last.id]);
    return last === undefined;
  });
}

function findOlder(db: Db, [at, id]: BackfillPosition, limit: number) {
  return db
    .selectFrom('articles')
    .select(['created_at', 'id'])
    .where(sql<boolean>`(created_at, id) > (cast(${at} as bigint), cast(${id} as text))`)
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** After a change of the selection. */
async function removeDeselected(tx: Tx, archive: Archive): Promise<void> {
  const waiting = await readWaiting(tx, archive.feed.id, Number.MAX_SAFE_INTEGER);
  for (const some of chunks(waiting, ARTICLES_PER_TRANSACTION)) {
    const ids = some.map(({ id }) => id);
    const selected = new Set(
      (await readChangedArticles(tx, [archive.feed], ids))
        .filter(({ selectedBy }) => selectedBy.has(archive.feed.id))
        .map(({ id }) => id),
    );
    const others = ids.filter((id) => !selected.has(id));
    await removeWaiting(tx, archive, others);
  }
}

/** Removes articles that are on no page; they are recorded again if they come back. */
export async function removeWaiting(tx: Tx, archive: Archive, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const places = await readPlaces(tx, ids);
  leaveArchive(places, archive, ids);
  await savePlaces(tx, places);
  await deleteWaiting(tx, archive.feed.id, ids);
}

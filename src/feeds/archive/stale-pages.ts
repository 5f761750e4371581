/** Rebuilds closed archive pages whose articles have been corrected or retracted. No other page changes. */
import { findArticles } from '../../articles/queries.ts';
import type { Config } from '../../config/config.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Db, Tx } from '../../store/store.ts';
import { type CompressedDocument, compressChanged } from '../documents.ts';
import type { FailedArticle } from '../formats/item.ts';
import { buildArchivePage, hashNotes, noteOf } from './archive-page.ts';
import { feedsWithArchive } from './archives.ts';
import { IDS_PER_STATEMENT } from './record-members.ts';

/** A closed page whose stored hash differs from that of the notes of its articles. */
interface StalePage {
  feed: string;
  page: number;
  path: string;
  notesHash: string;
}

export interface RebuiltPage extends StalePage {
  documents: CompressedDocument[];
  items: number;
  failed: FailedArticle[];
}

/** Pages are stored in one transaction, for which others wait. */
const MAX_REBUILT = 25;

/** Rebuilds the stale pages that hold these articles, at most 25. @param changed ids of articles */
export async function rebuildStalePages(db: Db, config: Config, changed: readonly string[]): Promise<RebuiltPage[]> {
  const rebuilt: RebuiltPage[] = [];
  for (const { feed: id, page, path } of (await findStalePages(db, config, changed)).slice(0, MAX_REBUILT)) {
    const feed = config.feeds.find((one) => one.id === id);
    if (feed === undefined) continue;
    const members = await db
      .selectFrom('archive_members')
      .select('article_id')
      .where('feed', '=', id)
      .where('page', '=', page)
      .execute();
    const articles = await findArticles(
      db,
      members.map((row) => row.article_id),
    );
    const before = await db
      .selectFrom('archive_pages')
      .select('path')
      .where('feed', '=', id)
      .where('page', '=', page - 1)
      .executeTakeFirst();
    const links = { path, previous: before?.path ?? null };
    const { documents, items, failed } = buildArchivePage(feed, config, links, articles);
    rebuilt.push({
      feed: id,
      page,
      path,
      // Of the articles that were built, which may have changed since findStalePages.
      notesHash: hashNotes(articles.map(noteOf)),
      documents: await compressChanged(db, documents),
      items,
      failed,
    });
  }
  return rebuilt;
}

/**
 * Selects the rebuilt pages that are still up to date, and counts the stale pages that are left.
 * @param tx holds the lock of the feed version: no page is closed meanwhile
 */
export async function confirmRebuiltPages(
  tx: Tx,
  config: Config,
  changed: readonly string[],
  rebuilt: RebuiltPage[],
): Promise<{ pages: RebuiltPage[]; pagesLeft: number }> {
  const stale = await findStalePages(tx, config, changed);
  const built = new Map(rebuilt.map((page) => [`${page.path} ${page.notesHash}`, page]));
  const pages = stale.flatMap(({ path, notesHash }) => built.get(`${path} ${notesHash}`) ?? []);
  return { pages, pagesLeft: stale.length - pages.length };
}

export async function saveNoteHashes(tx: Tx, pages: RebuiltPage[]): Promise<void> {
  for (const { feed, page, notesHash } of pages) {
    await tx
      .updateTable('archive_pages')
      .set({ notes_hash: notesHash })
      .where('feed', '=', feed)
      .where('page', '=', page)
      .execute();
  }
}

async function findStalePages(db: Db, config: Config, changed: readonly string[]): Promise<StalePage[]> {
  const stale: StalePage[] = [];
  for (const { id: feed } of feedsWithArchive(config)) {
    const pages = new Set<number>();
    for (const ids of chunks(changed, IDS_PER_STATEMENT)) {
      const rows = await db
        .selectFrom('archive_members')
        .select('page')
        .distinct()
        .where('feed', '=', feed)
        .where('page', 'is not', null)
        .where('article_id', 'in', ids)
        .execute();
      for (const { page } of rows) if (page !== null) pages.add(page);
    }
    if (pages.size > 0) stale.push(...(await staleAmong(db, feed, [...pages])));
  }
  return stale;
}

async function staleAmong(db: Db, feed: string, pages: number[]): Promise<StalePage[]> {
  const noted = await db
    .selectFrom('archive_members')
    .innerJoin('articles', 'articles.id', 'archive_members.article_id')
    .select(['archive_members.page', 'articles.id', 'articles.state', 'articles.noted_at as notedAt'])
    .where('archive_members.feed', '=', feed)
    .where('archive_members.page', 'in', pages)
    .where('articles.state', 'in', ['corrected', 'retracted'])
    .execute();
  const byPage = Map.groupBy(noted, ({ page }) => page);
  const rows = await db
    .selectFrom('archive_pages')
    .select(['page', 'path', 'notes_hash'])
    .where('feed', '=', feed)
    .where('page', 'in', pages)
    .orderBy('page')
    .execute();
  return rows.flatMap(({ page, path, notes_hash }) => {
    const notesHash = hashNotes(byPage.get(page) ?? []);
    return notesHash === notes_hash ? [] : [{ feed, page, path, notesHash }];
  });
}

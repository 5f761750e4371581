/**
 * Carries corrections and retractions into the closed parts that hold their articles, and changes no other part.
 */
import { findArticles } from '../../articles/queries.ts';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../store/store.ts';
import { type CompressedDocument, compressChanged } from '../documents.ts';
import { buildArchivePage, hashNotes, noteOf } from './archive-page.ts';
import { feedsWithArchive, inPieces } from './record-members.ts';

/** A closed part whose notes are not those of its articles any more. */
interface StalePage {
  feed: string;
  part: number;
  path: string;
  /** What they have become. */
  notes: string;
}

/** A part with its documents as they are to be. */
export interface CorrectedPage extends StalePage {
  packed: CompressedDocument[];
  items: number;
  failed: { articleId: string; problems: string[] }[];
}

/** So many parts are written in one transaction, which others wait for. */
const MOST_AT_ONCE = 25;

/** Builds the parts anew that changes of these articles concern, at most 25 of them. @param changed ids */
export async function rebuildStalePages(db: Db, config: Config, changed: readonly string[]): Promise<CorrectedPage[]> {
  const corrected: CorrectedPage[] = [];
  for (const { feed, part, path } of (await findStalePages(db, config, changed)).slice(0, MOST_AT_ONCE)) {
    const members = await db
      .selectFrom('archive_members')
      .select('article_id')
      .where('feed', '=', feed)
      .where('page', '=', part)
      .execute();
    const articles = await findArticles(
      db,
      members.map((row) => row.article_id),
    );
    const before = await db
      .selectFrom('archive_pages')
      .select('path')
      .where('feed', '=', feed)
      .where('page', '=', part - 1)
      .executeTakeFirst();
    const head = config.feeds.find(({ id }) => id === feed);
    if (head === undefined) continue;
    const place = { path, previous: before?.path ?? null };
    const { drafts, items, failed } = buildArchivePage(head, config, place, articles);
    corrected.push({
      feed,
      part,
      path,
      // Of what was read, and not of what was looked at before.
      notes: hashNotes(articles.map(noteOf)),
      packed: await compressChanged(db, drafts),
      items,
      failed: failed.map(({ article, problems }) => ({ articleId: article.id, problems })),
    });
  }
  return corrected;
}

/**
 * Which of them are still what is to be written, and how many parts are left for later.
 * @param db the transaction that holds the lock of the stamp: no part is closed meanwhile
 */
export async function confirmCorrectedPages(
  db: Db,
  config: Config,
  changed: readonly string[],
  corrected: CorrectedPage[],
): Promise<{ parts: CorrectedPage[]; left: number }> {
  const stale = await findStalePages(db, config, changed);
  const built = new Map(corrected.map((one) => [`${one.path} ${one.notes}`, one]));
  const parts = stale.flatMap(({ path, notes }) => built.get(`${path} ${notes}`) ?? []);
  return { parts, left: stale.length - parts.length };
}

/** Notes what these parts have become. @param db the transaction that stores their documents */
export async function saveNoteHashes(db: Db, parts: CorrectedPage[]): Promise<void> {
  for (const { feed, part, notes } of parts) {
    await db
      .updateTable('archive_pages')
      .set({ notes_hash: notes })
      .where('feed', '=', feed)
      .where('page', '=', part)
      .execute();
  }
}

async function findStalePages(db: Db, config: Config, changed: readonly string[]): Promise<StalePage[]> {
  const stale: StalePage[] = [];
  for (const { id: feed } of feedsWithArchive(config)) {
    const parts = new Set<number>();
    for (const ids of inPieces(changed)) {
      const rows = await db
        .selectFrom('archive_members')
        .select('page')
        .distinct()
        .where('feed', '=', feed)
        .where('page', 'is not', null)
        .where('article_id', 'in', ids)
        .execute();
      for (const { page } of rows) if (page !== null) parts.add(page);
    }
    if (parts.size > 0) stale.push(...(await staleAmong(db, feed, [...parts])));
  }
  return stale;
}

async function staleAmong(db: Db, feed: string, parts: number[]): Promise<StalePage[]> {
  const noted = await db
    .selectFrom('archive_members')
    .innerJoin('articles', 'articles.id', 'archive_members.article_id')
    .select(['archive_members.page as part', 'articles.id', 'articles.state', 'articles.noted_at as notedAt'])
    .where('archive_members.feed', '=', feed)
    .where('archive_members.page', 'in', parts)
    .where('articles.state', 'in', ['corrected', 'retracted'])
    .execute();
  const byPart = Map.groupBy(noted, ({ part }) => part);
  const rows = await db
    .selectFrom('archive_pages')
    .select(['page as part', 'path', 'notes_hash as notes'])
    .where('feed', '=', feed)
    .where('page', 'in', parts)
    .orderBy('page')
    .execute();
  return rows.flatMap(({ part, path, notes: stored }) => {
    const notes = hashNotes(byPart.get(part) ?? []);
    return notes === stored ? [] : [{ feed, part, path, notes }];
  });
}

/** Inputs that were not used, kept whole with the reason, so that nothing is lost and `status` can list them. */
import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { readStateCounts } from '../core/store/counts.ts';
import type { Db } from '../core/store/store.ts';
import type { Tables } from '../core/store/tables.ts';
import { storableText } from '../lib/text/clean-text.ts';

export interface Rejection {
  stage: 'import' | 'feed' | 'edition';
  /** The file that it was read from, or the feed or newsletter that it was rejected for. */
  source: string;
  line: number | null;
  articleId: string | null;
  /** Sentences. */
  problems: string[];
  /** The whole input. */
  raw: string;
  /** It is valid, and a first import holds it back; see news-hold.ts. Default: no. */
  isHeld?: boolean;
}

/** Records a rejection. It replaces an earlier one from the same place. */
export async function recordRejection(db: Db, entry: Rejection, now: number): Promise<void> {
  const row = {
    stage: entry.stage,
    source: entry.source,
    line: entry.line,
    article_id: entry.articleId,
    problems: JSON.stringify(entry.problems),
    raw: storableText(entry.raw),
    rejected_at: now,
    held: entry.isHeld ? 1 : 0,
  };
  await db
    .insertInto('rejections')
    .values({ key: keyOf(entry), ...row })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
    .execute();
}

/** Deletes the rejection from a place that has become valid since. */
export async function clearRejection(db: Db, entry: Omit<Rejection, 'problems' | 'raw'>): Promise<void> {
  await db.deleteFrom('rejections').where('key', '=', keyOf(entry)).execute();
}

/** Deletes what an import rejected of lines of a file, both bounds included; a whole file counts as line 0. */
export async function clearRejectionsOfLines(db: Db, source: string, from: number, to: number): Promise<void> {
  const ofFile = deleteOfImports(db).where('source', '=', source);
  await ofFile.where((e) => e.between(e.fn.coalesce('line', e.lit(0)), from, to)).execute();
}

/** Deletes all that imports rejected of these files. */
export async function clearRejectionsOfFiles(db: Db, sources: string[]): Promise<void> {
  if (sources.length === 0) return;
  await deleteOfImports(db).where('source', 'in', sources).execute();
}

/** Deletes all that imports rejected of the items of a source, whose places are `SOURCE/ITEM`. */
export async function clearRejectionsOfSource(db: Db, sourceId: string): Promise<void> {
  // "0" follows "/" in every collation of bytes. Paths of files are absolute.
  await deleteOfImports(db).where('source', '>', `${sourceId}/`).where('source', '<', `${sourceId}0`).execute();
}

function deleteOfImports(db: Db) {
  return db.deleteFrom('rejections').where('stage', '=', 'import');
}

/** What an import found wrong with a file: sentences; none if it was imported. */
export async function findProblemsOfFile(db: Db, source: string): Promise<string[]> {
  const rows = await db
    .selectFrom('rejections')
    .select('problems')
    .where('stage', '=', 'import')
    .where('source', '=', source)
    .orderBy('key')
    .execute();
  return rows.flatMap(({ problems }) => JSON.parse(problems) as string[]);
}

/** The place of a rejection in a list. */
export interface RejectionPlace {
  rejectedAt: number;
  /** Identifies where the input is from. */
  key: string;
}

export type RecordedRejection = Rejection & RejectionPlace;

const COLUMNS = [
  ...(['key', 'stage', 'source', 'line', 'article_id as articleId'] as const),
  ...(['rejected_at as rejectedAt', 'problems'] as const),
] as const;

/** Lists rejections, newest first, those of one instant by source and line. @param page.offset number to leave out */
export async function listRejections(
  db: Db,
  { limit, offset = 0 }: { limit: number; offset?: number },
): Promise<RecordedRejection[]> {
  // Sorted without the inputs, which may be long.
  const keys = inOrder(db.selectFrom('rejections').select('key')).limit(limit).offset(offset);
  const rows = await inOrder(selectWhole(db).where('key', 'in', keys)).execute();
  return rows.map(toRejection);
}

/** With the beginning of the input. `length`: characters of the whole input. */
export type RejectionExcerpt = RecordedRejection & { length: number };

/** Characters of an input that a list shows. */
const EXCERPT = 4_000;

/**
 * A page of rejections, newest first: a range of the index rejections_by_time. Inputs may have megabytes, so only their
 * beginning is read.
 * @param options.after the rejection after which the page begins; null: the newest
 * @returns `older`: the last one of the page, if the list goes on
 */
export async function readRejectionPage(
  db: Db,
  { limit, after }: { limit: number; after: RejectionPlace | null },
): Promise<{ rejections: RejectionExcerpt[]; older: RejectionPlace | null }> {
  const rows = await db
    .selectFrom('rejections')
    .select(COLUMNS)
    .select((e) => [
      sql<string>`substr(${e.ref('raw')}, 1, ${sql.lit(EXCERPT)})`.as('raw'),
      e.fn<number>('length', ['raw']).as('length'),
    ])
    .$if(after !== null, (q) => q.where(sql<SqlBool>`(rejected_at, key) < (${after?.rejectedAt}, ${after?.key})`))
    .orderBy('rejected_at', 'desc')
    .orderBy('key', 'desc')
    .limit(limit + 1)
    .execute();
  const rejections = rows.slice(0, limit).map(toRejection);
  return { rejections, older: rows.length > limit ? (rejections.at(-1) ?? null) : null };
}

/** @returns null where nothing is rejected at that place */
export async function findRejection(db: Db, key: string): Promise<RecordedRejection | null> {
  const row = await selectWhole(db).where('key', '=', key).executeTakeFirst();
  return row === undefined ? null : toRejection(row);
}

/** The files with rejected input. */
export async function listImportSources(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('rejections').select('source').distinct().where('stage', '=', 'import').execute();
  return rows.map(({ source }) => source);
}

function inOrder<Row>(query: SelectQueryBuilder<Tables, 'rejections', Row>) {
  const bySource = query.orderBy('rejected_at', 'desc').orderBy('source');
  // The two databases sort null to different ends.
  return bySource.orderBy((e) => e.fn.coalesce('line', e.lit(0))).orderBy('key');
}

function selectWhole(db: Db) {
  return db.selectFrom('rejections').select(COLUMNS).select('raw');
}

function toRejection<Row extends { problems: string }>(row: Row) {
  return { ...row, problems: JSON.parse(row.problems) as string[] };
}

export async function countRejections(db: Db): Promise<number> {
  const { import: imports, feed, edition } = await countRejectionsByStage(db);
  return imports + feed + edition;
}

/** Number of rejections at each stage. */
export async function countRejectionsByStage(db: Db): Promise<Record<Rejection['stage'], number>> {
  const counts = { import: 0, feed: 0, edition: 0 };
  for (const { state, count } of await readStateCounts(db, 'rejections')) counts[state as Rejection['stage']] = count;
  return counts;
}

// For a feed or edition the article identifies the place; for a file the line does.
function keyOf(entry: Omit<Rejection, 'problems' | 'raw'>): string {
  return `${entry.stage}:${entry.source}:${entry.stage === 'import' ? (entry.line ?? 0) : (entry.articleId ?? '')}`;
}

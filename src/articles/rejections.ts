/** Inputs that were not used, kept whole with the reason, so that nothing is lost and `status` can list them. */
import { storableText } from '../lib/clean-text.ts';
import { readStateCounts } from '../store/counts.ts';
import type { Db } from '../store/store.ts';

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
  };
  await db
    .insertInto('rejections')
    .values({ key: keyOf(entry), ...row })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
    .execute();
}

/** Deletes the rejection from a place that has become valid since. */
export async function clearRejection(
  db: Db,
  entry: Pick<Rejection, 'stage' | 'source' | 'line' | 'articleId'>,
): Promise<void> {
  await db.deleteFrom('rejections').where('key', '=', keyOf(entry)).execute();
}

/** Deletes what an import rejected of lines of a file, both bounds included; a whole file counts as line 0. */
export async function clearRejectionsOfLines(db: Db, source: string, from: number, to: number): Promise<void> {
  await db
    .deleteFrom('rejections')
    .where('stage', '=', 'import')
    .where('source', '=', source)
    .where((e) => e.between(e.fn.coalesce('line', e.lit(0)), from, to))
    .execute();
}

/** Deletes all that imports rejected of these files. */
export async function clearRejectionsOfFiles(db: Db, sources: string[]): Promise<void> {
  if (sources.length === 0) return;
  await db.deleteFrom('rejections').where('stage', '=', 'import').where('source', 'in', sources).execute();
}

/** Lists rejections by source and line. */
export async function listRejections(db: Db, limit: number): Promise<(Rejection & { rejectedAt: number })[]> {
  const rows = await db
    .selectFrom('rejections')
    .selectAll()
    .orderBy('source')
    // The two databases sort null to different ends.
    .orderBy((e) => e.fn.coalesce('line', e.lit(0)))
    .orderBy('key')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    stage: row.stage,
    source: row.source,
    line: row.line,
    articleId: row.article_id,
    problems: JSON.parse(row.problems) as string[],
    raw: row.raw,
    rejectedAt: row.rejected_at,
  }));
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
function keyOf(entry: Pick<Rejection, 'stage' | 'source' | 'line' | 'articleId'>): string {
  return `${entry.stage}:${entry.source}:${entry.stage === 'import' ? (entry.line ?? 0) : (entry.articleId ?? '')}`;
}

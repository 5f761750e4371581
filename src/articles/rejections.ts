/**
 * What could not be used, kept whole with its reason, so that nothing is lost and `status` can list it.
 */

import { storableText } from '../lib/clean-text.ts';
import type { Db } from '../store/store.ts';

export interface Rejection {
  stage: 'import' | 'feed' | 'edition';
  /** The file it was read from, or the document or newsletter it was meant for. */
  source: string;
  line: number | null;
  articleId: string | null;
  /** One sentence each. */
  problems: string[];
  /** What was read, whole. */
  raw: string;
}

/** Keeps it, in place of what was rejected from the same place before. */
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

/** Forgets what was rejected from that place: it has been read well since. */
export async function clearRejections(
  db: Db,
  entry: Pick<Rejection, 'stage' | 'source' | 'line' | 'articleId'>,
): Promise<void> {
  await db.deleteFrom('rejections').where('key', '=', keyOf(entry)).execute();
}

/** Forgets what an import rejected from these lines of a file, both included; a file without lines counts as line 0. */
export async function clearRejectionsOfLines(db: Db, source: string, from: number, to: number): Promise<void> {
  await db
    .deleteFrom('rejections')
    .where('stage', '=', 'import')
    .where('source', '=', source)
    .where((e) => e.between(e.fn.coalesce('line', e.lit(0)), from, to))
    .execute();
}

/** Forgets all that imports rejected from these files. */
export async function clearRejectionsOfFiles(db: Db, sources: string[]): Promise<void> {
  if (sources.length === 0) return;
  await db.deleteFrom('rejections').where('stage', '=', 'import').where('source', 'in', sources).execute();
}

/** All that is rejected, by source and line. */
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

/** How many are rejected. */
export async function countRejections(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('rejections')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** Number of rejections at each stage. */
export async function countRejectionsByStage(db: Db): Promise<Record<Rejection['stage'], number>> {
  const rows = await db
    .selectFrom('rejections')
    .select((e) => ['stage', e.fn.countAll<number>().as('count')])
    .groupBy('stage')
    .execute();
  const counts = { import: 0, feed: 0, edition: 0 };
  for (const { stage, count } of rows) counts[stage] = count;
  return counts;
}

// A feed or edition names the article; a file names the line.
function keyOf(entry: Pick<Rejection, 'stage' | 'source' | 'line' | 'articleId'>): string {
  return `${entry.stage}:${entry.source}:${entry.stage === 'import' ? (entry.line ?? 0) : (entry.articleId ?? '')}`;
}

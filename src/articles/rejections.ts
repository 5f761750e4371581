/**
 * What could not be used, kept whole with its reason, so that nothing is lost and `status` can list it.
 */

import { keepable } from '../lib/clean-text.ts';
import type { Db } from '../store/store.ts';

export interface SetAside {
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

/** Keeps it, in place of what was set aside from the same place before. */
export async function setAside(db: Db, entry: SetAside, now: number): Promise<void> {
  const row = {
    stage: entry.stage,
    source: entry.source,
    line: entry.line,
    article_id: entry.articleId,
    problems: JSON.stringify(entry.problems),
    raw: keepable(entry.raw),
    set_aside_at: now,
  };
  await db
    .insertInto('set_aside')
    .values({ key: keyOf(entry), ...row })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
    .execute();
}

/** Forgets what was set aside from that place: it has been read well since. */
export async function clearSetAside(
  db: Db,
  entry: Pick<SetAside, 'stage' | 'source' | 'line' | 'articleId'>,
): Promise<void> {
  await db.deleteFrom('set_aside').where('key', '=', keyOf(entry)).execute();
}

/** Forgets what an import set aside from these lines of a file, both included; a file without lines counts as line 0. */
export async function clearSetAsideLines(db: Db, source: string, from: number, to: number): Promise<void> {
  await db
    .deleteFrom('set_aside')
    .where('stage', '=', 'import')
    .where('source', '=', source)
    .where((e) => e.between(e.fn.coalesce('line', e.lit(0)), from, to))
    .execute();
}

/** Forgets all that imports set aside from these files. */
export async function clearSetAsideSources(db: Db, sources: string[]): Promise<void> {
  if (sources.length === 0) return;
  await db.deleteFrom('set_aside').where('stage', '=', 'import').where('source', 'in', sources).execute();
}

/** All that is set aside, by source and line. */
export async function listSetAside(db: Db, limit: number): Promise<(SetAside & { setAsideAt: number })[]> {
  const rows = await db
    .selectFrom('set_aside')
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
    setAsideAt: row.set_aside_at,
  }));
}

/** How many are set aside. */
export async function countSetAside(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('set_aside')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

// A feed or edition names the article; a file names the line.
function keyOf(entry: Pick<SetAside, 'stage' | 'source' | 'line' | 'articleId'>): string {
  return `${entry.stage}:${entry.source}:${entry.stage === 'import' ? (entry.line ?? 0) : (entry.articleId ?? '')}`;
}

/**
 * Tasks that PostgreSQL does late or never: statistics for its planner, and space for others. SQLite needs none of it.
 */
import { sql } from 'kysely';
import { type Db, dialectOf } from './store.ts';
import type { Tables } from './tables.ts';

/** Fewer rows are not worth it. */
const MIN_ROWS = 1_000;
/** Least growth, as a share of the rows at the last analysis. */
const MIN_SHARE = 0.1;

/**
 * Analyses tables after many rows have been written to them. PostgreSQL does so by itself, but minutes later: until
 * then, a month of the archive takes 40 ms instead of 8. Never rejects: what has been written must not fail for it.
 * @param tables the first is the one that `rows` were written to
 */
export async function analyseGrown(
  db: Db,
  tables: readonly [keyof Tables, ...(keyof Tables)[]],
  rows: number,
): Promise<void> {
  if (dialectOf(db) === 'sqlite' || rows < MIN_ROWS) return;
  if (rows >= MIN_SHARE * (await rowsAtAnalysis(db, tables[0]))) await analyseTables(db, tables);
}

/** Analyses tables, except those that are locked. Never rejects. @param tables their names, from code */
export async function analyseTables(db: Db, tables: readonly string[]): Promise<void> {
  if (dialectOf(db) === 'sqlite') return;
  const names = sql.join(tables.map((name) => sql.table(name)));
  await sql`analyze (skip_locked) ${names}`.execute(db).catch(leaveToServer);
}

/** -1 for a table that has not been analysed. */
async function rowsAtAnalysis(db: Db, table: string): Promise<number> {
  const query = sql<{ reltuples: number }>`select reltuples from pg_class where oid = ${table}::regclass`;
  const rows = await query.execute(db).then(({ rows }) => rows, leaveToServer);
  return rows?.[0]?.reltuples ?? Number.POSITIVE_INFINITY;
}

/** Milliseconds that a table's other users may wait for it. */
const LOCK_TIMEOUT = 100;

/**
 * Gives back the space of a table that many rows have left, and of its indexes, which a vacuum never makes smaller.
 * Meant for a table that is small now. Never rejects.
 */
export async function reclaimSpace(db: Db, name: keyof Tables): Promise<void> {
  if (dialectOf(db) === 'sqlite') return;
  const table = sql.table(name);
  await sql`vacuum (skip_locked) ${table}`.execute(db).catch(leaveToServer);
  const reindex = db.transaction().execute(async (tx) => {
    await sql.raw(`set local lock_timeout = ${LOCK_TIMEOUT}`).execute(tx);
    await sql`reindex table ${table}`.execute(tx);
  });
  await reindex.catch(leaveToServer);
}

/** PostgreSQL does it some time later. What is wrong, such as a lost connection, the next query reports. */
function leaveToServer(): null {
  return null;
}

/** What PostgreSQL's planner knows of tables. SQLite's works without. */
import { sql } from 'kysely';
import { type Db, dialectOf } from './store.ts';
import type { Tables } from './tables.ts';

/** Fewer rows are not worth it. */
const MIN_ROWS = 1_000;
/** Of the rows that the table had when it was analysed last. */
const MIN_SHARE = 0.1;

/**
 * Analyses tables after many rows have been written to them. PostgreSQL does so by itself, but minutes later: until
 * then, a month of the archive takes 40 ms instead of 8.
 * @param tables the one with these rows, and others that have grown with it
 * @param rows how many were written
 */
export async function analyseGrown(
  db: Db,
  tables: readonly [keyof Tables, ...(keyof Tables)[]],
  rows: number,
): Promise<void> {
  if (dialectOf(db) === 'sqlite' || rows < MIN_ROWS) return;
  const found = await sql<{ known: number }>`
    select reltuples as known from pg_class where oid = ${tables[0]}::regclass`.execute(db);
  if (rows >= MIN_SHARE * (found.rows[0]?.known ?? 0)) await analyseTables(db, tables);
}

/** Analyses tables. @param tables their names, from code */
export async function analyseTables(db: Db, tables: readonly string[]): Promise<void> {
  if (dialectOf(db) === 'postgres') await sql`analyze ${sql.join(tables.map((name) => sql.table(name)))}`.execute(db);
}

/**
 * Removes deleted text from the files of an SQLite store. SQLite overwrites what it deletes (`secure_delete`), but the
 * log keeps earlier versions of pages, and a page that was split can keep an unreachable copy of a row that moved: in a
 * test, of 1 in 541 deleted addresses. Only VACUUM removes those. PostgreSQL's autovacuum has its own rules.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { freeSpace, toMegabytes } from './free-space.ts';
import { readMeta, VACUUM_DUE, writeMeta } from './meta.ts';
import { LOCK_TIMEOUT } from './sqlite.ts';
import { type Db, dialectOf, type Store } from './store.ts';
import type { Tables } from './tables.ts';

/** Milliseconds. A reader of an old snapshot, such as a backup, must not delay writers for long. */
const BUSY_TIMEOUT = 500;

/** Bytes. Writers wait for less than two seconds while a file of this size is rewritten. */
const MAX_IMMEDIATE_VACUUM = 128 * 1024 * 1024;

/**
 * Writes the log into the database file and empties it. Does nothing within a transaction or on PostgreSQL.
 * @returns false where a reader of an old snapshot prevented it; the next call can succeed
 */
export async function truncateLog(db: Db): Promise<boolean> {
  if (db.isTransaction || dialectOf(db) !== 'sqlite') return true;
  return withShortTimeout(db, async (connection) => {
    const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(connection);
    return rows[0]?.busy !== 1;
  });
}

/**
 * Rewrites the files of a store after an erasure: a small one now, a large one by the `vacuumIfDue` of the next start.
 * Does nothing within a transaction or on PostgreSQL.
 */
export async function removeDeletedText(db: Db): Promise<void> {
  const file = await fileOf(db);
  if (file === null || db.isTransaction) return;
  await writeMeta(db, VACUUM_DUE, 'erasure');
  const isDone = (await stat(file)).size <= MAX_IMMEDIATE_VACUUM && (await vacuumIfDue(db)).kind === 'done';
  if (!isDone) await truncateLog(db);
}

/**
 * Rewrites the file of a store that an erasure has marked for it, and removes the mark.
 * @param onStart called before the work, which takes about a second for 100 MB
 * @param readFreeSpace see `freeSpace`
 * @returns `failed` where there is too little disk space or another process writes; the mark remains
 */
export async function vacuumIfDue(
  db: Db,
  onStart: () => void = () => {},
  readFreeSpace: (folder: string) => Promise<number> = freeSpace,
): Promise<{ kind: 'not due' } | { kind: 'done' } | { kind: 'failed'; reason: string }> {
  const file = await fileOf(db);
  if (file === null || (await readMeta(db, VACUUM_DUE)) === undefined) return { kind: 'not due' };
  const { size } = await stat(file);
  // The copy in the temporary file, and its pages in the log.
  if ((await readFreeSpace(dirname(file))) < 2 * size) {
    const reason = `it needs ${toMegabytes(2 * size)} MB of free disk space beside ${file}`;
    return { kind: 'failed', reason };
  }
  onStart();
  try {
    await withShortTimeout(db, async (connection) => {
      // In memory the copy would take as many bytes as the file.
      await sql`pragma temp_store = file`.execute(connection);
      await sql`vacuum`.execute(connection).finally(() => sql`pragma temp_store = memory`.execute(connection));
    });
    await writeMeta(db, VACUUM_DUE, null);
    await truncateLog(db);
    return { kind: 'done' };
  } catch (error) {
    return { kind: 'failed', reason: (error as Error).message };
  }
}

/** What an operator should know of a store that could not be rewritten. */
export function vacuumFailure({ location }: Pick<Store, 'location'>, reason: string): string {
  return (
    `${location} was not rewritten (VACUUM), so addresses that were erased earlier may still be in its free pages: ` +
    `${reason}. The next "daywire start" or "daywire migrate" tries again`
  );
}

async function withShortTimeout<T>(db: Db, work: (connection: Db) => Promise<T>): Promise<T> {
  return (db as Kysely<Tables>).connection().execute(async (connection) => {
    await sql`pragma busy_timeout = ${sql.lit(BUSY_TIMEOUT)}`.execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql`pragma busy_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(connection);
    }
  });
}

/** The path of an SQLite store in a file, or null. */
async function fileOf(db: Db): Promise<string | null> {
  if (dialectOf(db) !== 'sqlite') return null;
  const { rows } = await sql<{
    file: string | null;
  }>`select file from pragma_database_list where name = 'main'`.execute(db);
  return rows[0]?.file || null;
}

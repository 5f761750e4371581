/**
 * Removes deleted text from the files of an SQLite store. SQLite overwrites what it deletes (`secure_delete`), but the
 * log keeps earlier versions of pages, and a page that was split can keep an unreachable copy of a row that moved: in a
 * test, of 1 in 541 deleted addresses. PostgreSQL and its autovacuum reuse space by their own rules.
 */
import { fstatSync, openSync, read, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
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
 * Removes what remains in the files of texts whose rows have been deleted. A file that still contains one is rewritten:
 * a small one now, a large one by `vacuumIfDue`. Does nothing within a transaction or on PostgreSQL.
 */
export async function removeDeletedText(db: Db, texts: readonly string[]): Promise<void> {
  await truncateLog(db);
  const file = await fileOf(db);
  if (file === null || db.isTransaction || !(await containsAny(file, texts))) return;
  await writeMeta(db, VACUUM_DUE, 'erasure');
  if ((await stat(file)).size <= MAX_IMMEDIATE_VACUUM) await vacuumIfDue(db);
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

/**
 * By path, and never closed: when a process closes any descriptor of a file, it loses all POSIX locks that it has on
 * the file, those of SQLite's connections included. Another program could then take the log for its own, and delete it.
 */
const descriptors = new Map<string, number>();

async function descriptorOf(file: string): Promise<number> {
  const known = descriptors.get(file);
  if (known !== undefined && isSameFile(fstatSync(known), await stat(file))) return known;
  const opened = openSync(file, 'r');
  descriptors.set(file, opened);
  return opened;
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** Bytes that are read at once. */
const PART = 1024 * 1024;

const readAt = promisify(read);

/** Not by a stream, which closes its descriptor when its reader stops before the end, even with `autoClose: false`. */
async function* partsOf(file: string): AsyncGenerator<Buffer> {
  const descriptor = await descriptorOf(file);
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await readAt(descriptor, Buffer.allocUnsafe(PART), 0, PART, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

async function containsAny(file: string, texts: readonly string[]): Promise<boolean> {
  const needles = texts.map((text) => Buffer.from(text));
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  let tail = Buffer.alloc(0);
  for await (const part of partsOf(file)) {
    const bytes = Buffer.concat([tail, part]);
    if (needles.some((needle) => bytes.includes(needle))) return true;
    tail = bytes.subarray(Math.max(bytes.length - overlap, 0));
  }
  return false;
}

/**
 * A store that exists for one piece of work: in a file of a private folder, or in a PostgreSQL database of its own. It
 * is deleted afterwards, also after an error. What a killed process left is deleted by the next one: a lock that ends
 * with its process tells the two apart.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import { createPrivateFile, PRIVATE_FOLDER } from '../../../lib/private-files.ts';
import { freeSpace, toMegabytes } from '../free-space.ts';
import { openStore, type Store, StoreError } from '../store.ts';
import type { Tables } from '../tables.ts';

const PREFIX = 'rehearsal-';
const LOCK = 'lock';

/**
 * Free space that a store needs, in sizes of what fills it in one transaction: the file, and the log, which has all of
 * it until the end. Measured with 40 MB: 2.1.
 */
const ROOM = 2.2;

/**
 * Opens an empty SQLite store in a new folder that only this user can read.
 * @param parent of the folder
 * @param bytes that are to be stored
 * @param readFreeSpace see `freeSpace`
 * @throws StoreError where the file system of `parent` lacks room: a live store may be on it, and needs it too
 */
export async function withTemporaryFile<T>(
  parent: string,
  bytes: number,
  work: (store: Store) => Promise<T>,
  readFreeSpace: (folder: string) => Promise<number> = freeSpace,
): Promise<T> {
  await mkdir(parent, { recursive: true, mode: PRIVATE_FOLDER });
  await deleteLeftFolders(parent);
  const [needed, free] = [ROOM * bytes, await readFreeSpace(parent)];
  if (free < needed) {
    const has = `which has ${Math.floor(free / (1024 * 1024))} MB`;
    const needs = `a temporary store needs ${toMegabytes(needed)} MB of free disk space`;
    throw new StoreError(`${needs} in ${parent}, ${has}: nothing was tried`);
  }
  const folder = await mkdtemp(join(parent, PREFIX));
  const lock = tryLock(join(folder, LOCK));
  try {
    const store = await openStore({ path: join(folder, 'daywire.db') });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } finally {
    lock?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function deleteLeftFolders(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(parent, name);
    const lock = tryLock(join(folder, LOCK));
    if (lock === null) continue;
    lock.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes a lock that ends with this process, whatever ends it. @returns null where another process has it */
function tryLock(path: string): DatabaseSync | null {
  createPrivateFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('begin exclusive');
    return database;
  } catch {
    database.close();
    return null;
  }
}

export type TemporaryDatabase<T> = { kind: 'done'; value: T } | { kind: 'refused'; reason: string };

/**
 * Opens an empty store in a new database of the server.
 * @param databaseUrl of a database whose role may create others. Nothing in it is read or changed
 * @returns refused where the role may not create a database
 */
export async function withTemporaryDatabase<T>(
  databaseUrl: string,
  work: (store: Store) => Promise<T>,
): Promise<TemporaryDatabase<T>> {
  const server = await openStore({ databaseUrl, path: '' });
  try {
    // One connection: the lock belongs to it.
    return await server.db.connection().execute(async (connection) => {
      const owner = await sql<{ oid: number }>`
        select oid::bigint as oid from pg_database where datname = current_database()`.execute(connection);
      const prefix = `daywire_rehearsal_${owner.rows[0]?.oid}_`;
      await dropLeftDatabases(connection, prefix);
      const name = prefix + randomBytes(8).toString('hex');
      await tryLockName(connection, name);
      try {
        // Not of template1, which may have another encoding, or a session that is connected to it.
        await sql`create database ${sql.id(name)}
          template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`.execute(connection);
      } catch (error) {
        if ((error as { code?: unknown }).code !== INSUFFICIENT_PRIVILEGE) throw error;
        return { kind: 'refused', reason: (error as Error).message };
      }
      try {
        const url = new URL(databaseUrl);
        url.pathname = `/${name}`;
        const store = await openStore({ databaseUrl: url.href, path: '' });
        try {
          return { kind: 'done', value: await work(store) };
        } finally {
          await store.close();
        }
      } finally {
        await dropDatabase(connection, name);
      }
    });
  } finally {
    await server.close();
  }
}

/** PostgreSQL's SQLSTATE. */
const INSUFFICIENT_PRIVILEGE = '42501';

/** SQLite's code. */
const SQLITE_FULL = 13;

/** PostgreSQL's classes of SQLSTATE: connection exception, insufficient resources, operator intervention. */
const SERVER_TROUBLE = /^(08|53|57)/;

/**
 * Whether an error is one of the temporary store, which has no room or lost its server, and says nothing about what was
 * to be stored.
 */
export function isStoreTrouble(error: unknown): boolean {
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string };
  return (
    errcode === SQLITE_FULL || SERVER_TROUBLE.test(code ?? '') || message?.startsWith('Connection terminated') === true
  );
}

async function dropLeftDatabases(db: Kysely<Tables>, prefix: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select datname as name from pg_database where starts_with(datname, ${prefix}) order by datname`.execute(db);
  for (const { name } of rows) {
    if (!(await tryLockName(db, name))) continue;
    await dropDatabase(db, name);
    await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(db);
  }
}

/** Locks a name until the connection ends. Locks of that kind concern nobody else, and block no query. */
async function tryLockName(db: Kysely<Tables>, name: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_lock(hashtextextended(${name}, 0)) as locked`.execute(db);
  return rows[0]?.locked === true;
}

/** Ends what is still connected to it. */
async function dropDatabase(db: Kysely<Tables>, name: string): Promise<void> {
  await sql`drop database if exists ${sql.id(name)} with (force)`.execute(db);
}

/**
 * Backup and restore. A backup of either database is an SQLite file with the current schema. It is marked so that a
 * restored store submits nothing until an operator releases its queue: what it holds as pending may have been submitted
 * since. Nor does it give the numbers again that have been given since, and are in emails. Nobody is signed in.
 */
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { createPrivateFile } from '../../../lib/private-files.ts';
import { analyseTables } from '../maintenance.ts';
import { DELIVERY_HELD, INDEXED_NOTHING, INDEXED_TO, readMeta, VACUUM_DUE, writeMeta } from '../meta.ts';
import { ensureSchema, migrate, requireCurrent, schemaState } from '../schema.ts';
import type { SqliteAccess } from '../sqlite.ts';
import { openSqliteInThread } from '../sqlite-file.ts';
import { type Db, type Store, StoreError, type Tx } from '../store.ts';
import { copyTable, countRows, readTables, skipNumbers, type TableShape } from './copy-tables.ts';

export interface CopyOptions {
  /** Gets the number of rows copied so far. */
  onProgress?: (rows: number) => void;
}

export interface RestoreOptions extends CopyOptions {
  /** Refuses a backup by throwing, before the store is changed. */
  verify?: ((backup: Db) => Promise<unknown>) | undefined;
}

/** Tables whose numbers are in the tokens of emails. */
const MAILED_NUMBERS = ['subscribers', 'editions', 'service_messages'];

const STALE = 'only the current schema is copied. Do this with the daywire that created it, then run "daywire migrate"';

/**
 * Writes a snapshot of a store to a file. Other processes can write meanwhile, and do not wait.
 * @param file must not exist; it appears when it is complete and synced to disk
 * @param now epoch milliseconds, which the held queue of a restored store names
 * @returns number of rows
 * @throws StoreError where the file exists, the schema is not current, or the copy is damaged
 */
export async function backupStore(store: Store, file: string, now: number, options: CopyOptions = {}): Promise<number> {
  if (existsSync(file)) throw new StoreError(`${file} exists already: a backup overwrites nothing, name a new file`);
  const partial = `${file}.${process.pid}.part`;
  await deleteDatabase(partial);
  try {
    if (store.dialect === 'sqlite') await copySqlite(store, partial);
    const copy = openFile(partial, 'write');
    try {
      if (store.dialect === 'postgres') await copyPostgres(store, copy, options);
      await writeMeta(copy.db, DELIVERY_HELD, `restored from a backup of ${new Date(now).toISOString()}`);
      await writeMeta(copy.db, VACUUM_DUE, null);
      await skipMailedNumbers(copy.db, now);
      // Stores to be upgraded may lack the tables.
      if ((await schemaState(copy)).kind === 'current') await deleteMomentary(copy.db);
      await checkIntegrity(copy);
      const rows = await countAllRows(copy.db, store.dialect === 'sqlite' ? options : {});
      // Without a WAL file, the backup can be read in a folder that is not writable.
      await sql`pragma journal_mode = delete`.execute(copy.db);
      await copy.close();
      await sync(partial);
      if (existsSync(file)) throw new StoreError(`${file} has appeared meanwhile: a backup overwrites nothing`);
      await rename(partial, file);
      await syncFolder(dirname(file));
      return rows;
    } finally {
      await copy.close();
    }
  } finally {
    await deleteDatabase(partial);
  }
}

/**
 * Fills an empty store from a backup, in one transaction, and holds its queue.
 * @param store gets the schema where it has none
 * @param now epoch milliseconds
 * @returns number of rows
 * @throws StoreError where the file is damaged, not a backup or one of another schema, or the store is not empty
 */
export async function restoreStore(
  file: string,
  store: Store,
  now: number,
  options: RestoreOptions = {},
): Promise<number> {
  const backup = await openBackup(file);
  try {
    await options.verify?.(backup.db);
    await ensureSchema(store);
    const rows = await backup.db.transaction().execute((from) =>
      store.db.transaction().execute(async (to) => {
        const tables = await readTables(from);
        await requireEmpty(to, tables, store.location);
        const copied = await copyTables(from, to, tables, options);
        await skipMailedNumbers(to, now);
        const held = await readMeta(to, DELIVERY_HELD);
        if (!held?.startsWith('restored from')) {
          await writeMeta(to, DELIVERY_HELD, `restored from ${file} at ${new Date(now).toISOString()}`);
        }
        return copied;
      }),
    );
    const names = (await readTables(backup.db)).map(({ name }) => name);
    await analyseTables(store.db, names);
    return rows;
  } finally {
    await backup.close();
  }
}

/**
 * Numbers new rows from an instant in milliseconds on, after all that the store gave since the backup. Emails of that
 * time have tokens with those numbers: given again, they would open the preferences of another person, or end another
 * person's subscription.
 */
async function skipMailedNumbers(db: Db, now: number): Promise<void> {
  for (const table of MAILED_NUMBERS) await skipNumbers(db, table, 'id', now);
}

/**
 * Deletes what a restored store starts without: what is of the moment and the machine; and sessions and open
 * invitations of the desk, because those that were ended, used or withdrawn since the backup would work again.
 */
async function deleteMomentary(db: Db): Promise<void> {
  await db.deleteFrom('back_off').execute();
  await db.deleteFrom('desk_presence').execute();
  await db.deleteFrom('account_sessions').execute();
  await db.deleteFrom('account_invitations').where('used_at', 'is', null).execute();
}

/**
 * Opens a backup for reading.
 * @throws StoreError where the file is missing, cannot be read, is damaged, or has another schema than the current one
 */
export async function openBackup(file: string): Promise<Store> {
  if (!existsSync(file)) throw new StoreError(`there is no file ${file}`);
  const backup = openFile(file, 'read');
  try {
    await checkIntegrity(backup);
    requireCurrent(backup, await schemaState(backup), STALE);
    return backup;
  } catch (error) {
    await backup.close();
    throw error;
  }
}

/** When a backup was made, epoch milliseconds; null for a file that `backupStore` did not write. */
export async function backupInstant(backup: Db): Promise<number | null> {
  const held = await readMeta(backup, DELIVERY_HELD);
  const [, instant] = /^restored from a backup of (\S+Z)/.exec(held ?? '') ?? [];
  const at = Date.parse(instant ?? '');
  return Number.isNaN(at) ? null : at;
}

/** Copies an SQLite store with any schema, in one statement that does not block writers. */
async function copySqlite(store: Store, file: string): Promise<void> {
  if ((await schemaState(store)).kind === 'empty') throw new StoreError(`the database ${store.location} is empty`);
  // On another connection, so that the store's thread can go on writing.
  const source = store.location === ':memory:' ? undefined : openFile(store.location, 'write');
  try {
    // An empty file is filled, and keeps its mode.
    createPrivateFile(file);
    await sql`vacuum into ${file}`.execute((source ?? store).db).catch((error: Error) => {
      // SQLite's message names neither file, and the thread has added that of its connection.
      const reason = error.message.replace(`${store.location}: `, '');
      throw new StoreError(`${file} cannot be written: ${reason}`, { cause: error });
    });
  } finally {
    await source?.close();
  }
}

/** Copies a PostgreSQL store row by row, from one snapshot. */
async function copyPostgres(store: Store, copy: Store, options: CopyOptions): Promise<void> {
  requireCurrent(store, await schemaState(store), STALE);
  await migrate(copy);
  const tables = await readTables(copy.db);
  await store.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((from) => copy.db.transaction().execute((to) => copyTables(from, to, tables, options)));
}

async function copyTables(from: Tx, to: Tx, tables: TableShape[], { onProgress }: CopyOptions): Promise<number> {
  let rows = 0;
  for (const table of tables) {
    const copied = await copyTable(from, to, table, (count) => {
      rows += count;
      onProgress?.(rows);
    });
    const [source, target] = [await countRows(from, table.name), await countRows(to, table.name)];
    if (source !== copied || target !== copied) {
      throw new StoreError(`${table.name} has ${source} rows, of which ${copied} were copied and ${target} stored`);
    }
  }
  await writeMeta(to, INDEXED_TO, INDEXED_NOTHING);
  return rows;
}

async function countAllRows(db: Db, { onProgress }: CopyOptions): Promise<number> {
  let rows = 0;
  for (const { name } of await readTables(db)) {
    rows += await countRows(db, name);
    onProgress?.(rows);
  }
  return rows;
}

async function checkIntegrity({ db, location }: Store): Promise<void> {
  let problems: string[];
  try {
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(10)`.execute(db);
    problems = rows.map((row) => row.integrity_check);
  } catch (error) {
    // The message may start with the path too.
    const reason = (error as Error).message.replace(`${location}: `, '');
    throw new StoreError(`${location} cannot be read: ${reason}`, { cause: error });
  }
  if (problems.join() !== 'ok') throw new StoreError(`${location} is damaged: ${problems.join('; ')}`);
}

async function requireEmpty(db: Db, tables: TableShape[], location: string): Promise<void> {
  for (const { name } of tables) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
    if (rows.length === 0) continue;
    const problem = `the database ${location} is not empty (${name} has rows)`;
    throw new StoreError(`${problem}: a backup is restored into an empty one`);
  }
}

function openFile(path: string, access: SqliteAccess): Store {
  const file = openSqliteInThread(path, access);
  return { ...file, reports: file.db, dialect: 'sqlite', location: path };
}

/** Flushes a file to the disk. */
async function sync(path: string): Promise<void> {
  // Windows flushes no file that is open for reading only.
  await flush(path, 'r+');
}

/** Flushes the names in a folder to the disk. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform !== 'win32') await flush(path, 'r');
}

async function flush(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function deleteDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true });
}

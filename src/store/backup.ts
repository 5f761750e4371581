/**
 * Backup and restore, in one form for both databases: an SQLite file with the current schema, marked so that a store made of it
 * mails nothing until an operator says so. What it held as pending may have been mailed since.
 */
import { existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { copyTable, countRows, type End, readTables, type TableShape } from './copy-tables.ts';
import { DELIVERY_HELD, readMeta, writeMeta } from './meta.ts';
import { ensureSchema, migrate, schemaState } from './schema.ts';
import type { Access } from './sqlite.ts';
import { openSqliteInThread } from './sqlite-file.ts';
import { type Db, type Store, StoreError } from './store.ts';

export interface CopyOptions {
  /** Is told again and again how many rows have been copied. */
  onProgress?: (rows: number) => void;
}

export interface Copied {
  readonly rows: number;
  readonly bytes: number;
}

const RELEASE = 'release with "daywire queue release"';

/**
 * Writes a store, as it is at one moment, to a file. Safe while other processes write, which do not wait for it.
 * @param file where; it must not exist, and it appears only when it is whole and on disk
 * @param now epoch ms: the moment that the held queue of a restored store names
 * @throws StoreError where the file exists, the schema is not one to back up, or the copy turns out damaged
 */
export async function backupStore(store: Store, file: string, now: number, options: CopyOptions = {}): Promise<Copied> {
  if (existsSync(file)) throw new StoreError(`${file} exists already: a backup overwrites nothing, name a new file`);
  const unfinished = `${file}.${process.pid}.part`;
  await removeDatabase(unfinished);
  try {
    if (store.dialect === 'sqlite') await copyWhole(store, unfinished);
    const copy = openFile(unfinished, 'write');
    try {
      if (store.dialect === 'postgres') await copyRows(store, copy, options);
      await writeMeta(copy.db, DELIVERY_HELD, `restored from a backup of ${new Date(now).toISOString()}: ${RELEASE}`);
      await checkIntegrity(copy);
      const rows = await countAll(copy.db, store.dialect === 'sqlite' ? options : {});
      // One file that stands alone, readable from a folder that cannot be written.
      await sql`pragma journal_mode = delete`.execute(copy.db);
      await copy.close();
      await makeLasting(unfinished);
      if (existsSync(file)) throw new StoreError(`${file} has appeared meanwhile: a backup overwrites nothing`);
      await rename(unfinished, file);
      await makeLasting(dirname(file));
      return { rows, bytes: (await stat(file)).size };
    } finally {
      await copy.close();
    }
  } finally {
    await removeDatabase(unfinished);
  }
}

/**
 * Fills an empty store of either kind from a backup, in one transaction, and holds its queue.
 * @param store its schema is made where it has none
 * @param now epoch ms
 * @throws StoreError where the file is damaged, is no backup or one of another schema, or the store is not empty
 */
export async function restoreStore(
  file: string,
  store: Store,
  now: number,
  options: CopyOptions = {},
): Promise<Copied> {
  if (!existsSync(file)) throw new StoreError(`there is no file ${file}`);
  const backup = openFile(file, 'read');
  try {
    await checkIntegrity(backup);
    await checkSchema(backup);
    await ensureSchema(store);
    const rows = await backup.db.transaction().execute((from) =>
      store.db.transaction().execute(async (to) => {
        const tables = await readTables(from);
        await refuseUnlessEmpty(to, tables, store.location);
        const copied = await copyTables({ ...backup, db: from }, { ...store, db: to }, tables, options);
        const held = await readMeta(to, DELIVERY_HELD);
        if (!held?.startsWith('restored from')) {
          await writeMeta(to, DELIVERY_HELD, `restored from ${file} at ${new Date(now).toISOString()}: ${RELEASE}`);
        }
        return copied;
      }),
    );
    return { rows, bytes: (await stat(file)).size };
  } finally {
    await backup.close();
  }
}

/** An SQLite store as it stands, whatever its schema, in one statement that holds up no writer. */
async function copyWhole(store: Store, file: string): Promise<void> {
  if ((await schemaState(store)).kind === 'empty') throw new StoreError(`the database ${store.location} is empty`);
  // On a connection of its own: the store's thread goes on writing.
  const source = store.location === ':memory:' ? undefined : openFile(store.location, 'write');
  try {
    await sql`vacuum into ${file}`.execute((source ?? store).db);
  } finally {
    await source?.close();
  }
}

/** A PostgreSQL store row by row, all from one snapshot. */
async function copyRows(store: Store, copy: Store, options: CopyOptions): Promise<void> {
  await checkSchema(store);
  await migrate(copy);
  const tables = await readTables(copy.db);
  await store.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((from) =>
      copy.db.transaction().execute((to) => copyTables({ ...store, db: from }, { ...copy, db: to }, tables, options)),
    );
}

async function copyTables(from: End, to: End, tables: TableShape[], { onProgress }: CopyOptions): Promise<number> {
  let rows = 0;
  for (const table of tables) {
    const copied = await copyTable(from, to, table, (count) => {
      rows += count;
      onProgress?.(rows);
    });
    const [was, is] = [await countRows(from.db, table.name), await countRows(to.db, table.name)];
    if (was !== copied || is !== copied) {
      throw new StoreError(`${table.name} has ${was} rows, of which ${copied} were copied and ${is} arrived`);
    }
  }
  return rows;
}

async function countAll(db: Db, { onProgress }: CopyOptions): Promise<number> {
  let rows = 0;
  for (const { name } of await readTables(db)) {
    rows += await countRows(db, name);
    onProgress?.(rows);
  }
  return rows;
}

async function checkIntegrity({ db, location: place }: Store): Promise<void> {
  let problems: string[];
  try {
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(10)`.execute(db);
    problems = rows.map((row) => row.integrity_check);
  } catch (error) {
    throw new StoreError(`${place} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (problems.join() !== 'ok') throw new StoreError(`${place} is damaged: ${problems.join('; ')}`);
}

async function checkSchema(store: Store): Promise<void> {
  const state = await schemaState(store);
  switch (state.kind) {
    case 'current':
      return;
    case 'empty':
      throw new StoreError(`${store.location} is no daywire database, or an empty one`);
    case 'stale':
      throw new StoreError(
        `${store.location} lacks ${state.missing.join(', ')}: only the current schema is copied. ` +
          'Let the daywire that made it do this, then run "daywire migrate"',
      );
    case 'newer':
      throw new StoreError(
        `${store.location} has had ${state.unknown.join(', ')}, which this version does not know: ` +
          'run the newer daywire that made it',
      );
  }
}

async function refuseUnlessEmpty(db: Db, tables: TableShape[], place: string): Promise<void> {
  for (const { name } of tables) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
    if (rows.length > 0) {
      throw new StoreError(
        `the database ${place} is not empty (${name} has rows): a backup is restored into an empty one`,
      );
    }
  }
}

function openFile(path: string, access: Access): Store {
  const file = openSqliteInThread(path, access);
  return { ...file, reports: file.db, dialect: 'sqlite', location: path };
}

async function makeLasting(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeDatabase(path: string): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(path + end, { force: true });
}

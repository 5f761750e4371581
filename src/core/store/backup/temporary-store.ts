/**
 * A store that exists for one piece of work: a file in a private folder, or a PostgreSQL database of its own. It is
 * deleted afterwards, also after an error. A later one deletes what a killed process has left.
 */
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { PRIVATE_FOLDER } from '../../../lib/private-files.ts';
import { DAY } from '../../../lib/time.ts';
import { freeSpace, toMegabytes } from '../free-space.ts';
import { openStore, type Store, StoreError } from '../store.ts';

/**
 * Free space that a store needs, in sizes of what fills it in one transaction: the file, and the log, which has all of
 * it until the end. Measured with 40 MB: 2.1.
 */
const ROOM = 2.2;

/** Prefix of the folders' names. */
const PREFIX = 'rehearsal-';

interface TemporaryPlace {
  /** Undefined for an SQLite file. */
  databaseUrl: string | undefined;
  /** Gets the folder of the file. */
  parent: string;
  /** Size of what is to be stored. */
  bytes: number;
}

/**
 * Opens an empty store. On PostgreSQL, one exists at a time.
 * @throws StoreError where the file system lacks room, because a live store may be on it and needs it too; or where the
 * role may not create a database
 */
export function withTemporaryStore(place: TemporaryPlace, work: (store: Store) => Promise<void>): Promise<void> {
  return place.databaseUrl === undefined ? withTemporaryFile(place, work) : withDatabase(place.databaseUrl, work);
}

async function withTemporaryFile(
  { parent, bytes }: TemporaryPlace,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  await mkdir(parent, { recursive: true, mode: PRIVATE_FOLDER });
  const folder = await mkdtemp(join(parent, PREFIX));
  try {
    await deleteLeftOvers(parent, (await stat(folder)).mtimeMs - DAY);
    const [needed, free] = [ROOM * bytes, await freeSpace(folder)];
    if (free < needed) {
      const needs = `a temporary store needs ${toMegabytes(needed)} MB of free disk space`;
      throw new StoreError(`${needs} in ${parent}, which has ${Math.floor(free / 2 ** 20)} MB: nothing was tried`);
    }
    await withStore({ path: join(folder, 'daywire.db') }, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Deletes folders from before an instant: a younger one may be in use. */
async function deleteLeftOvers(parent: string, before: number): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(parent, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: before }));
    if (mtimeMs < before) await rm(folder, { recursive: true, force: true });
  }
}

/** @param databaseUrl of another database of the server. Nothing in it is read or changed */
async function withDatabase(databaseUrl: string, work: (store: Store) => Promise<void>): Promise<void> {
  const server = await openStore({ databaseUrl, path: '' });
  try {
    const { rows } = await sql<{ oid: number }>`
      select oid::bigint as oid from pg_database where datname = current_database()`.execute(server.db);
    const name = `daywire_rehearsal_${rows[0]?.oid}`;
    const dropped = sql`drop database if exists ${sql.id(name)}`;
    try {
      // Fails while another rehearsal is connected to it.
      await dropped.execute(server.db);
      // Not a copy of template1, which may have another encoding, or a session that is connected to it.
      await sql`create database ${sql.id(name)}
        template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`.execute(server.db);
    } catch (error) {
      throw new StoreError(`the temporary database ${name} cannot be created: ${(error as Error).message}`);
    }
    try {
      await withStore({ databaseUrl: Object.assign(new URL(databaseUrl), { pathname: name }).href, path: '' }, work);
    } finally {
      await dropped.execute(server.db);
    }
  } finally {
    await server.close();
  }
}

async function withStore(at: Parameters<typeof openStore>[0], work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(at);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

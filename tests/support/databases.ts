/**
 * Runs the same tests on both databases: SQLite in memory, and PostgreSQL from the server that postgres.ts starts once.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, inject } from 'vitest';
import { migrate } from '../../src/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../src/store/store.ts';

/**
 * Calls `body` once for each database, within a `describe` of its name; `open` gives an empty, migrated store that is
 * closed after the test.
 */
export function forEachDatabase(body: (open: () => Promise<Store>, dialect: Dialect) => void): void {
  for (const dialect of ['sqlite', 'postgres'] as const) {
    describe(dialect, () => {
      const opened: { store: Store; url: string | null }[] = [];
      afterEach(async () => {
        await Promise.all(opened.splice(0).map(giveBack));
      });
      body(async () => {
        const url = dialect === 'sqlite' ? null : (idle.pop() ?? (await newDatabase()));
        const store = url === null ? await openMigrated() : await openStore({ databaseUrl: url, path: '' });
        opened.push({ store, url });
        return store;
      }, dialect);
    });
  }
}

/**
 * An empty, migrated SQLite store in a file of its own, as in production: it writes in a thread.
 * @returns the store, and what closes it and removes the file
 */
export async function openSqliteFile(): Promise<{ store: Store; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-store-'));
  const store = await openStore({ path: join(folder, 'daywire.sqlite') });
  await migrate(store);
  return {
    store,
    async remove() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** An empty SQLite store in memory. */
export async function openMigrated(): Promise<Store> {
  const store = await openStore({ path: ':memory:' });
  await migrate(store);
  return store;
}

/** The URL of a new, migrated database on the tests' PostgreSQL server. */
export async function newPostgresUrl(from: 'migrated' | 'empty' = 'migrated'): Promise<string> {
  const server = inject('postgresUrl');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client({ connectionString: `${server}/postgres` });
  await client.connect();
  // A copy of a migrated template takes 30 ms; migrating anew takes ten times as long.
  await client.query(`create database ${name} template ${from === 'migrated' ? 'daywire_template' : 'template0'}`);
  await client.end();
  return `${server}/${name}`;
}

/** Databases that were used and emptied: making one takes 130 ms, emptying one 10. */
const idle: string[] = [];

async function newDatabase(): Promise<string> {
  const url = await newPostgresUrl();
  migratedShape ??= (await shapeAndUse(url)).shape;
  return url;
}

async function giveBack({ store, url }: { store: Store; url: string | null }): Promise<void> {
  await store.close();
  if (url !== null && (await emptied(url))) idle.push(url);
}

/** Empties a database, numbers and all. @returns false where a test has changed its schema: it is not used again */
async function emptied(url: string): Promise<boolean> {
  const { shape, used } = await shapeAndUse(url);
  if (shape !== migratedShape) return false;
  if (used !== null) await query(url, `truncate ${used} restart identity cascade`);
  return true;
}

async function shapeAndUse(url: string): Promise<{ shape: string | null; used: string | null }> {
  const [row] = await query<{ shape: string | null; used: string | null }>(url, SHAPE_AND_USE);
  return row ?? { shape: null, used: null };
}

async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

let migratedShape: string | null = null;

const SHAPE_AND_USE = `
  select md5(string_agg(concat(relname, relkind, relnatts, relhastriggers), ',' order by relname)
      || (select string_agg(name, ',' order by name) from kysely_migration)) as shape,
    string_agg(relname, ', ') filter (
      where relkind = 'r' and relname not like 'kysely%' and pg_relation_size(oid) > 0
    ) as used
  from pg_class where relnamespace = 'public'::regnamespace`;

declare module 'vitest' {
  export interface ProvidedContext {
    /** postgres://user:password@host:port, without a database. */
    postgresUrl: string;
  }
}

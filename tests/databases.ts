/**
 * Runs the same tests on both databases: SQLite in memory, and PostgreSQL from the server that postgres.ts starts once.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, inject } from 'vitest';
import { migrate } from '../src/store/schema.ts';
import { type Dialect, openStore, type Store } from '../src/store/store.ts';

/** Calls `body` once for each database, within a `describe` of its name; `open` gives an empty, migrated store that is closed after the test. */
export function forEachDatabase(body: (open: () => Promise<Store>, dialect: Dialect) => void): void {
  for (const dialect of ['sqlite', 'postgres'] as const) {
    describe(dialect, () => {
      const opened: Store[] = [];
      afterEach(async () => {
        await Promise.all(opened.splice(0).map((store) => store.close()));
      });
      body(async () => {
        const store = dialect === 'sqlite' ? await openMigrated() : await openOnPostgres();
        opened.push(store);
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

async function openOnPostgres(): Promise<Store> {
  return openStore({ databaseUrl: await newPostgresUrl(), path: '' });
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** postgres://user:password@host:port, without a database. */
    postgresUrl: string;
  }
}

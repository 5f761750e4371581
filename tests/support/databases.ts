/**
 * Runs tests on the databases: SQLite in memory, and PostgreSQL on a server that starts when a test first needs it.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, describe, inject, onTestFinished, TestRunner } from 'vitest';
import { migrate } from '../../src/core/store/schema.ts';
import { adaptSqlite } from '../../src/core/store/sqlite.ts';
import { type Dialect, openInMemory, openStore, type Store } from '../../src/core/store/store.ts';
import { RUNS_ALL } from './run-scope.ts';

/** Tests of one database; `open` gives an empty, migrated store that is closed after the test. */
type Body = (open: () => Promise<Store>, dialect: Dialect) => void;

/**
 * Calls `body` for SQLite, and in `npm run test:all` for PostgreSQL too, within a `describe` of the database's name.
 * For all that works on any database by the same queries.
 */
export function forEachDatabase(body: Body): void {
  describeOn(RUNS_ALL ? BOTH : ['sqlite'], body);
}

/**
 * Calls `body` for both databases in every run, within a `describe` of the database's name. For what depends on the
 * dialect, on locks or on transactions.
 */
export function forBothDatabases(body: Body): void {
  describeOn(BOTH, body);
}

const BOTH: readonly Dialect[] = ['sqlite', 'postgres'];

function describeOn(dialects: readonly Dialect[], body: Body): void {
  for (const dialect of dialects) {
    describe(dialect, () => {
      const opened: { store: Store; url: string | null }[] = [];
      afterEach(async () => {
        await Promise.all(opened.splice(0).map(release));
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
 * Opens an empty, migrated SQLite store in a file, which writes in a thread as in production.
 * @returns `remove` closes the store and deletes the file, as the end of the test does
 */
export async function openSqliteFile(): Promise<{ store: Store; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-store-'));
  const path = join(folder, 'daywire.sqlite');
  await writeFile(path, await migratedFile(), { mode: 0o600 });
  const store = await openStore({ path });
  const remove = async (): Promise<void> => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  };
  afterTest(remove);
  return { store, remove };
}

/** Calls `clean` when the test has finished. In `beforeAll` no test runs, and in concurrent ones several do. */
function afterTest(clean: () => Promise<void>): void {
  const test = TestRunner.getCurrentTest();
  if (test !== undefined && !test.concurrent) onTestFinished(clean);
}

/**
 * Opens an empty, migrated SQLite store in memory, which is closed when the test has finished. In `beforeAll` and in
 * concurrent tests the caller closes it.
 */
export async function openMigrated(): Promise<Store> {
  const database = new DatabaseSync(':memory:');
  database.deserialize(await migratedFile());
  const store = openInMemory(adaptSqlite(database));
  afterTest(() => store.close());
  // Kysely opens a database at its first statement, also after the end of one that was never used.
  await sql`select 1`.execute(store.db);
  return store;
}

let migrated: Promise<Uint8Array> | null = null;

/** The file of an empty, migrated SQLite store. Copying it takes 2 ms, a migration 60 ms. */
function migratedFile(): Promise<Uint8Array> {
  migrated ??= (async () => {
    const database = new DatabaseSync(':memory:');
    const store = openInMemory(adaptSqlite(database));
    await migrate(store);
    const file = database.serialize();
    await store.close();
    return file;
  })();
  return migrated;
}

/** Creates a database on the tests' PostgreSQL server, migrated or empty. @returns its URL */
export async function newPostgresUrl(from: 'migrated' | 'empty' = 'migrated'): Promise<string> {
  server ??= startServer();
  const url = await server;
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  // Copying the migrated template takes 30 ms, a tenth of a migration.
  const template = from === 'migrated' ? 'daywire_template' : 'template0';
  await query(`${url}/postgres`, `create database ${name} template ${template}`);
  return `${url}/${name}`;
}

let server: Promise<string> | null = null;

async function startServer(): Promise<string> {
  const response = await fetch(inject('postgresStarter'));
  const url = await response.text();
  if (!response.ok) throw new Error(url);
  return url;
}

/** Databases that have been used and emptied: creating one takes 130 ms, emptying one 10 ms. */
const idle: string[] = [];

async function newDatabase(): Promise<string> {
  const url = await newPostgresUrl();
  migratedShape ??= (await shapeAndUse(url)).shape;
  return url;
}

async function release({ store, url }: { store: Store; url: string | null }): Promise<void> {
  await store.close();
  if (url !== null && (await emptyDatabase(url))) idle.push(url);
}

/** Deletes all rows and resets identities. @returns false where a test has changed the schema: it cannot be reused */
async function emptyDatabase(url: string): Promise<boolean> {
  // A closed connection's last statement may still run on the server, and would leave its rows to the next test.
  await query(url, END_OTHERS);
  const { shape, used, hasLarge, reset } = await shapeAndUse(url);
  if (shape !== migratedShape) return false;
  // In the role of a replica, triggers and foreign keys do nothing.
  const asReplica = (work: string) =>
    query(url, `begin; set local session_replication_role = replica; ${work}; commit`);
  if (hasLarge) await asReplica(`truncate ${used.join(', ')} restart identity cascade`);
  // Takes a tenth of the time.
  else if (used.length > 0) {
    await asReplica(`${used.map((table) => `delete from ${table};`).join('')} select ${reset}`);
  }
  return true;
}

interface ShapeAndUse {
  shape: string | null;
  /** Tables that have held rows. */
  used: string[];
  /** Whether any of them has held many. */
  hasLarge: boolean;
  /** Resets all identities. */
  reset: string;
}

async function shapeAndUse(url: string): Promise<ShapeAndUse> {
  const [row] = await query<ShapeAndUse>(url, SHAPE_AND_USE);
  if (row === undefined) throw new Error('an aggregate has one row');
  return row;
}

async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  return (await (await clientOf(url)).query<Row>(text)).rows;
}

/** One connection to each database, until the end of the run: connecting takes as long as emptying the database. */
const clients = new Map<string, Promise<pg.Client>>();

function clientOf(url: string): Promise<pg.Client> {
  let client = clients.get(url);
  if (client === undefined) {
    client = connect(url);
    clients.set(url, client);
  }
  return client;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // The server may stop first.
  client.on('error', () => {});
  await client.connect();
  return client;
}

let migratedShape: string | null = null;

const END_OTHERS = `select pg_terminate_backend(pid, 10000) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
const IS_USED = "relkind = 'r' and relname not like 'kysely%' and pg_relation_size(oid) > 0";
const SHAPE_AND_USE = `
  select md5(string_agg(concat(relname, relkind, relnatts, relhastriggers), ',' order by relname)
      || (select string_agg(name, ',' order by name) from kysely_migration)) as shape,
    coalesce(json_agg(relname) filter (where ${IS_USED}), '[]') as used,
    coalesce(bool_or(pg_relation_size(oid) > 100000) filter (where ${IS_USED}), false) as "hasLarge",
    string_agg(format('setval(%L, 1, false)', oid::regclass), ', ') filter (where relkind = 'S') as reset
  from pg_class where relnamespace = 'public'::regnamespace`;

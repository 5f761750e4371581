/** Compares the schema of a database with the one that this version needs, and migrates it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { plainLine } from '../../lib/text/clean-text.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import { MIGRATIONS } from './migrations.ts';
import { type Db, isSerializationFailure, type Store, StoreError } from './store.ts';

export type SchemaState =
  | { kind: 'empty' }
  | { kind: 'current' }
  | { kind: 'stale'; missing: string[] }
  | { kind: 'newer'; unknown: string[] };

/** Compares the migrations that the database has had with the known ones. */
export async function schemaState(store: Store): Promise<SchemaState> {
  const known = Object.keys(MIGRATIONS);
  const applied = await appliedMigrations(store);
  const unknown = applied.filter((name) => !known.includes(name));
  const missing = known.filter((name) => !applied.includes(name));
  if (unknown.length > 0) return { kind: 'newer', unknown };
  if (applied.length === 0) return { kind: 'empty' };
  return missing.length > 0 ? { kind: 'stale', missing } : { kind: 'current' };
}

/**
 * Creates the schema in an empty database, and refuses any schema but the current one.
 * @returns whether the database was empty
 * @throws StoreError that names the missing or unknown migrations, and what to do
 */
export async function ensureSchema(store: Store): Promise<{ wasEmpty: boolean }> {
  const state = await schemaState(store);
  if (state.kind === 'empty') await migrate(store);
  else requireCurrent(store, state, 'back it up, then run "daywire migrate"');
  return { wasEmpty: state.kind === 'empty' };
}

/**
 * Refuses any schema but the current one.
 * @param adviceIfStale what to do about missing migrations
 * @throws StoreError that names the missing or unknown migrations, and what to do
 */
export function requireCurrent({ location }: Store, state: SchemaState, adviceIfStale: string): void {
  switch (state.kind) {
    case 'current':
      return;
    case 'empty':
      throw new StoreError(`${location} is not a daywire database, or it is empty`);
    case 'stale':
      throw new StoreError(`the database ${location} lacks ${state.missing.join(', ')}: ${adviceIfStale}`);
    case 'newer':
      throw new StoreError(
        `the database ${location} has had ${state.unknown.join(', ')}, which this version does not know: ` +
          'run the newer daywire that created it',
      );
  }
}

/**
 * Runs the migrations that the database has not had. Of several processes, one runs them and the others wait (Kysely
 * takes an advisory lock on PostgreSQL).
 * @returns their names, in order
 * @throws StoreError that names the migration that failed, and who uses the database if that is why
 */
export async function migrate(store: Store): Promise<string[]> {
  if (store.dialect === 'sqlite') return runMigrations(store, store.db);
  return store.db.connection().execute(async (db) => {
    // A migration that waits holds locks, and others wait behind it: it gives way instead.
    await sql`set statement_timeout = 0; set lock_timeout = 500`.execute(db);
    const giveUpAt = performance.now() + LOCK_PATIENCE;
    try {
      for (;;) {
        const outcome = await runMigrations(store, db).catch((error: StoreError) => error);
        if (!(outcome instanceof StoreError)) return outcome;
        const isInUse = isSerializationFailure(outcome.cause) || (outcome.cause as { code?: unknown }).code === '55P03';
        if (!isInUse) throw outcome;
        if (performance.now() > giveUpAt) throw new StoreError(await describeUse(store, db), { cause: outcome.cause });
        await sleep(SECOND);
      }
    } finally {
      await sql`reset statement_timeout; reset lock_timeout`.execute(db);
    }
  });
}

/** Longer than reads take in usual work; a backup or an import may take longer. */
const LOCK_PATIENCE = MINUTE;

async function describeUse({ location }: Store, db: Db): Promise<string> {
  const { rows } = await sql<{ session: string }>`
    select format('%s %s since %s: %s', pid, application_name, xact_start, left(query, 80)) as session
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
    order by xact_start limit 5`.execute(db);
  const open = rows.map(({ session }) => plainLine(session)).join('; ') || 'none now';
  return `${location} was in use for a minute, and is unchanged: stop daywire, and migrate again. Readers: ${open}`;
}

async function runMigrations({ dialect, location }: Store, db: Store['db']): Promise<string[]> {
  const migrations = Object.entries(MIGRATIONS).map(([name, up]): [string, Migration] => [
    name,
    { up: (db) => up(db, dialect) },
  ]);
  const provider = { getMigrations: async () => Object.fromEntries(migrations) };
  const { error, results = [] } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error')?.migrationName ?? 'the migration';
    throw new StoreError(`${failed} failed on ${location}: ${(error as Error).message}`, { cause: error });
  }
  return results.map((result) => result.migrationName);
}

async function appliedMigrations({ db }: Store): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  return tables.some((table) => table.name === 'kysely_migration') ? migrationNames({ db }) : [];
}

/** Whether the schema is that of this version: one short query. @throws if the database does not respond or is empty */
export async function isSchemaCurrent(store: Store): Promise<boolean> {
  return (await migrationNames(store)).join() === Object.keys(MIGRATIONS).join();
}

async function migrationNames({ db }: Pick<Store, 'db'>): Promise<string[]> {
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}

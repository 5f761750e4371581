/** Compares the schema of a database with the one that this version needs, and migrates it. */
import { type Migration, Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations.ts';
import { type Store, StoreError } from './store.ts';

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
 * Runs the migrations that the database has not had.
 * @returns their names, in order
 * @throws StoreError that names the migration that failed
 */
export async function migrate(store: Store): Promise<string[]> {
  const migrations = Object.entries(MIGRATIONS).map(([name, up]): [string, Migration] => [
    name,
    { up: (db) => up(db, store.dialect) },
  ]);
  const provider = { getMigrations: async () => Object.fromEntries(migrations) };
  const { error, results = [] } = await new Migrator({ db: store.db, provider }).migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error')?.migrationName ?? 'the migration';
    throw new StoreError(`${failed} failed on ${store.location}: ${(error as Error).message}`, { cause: error });
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

/**
 * Is the database's schema the one this version was written for? A stale or a newer one is refused by name.
 */
import { type Migration, Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations.ts';
import { type Store, StoreError } from './store.ts';

export type SchemaState =
  | { kind: 'empty' }
  | { kind: 'current' }
  | { kind: 'stale'; missing: string[] }
  | { kind: 'newer'; unknown: string[] };

/** Compares the migrations the database has had with those this version knows. */
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
 * Makes the schema of an empty database, accepts a current one, and refuses any other.
 * @returns whether the database was empty
 * @throws StoreError that names the migrations that are missing or unknown, and what to do
 */
export async function ensureSchema(store: Store): Promise<{ wasEmpty: boolean }> {
  const state = await schemaState(store);
  switch (state.kind) {
    case 'current':
      return { wasEmpty: false };
    case 'empty':
      await migrate(store);
      return { wasEmpty: true };
    case 'stale':
      throw new StoreError(
        `the database ${store.location} lacks ${state.missing.join(', ')}: back it up, then run "daywire migrate"`,
      );
    case 'newer':
      throw new StoreError(
        `the database ${store.location} has had ${state.unknown.join(', ')}, which this version does not know: ` +
          'run the newer daywire that made it',
      );
  }
}

/**
 * Brings the schema up to date, whatever it has had before.
 * @returns the names of the migrations it ran, in order
 * @throws StoreError that names the migration that failed
 */
export async function migrate(store: Store): Promise<string[]> {
  const migrations = Object.entries(MIGRATIONS).map(([name, up]): [string, Migration] => [
    name,
    { up: (db) => up(db, store.dialect) },
  ]);
  const provider = { getMigrations: async () => Object.fromEntries(migrations) };
  const migrator = new Migrator({ db: store.db, provider });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error')?.migrationName ?? 'the migrations';
    throw new StoreError(`${failed} failed on ${store.location}: ${(error as Error).message}`, { cause: error });
  }
  return results.map((result) => result.migrationName);
}

async function appliedMigrations(store: Store): Promise<string[]> {
  const tables = await store.db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const rows = await store.db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}

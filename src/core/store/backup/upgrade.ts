/**
 * Migrates a store without an operator, for `migrate: auto`.
 */
import { rm } from 'node:fs/promises';
import { migrate, schemaState } from '../schema.ts';
import { type Store, StoreError } from '../store.ts';
import { backupStore } from './backup.ts';

export interface Upgrade {
  /** Names of the migrations that ran. */
  migrations: string[];
  /** The backup made before, of an SQLite store. */
  backup: string | null;
}

/**
 * Backs up an SQLite store that lacks migrations, next to its file, and runs them. Processes that start at the same
 * time do not run them twice: migrations run under a lock of the database.
 * @param now epoch milliseconds
 * @returns null where nothing was missing, or another process has run the migrations meanwhile
 * @throws StoreError that names the migration that failed, and the backup
 */
export async function upgradeStore(store: Store, now: number): Promise<Upgrade | null> {
  const state = await schemaState(store);
  if (state.kind !== 'stale') return null;
  const backup = store.dialect === 'sqlite' ? backupPath(store.location, state.missing[0] ?? '', now) : null;
  if (backup !== null) await backupStore(store, backup, now);
  try {
    const migrations = await migrate(store);
    if (migrations.length > 0) return { migrations, backup };
  } catch (error) {
    const advice = backup === null ? '' : `. The store before it is in ${backup}`;
    throw new StoreError(`${(error as Error).message}${advice}`, { cause: error });
  }
  if (backup !== null) await rm(backup, { force: true });
  return null;
}

/** Such as `var/daywire.db.before-0007-name.20261126T073000.123Z-4711`, whose process has the number 4711. */
function backupPath(location: string, migration: string, now: number): string {
  const instant = new Date(now).toISOString().replace(/[-:]/g, '');
  return `${location}.before-${migration}.${instant}-${process.pid}`;
}

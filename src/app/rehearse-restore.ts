/**
 * The rehearsal of a restore: a backup is restored into a temporary store. Nothing is mailed, and the live store is
 * neither read nor changed.
 */
import { stat } from 'node:fs/promises';
import type { Config } from '../core/config/config.ts';
import { secondsSince } from '../core/metrics.ts';
import { verifySigningSecrets } from '../core/signing-secret.ts';
import { backupInstant, openBackup, restoreStore } from '../core/store/backup/backup.ts';
import { countRows, readTables, type TableShape } from '../core/store/backup/copy-tables.ts';
import { withTemporaryStore } from '../core/store/backup/temporary-store.ts';
import type { Clock } from '../lib/time.ts';

interface RehearsalRequest {
  /** Made by `backupStore`. */
  readonly file: string;
  readonly config: Config;
  readonly clock: Clock;
  /** Gets the number of rows so far. */
  readonly onProgress?: (rows: number) => void;
  /** Ends the rehearsal early. The temporary store is deleted even so. */
  readonly signal?: AbortSignal;
}

export interface Rehearsal {
  file: string;
  /** Why a restore would fail, for an operator; null if the backup is good. */
  problem: string | null;
  /** Null for a file that says nothing about it. */
  madeAt: number | null;
  bytes: number;
  /** Rows of the restored store, by table. */
  tables: Record<string, number>;
  startedAt: number;
  seconds: number;
}

/**
 * Restores a backup into a temporary store, after a check of its integrity and its signing secret. Each table must have
 * as many rows as in the backup, and all references must be intact.
 * @returns what was found: a backup that cannot be restored is a problem in it
 * @throws StoreError where there is no room for a temporary store, or its server cannot be reached; or the reason of
 * `signal`
 */
export async function rehearseRestore(request: RehearsalRequest): Promise<Rehearsal> {
  const { file, config, clock, onProgress, signal } = request;
  const { databaseUrl } = config.secrets;
  const startedAt = clock();
  const rehearsal: Rehearsal = { file, problem: null, madeAt: null, bytes: 0, tables: {}, startedAt, seconds: 0 };
  let shapes: TableShape[];
  try {
    const backup = await openBackup(file);
    try {
      rehearsal.madeAt = await backupInstant(backup.db);
      rehearsal.bytes = (await stat(file)).size;
      shapes = await readTables(backup.db);
    } finally {
      await backup.close();
    }
  } catch (error) {
    return { ...rehearsal, problem: (error as Error).message };
  }
  const place = { databaseUrl, parent: config.paths.data, bytes: rehearsal.bytes };
  await withTemporaryStore(place, async (store) => {
    try {
      await restoreStore(file, store, startedAt, {
        verify: (backup) => verifySigningSecrets(config, backup, store.dialect),
        onProgress: (rows) => {
          signal?.throwIfAborted();
          onProgress?.(rows);
        },
      });
    } catch (error) {
      signal?.throwIfAborted();
      rehearsal.problem = `cannot be restored: ${(error as Error).message}`;
      return;
    }
    for (const { name } of shapes) rehearsal.tables[name] = await countRows(store.db, name);
  });
  rehearsal.seconds = secondsSince(startedAt, clock());
  return rehearsal;
}

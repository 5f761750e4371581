/**
 * The check of the signing secret.
 */
import { existsSync } from 'node:fs';
import type { Config } from '../../core/config/config.ts';
import { readSigningSecrets } from '../../core/config/signing-secrets.ts';
import { verifySigningSecrets } from '../../core/signing-secret.ts';
import { schemaState } from '../../core/store/schema.ts';
import { openStore } from '../../core/store/store.ts';

/**
 * Compares the configured signing secret with the one of the store; without a store that can be read, only reads it.
 * On SQLite, the first start creates a missing secret. @returns at most one problem
 */
export async function secretProblems(config: Config): Promise<string[]> {
  try {
    if (!(await isComparedWithStore(config))) {
      readSigningSecrets(config, config.secrets.databaseUrl === undefined ? 'sqlite' : 'postgres');
    }
    return [];
  } catch (error) {
    return [`signing secret: ${(error as Error).message}`];
  }
}

/** @returns false where there is no readable store of this version, which another check reports */
async function isComparedWithStore(config: Config): Promise<boolean> {
  const { databaseUrl } = config.secrets;
  const { store: path } = config.paths;
  if (databaseUrl === undefined && !existsSync(path)) return false;
  const store = await openStore({ databaseUrl, path }).catch(() => null);
  if (store === null) return false;
  try {
    if ((await schemaState(store).catch(() => null))?.kind !== 'current') return false;
    await verifySigningSecrets(config, store.db, store.dialect);
    return true;
  } finally {
    await store.close();
  }
}

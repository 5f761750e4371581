/** Checks the store: whether it opens, its schema, its signing secret, and what it holds against the configuration. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { readSigningSecrets } from '../../core/config/signing-secrets.ts';
import { type Finding, firstLine, ok, problem } from '../../core/finding.ts';
import { verifySigningSecrets } from '../../core/signing-secret.ts';
import { schemaState } from '../../core/store/schema.ts';
import { openStore, type Store } from '../../core/store/store.ts';
import { CAPABILITIES } from '../capabilities.ts';
import { isWritable } from './config.ts';

export async function checkStore(config: Config, now: number): Promise<Finding[]> {
  const { databaseUrl } = config.secrets;
  const { store: file } = config.paths;
  if (databaseUrl === undefined && !existsSync(file)) {
    return isWritable(dirname(file))
      ? [ok(`store: the first start creates ${file}`)]
      : [problem(`paths.store is ${file}: its folder cannot be written`)];
  }
  try {
    const store = await openStore({ databaseUrl, path: config.paths.store });
    try {
      return await checkSchema(store, config, now);
    } finally {
      await store.close();
    }
  } catch (error) {
    return [problem(`store: ${firstLine(error)}`)];
  }
}

async function checkSchema(store: Store, config: Config, now: number): Promise<Finding[]> {
  const state = await schemaState(store);
  switch (state.kind) {
    case 'current':
      return [ok(`store: ${store.location}, schema up to date`), ...(await checkContent(store, config, now))];
    case 'empty':
      return [ok(`store: ${store.location} is empty; the first start creates its schema`)];
    case 'stale':
      return [problem(`store: ${store.location} lacks ${state.missing.join(', ')}: run "daywire migrate"`)];
    case 'newer':
      return [problem(`store: ${store.location} belongs to a newer daywire: it has ${state.unknown.join(', ')}`)];
  }
}

/** In the order in which they are printed. */
export async function checkContent(store: Store, config: Config, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { checks } of CAPABILITIES) findings.push(...((await checks?.content?.(store, config, now)) ?? []));
  return findings;
}

/**
 * Compares the configured signing secret with the one of the store; without a store that can be read, only reads it.
 * On SQLite, the first start creates a missing secret.
 */
export async function checkSecret(config: Config): Promise<Finding[]> {
  try {
    if (!(await isComparedWithStore(config))) {
      readSigningSecrets(config, config.secrets.databaseUrl === undefined ? 'sqlite' : 'postgres');
    }
    return [];
  } catch (error) {
    return [problem(`signing secret: ${(error as Error).message}`)];
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

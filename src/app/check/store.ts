/** Checks the store: whether it opens, its schema, its signing secret, and what it holds against the configuration. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { readSigningSecrets } from '../../core/config/signing-secrets.ts';
import { type Finding, firstLine, ok, problem } from '../../core/finding.ts';
import { verifySigningSecrets } from '../../core/signing-secret.ts';
import { type SchemaState, schemaState } from '../../core/store/schema.ts';
import { openStore, type Store } from '../../core/store/store.ts';
import { CAPABILITIES } from '../capabilities.ts';
import { isWritable } from './config.ts';

/**
 * Checks the store, and compares the configured signing secret with the one of the store; without a store that can be
 * read, only reads it. On SQLite, the first start creates a missing secret.
 */
export async function checkStore(config: Config, now: number): Promise<Finding[]> {
  const { databaseUrl } = config.secrets;
  const { store: file } = config.paths;
  if (databaseUrl === undefined && !existsSync(file)) {
    const canCreate = isWritable(dirname(file));
    return [
      ...(await checkSecret(config, null)),
      canCreate
        ? ok(`store: the first start creates ${file}`)
        : problem(`paths.store is ${file}: its folder cannot be written`),
    ];
  }
  try {
    const store = await openStore({ databaseUrl, path: file });
    try {
      return await checkSchema(store, config, now);
    } finally {
      await store.close();
    }
  } catch (error) {
    return [...(await checkSecret(config, null)), problem(`store: ${firstLine(error)}`)];
  }
}

async function checkSchema(store: Store, config: Config, now: number): Promise<Finding[]> {
  const state = await schemaState(store);
  const secret = await checkSecret(config, state.kind === 'current' ? store : null);
  return [...secret, ...(await findingsOf(state, store, config, now))];
}

async function findingsOf(state: SchemaState, store: Store, config: Config, now: number): Promise<Finding[]> {
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

/** @param store of this version; null without one */
async function checkSecret(config: Config, store: Store | null): Promise<Finding[]> {
  try {
    const dialect = config.secrets.databaseUrl === undefined ? 'sqlite' : 'postgres';
    if (store === null) readSigningSecrets(config, dialect);
    else await verifySigningSecrets(config, store.db, dialect);
    return [];
  } catch (error) {
    return [problem(`signing secret: ${(error as Error).message}`)];
  }
}

/**
 * What all test files of a run share: a PostgreSQL server with a migrated template database, and a folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { NOT_DURABLE, startPostgresServer } from '../../scripts/postgres-server.ts';
import { migrate } from '../../src/core/store/schema.ts';
import { openStore } from '../../src/core/store/store.ts';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startPostgresServer('daywire_template', NOT_DURABLE);
  const store = await openStore({ databaseUrl: `${url}/daywire_template`, path: '' });
  await migrate(store);
  await store.close();
  project.provide('postgresUrl', url);
  const folder = await mkdtemp(join(tmpdir(), 'daywire-run-'));
  project.provide('folder', folder);
  return async () => {
    await stop();
    await rm(folder, { recursive: true });
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** postgres://user:password@host:port, without a database. */
    postgresUrl: string;
    /** Deleted at the end of the run. */
    folder: string;
  }
}

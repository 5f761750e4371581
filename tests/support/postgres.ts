/**
 * Starts one PostgreSQL server for the test run, with a migrated template database.
 */
import type { TestProject } from 'vitest/node';
import { NOT_DURABLE, startPostgresServer } from '../../scripts/postgres-server.ts';
import { migrate } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startPostgresServer('daywire_template', NOT_DURABLE);
  const store = await openStore({ databaseUrl: `${url}/daywire_template`, path: '' });
  await migrate(store);
  await store.close();
  project.provide('postgresUrl', url);
  return stop;
}

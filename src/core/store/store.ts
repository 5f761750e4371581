/** Opens the database: SQLite in a file by default, PostgreSQL by URL. The same queries run on both. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, PostgresDialect, SqliteAdapter, SqliteDialect, sql, type Transaction } from 'kysely';
import type pg from 'pg';
import { PRIVATE_FOLDER } from '../../lib/private-files.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import { openSqlite } from './sqlite.ts';
import { openSqliteFile, openSqliteInThread } from './sqlite-file.ts';
import type { DiskFaults } from './sqlite-thread.ts';
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
  /** What alerts/storage-watch.ts looks at. */
  readonly faults: DiskFaults;
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

/** Of PostgreSQL: disk_full, io_error, and read_only_sql_transaction, such as of a standby. Of SQLite: SQLITE_FULL. */
const DISK_FAULTS: readonly unknown[] = ['53100', '58030', '25006', 13];

/** Opens a connection that records failures of the disk. */
function openWatched(dialect: PostgresDialect | SqliteDialect): Pick<Store, 'db' | 'reports' | 'batch' | 'faults'> {
  const faults: DiskFaults = { last: null };
  const db = new Kysely<Tables>({
    dialect,
    log(event) {
      const { code, errcode, message } = (event.level === 'error' ? event.error : {}) as Record<string, unknown>;
      if (DISK_FAULTS.includes(code) || DISK_FAULTS.includes(errcode)) faults.last = String(message);
    },
  });
  return { db, reports: db, batch: batchInTransaction(db), faults };
}

const CONNECT_TIMEOUT = 10 * SECOND;
/**
 * How long a connection is kept without work: PostgreSQL starts a process for each, and a page would wait some 10 ms
 * for it. A connection that a firewall has dropped is found by probes after a minute.
 */
const IDLE_TIME = 5 * MINUTE;
const PROBE_AFTER = MINUTE;

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
 * @throws StoreError where the file or server cannot be opened
 */
export async function openStore({
  databaseUrl,
  path,
}: {
  databaseUrl?: string | undefined;
  path: string;
}): Promise<Store> {
  if (databaseUrl === undefined) return openSqliteStore(path);
  const url = new URL(databaseUrl);
  // Loaded only when it is needed.
  const { default: driver } = await import('pg');
  const pool = new driver.Pool({
    connectionString: databaseUrl,
    max: 10,
    types: typesOf(driver),
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBE_AFTER,
    idleTimeoutMillis: IDLE_TIME,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
  });
  // A connection that the server closes, idle or between two statements of a transaction, must not end the process. The
  // next query reports the error.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const location = `${url.protocol}//${url.host}${url.pathname}`;
  const watched = openWatched(new PostgresDialect({ pool }));
  const { db } = watched;
  try {
    // Through Kysely: it closes only what it has opened itself.
    await db.connection().execute(async () => {});
  } catch (error) {
    await db.destroy();
    throw new StoreError(`cannot reach the database at ${location}: ${(error as Error).message}`, { cause: error });
  }
  return { ...watched, dialect: 'postgres', location, close: () => db.destroy() };
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
  const watched = openWatched(new SqliteDialect({ database }));
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

/** Waits until no other transaction holds the name, and holds it until this one ends. SQLite has one writer. */
export async function lockName(tx: Tx, name: string): Promise<void> {
  if (dialectOf(tx) === 'sqlite') return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
}

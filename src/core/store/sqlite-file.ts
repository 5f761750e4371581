/**
 * An SQLite file in a process that must keep responding: writes and transactions run in a thread, single SELECTs at
 * once on the calling thread, on a read-only connection. In WAL mode neither waits for the other, and a SELECT sees all
 * earlier commits.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { Mutex } from '../../lib/concurrency/bounded-queue.ts';
import { SECOND } from '../../lib/time.ts';
import { CommitWatch } from '../commit-watch.ts';
import { openSqlite, type SqliteAccess } from './sqlite.ts';
import { noFaults, SqliteThread, type StatementResult, type StoreFaults } from './sqlite-thread.ts';
import type { StatementBatch } from './statement-batch.ts';
import type { Tables } from './tables.ts';

export interface SqliteFile {
  readonly db: Kysely<Tables>;
  readonly batch: StatementBatch;
  readonly commits: CommitWatch;
  readonly faults: StoreFaults;
  /** Completes earlier requests first. */
  close(): Promise<void>;
}

/**
 * Opens (and creates) a database file. The thread starts at the first write.
 * @throws the error of SQLite where the file cannot be opened or is not a database
 */
export function openSqliteFile(path: string): SqliteFile {
  // Once for writing, so that the file exists, is in WAL mode, and fails now if it must.
  openSqlite(path).close();
  return open(new FileDriver(path, 'write', openSqlite(path, 'read')));
}

/**
 * Opens a database file with one connection, in a thread that starts at the first statement.
 * @param idleTime milliseconds until a thread without work ends: it holds 21 MB, and another one starts in 40 ms
 */
export function openSqliteInThread(path: string, access: SqliteAccess, idleTime = 30 * SECOND): SqliteFile {
  return open(new FileDriver(path, access, undefined, idleTime));
}

function open(driver: FileDriver): SqliteFile {
  const db = new Kysely<Tables>({
    dialect: {
      createDriver: () => driver,
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createAdapter: () => new FileAdapter(),
      createIntrospector: (introspected) => new SqliteIntrospector(introspected),
    },
  });
  return {
    db,
    batch: (queries) => driver.batch(queries),
    commits: driver.commits,
    faults: driver.faults,
    async close() {
      await db.destroy();
      await driver.close();
    },
  };
}

class FileAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  // A migration that is killed is rolled back, and two processes do not migrate at once.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class FileDriver implements Driver {
  readonly faults = noFaults();
  /** Of the thread, too: `#reader` is another connection (https://sqlite.org/pragma.html#pragma_data_version). */
  readonly commits = new CommitWatch(async () => {
    const [row] = this.#reader?.prepare('pragma data_version').all([]) ?? [];
    return (row as { data_version: number } | undefined)?.data_version;
  });
  readonly #path: string;
  readonly #access: SqliteAccess;
  readonly #reader: SqliteDatabase | undefined;
  readonly #mutex = new Mutex();
  readonly #connections = new Set<FileConnection>();
  readonly #idleTime: number | undefined;
  #thread: SqliteThread | undefined;
  #idle: NodeJS.Timeout | undefined;
  #whenIdle = Promise.withResolvers<void>();
  #closed = false;

  constructor(path: string, access: SqliteAccess, reader: SqliteDatabase | undefined, idleTime?: number) {
    this.#path = path;
    this.#access = access;
    this.#reader = reader;
    this.#idleTime = idleTime;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<FileConnection> {
    const connection = new FileConnection(this.#reader, this.#mutex, this.commits, () => this.#runningThread());
    this.#connections.add(connection);
    clearTimeout(this.#idle);
    return connection;
  }

  beginTransaction(connection: FileConnection): Promise<void> {
    return connection.begin();
  }

  async commitTransaction(connection: FileConnection): Promise<void> {
    await connection.commit();
    this.commits.notice();
  }

  rollbackTransaction(connection: FileConnection): Promise<void> {
    return connection.rollback();
  }

  async releaseConnection(connection: FileConnection): Promise<void> {
    connection.release();
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#whenIdle.resolve();
    if (this.#idleTime !== undefined) this.#idle = setTimeout(() => void this.#endThread(), this.#idleTime).unref();
  }

  /** The next statement starts another one. */
  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.close();
  }

  async batch(queries: readonly CompiledQuery[]): Promise<unknown[][]> {
    const since = performance.now();
    const unlock = await this.#mutex.acquire();
    try {
      const statements = queries.map(({ sql, parameters }) => [sql, parameters] as const);
      return await this.#runningThread().runBatch(statements, since);
    } finally {
      unlock();
      this.commits.notice();
    }
  }

  /** Kysely calls it only after a query, so `close` does the work. */
  async destroy(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#connections.size > 0) {
      this.#whenIdle = Promise.withResolvers<void>();
      await this.#whenIdle.promise;
    }
    // The thread's connection is the last one: the log is checkpointed without blocking this thread.
    this.#reader?.close();
    clearTimeout(this.#idle);
    await this.#endThread();
  }

  /** Replaces a thread that has ended: its transaction is lost, but the process can go on. */
  #runningThread(): SqliteThread {
    if (this.#thread === undefined || this.#thread.ended) {
      this.#thread = new SqliteThread(this.#path, this.#access, this.faults);
    }
    return this.#thread;
  }
}

class FileConnection implements DatabaseConnection {
  readonly #reader: SqliteDatabase | undefined;
  readonly #mutex: Mutex;
  readonly #commits: CommitWatch;
  readonly #thread: () => SqliteThread;
  /** The open transaction, which holds the mutex. */
  #transaction: { thread: SqliteThread; unlock: () => void } | undefined;

  constructor(reader: SqliteDatabase | undefined, mutex: Mutex, commits: CommitWatch, thread: () => SqliteThread) {
    this.#reader = reader;
    this.#mutex = mutex;
    this.#commits = commits;
    this.#thread = thread;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query;
    if (this.#transaction !== undefined) return toResult(await this.#transaction.thread.run(sql, parameters));
    if (this.#reader !== undefined && onlyReads(query)) {
      return { rows: this.#reader.prepare(sql).all(parameters) as R[] };
    }
    const since = performance.now();
    const unlock = await this.#mutex.acquire();
    try {
      return toResult(await this.#thread().run(sql, parameters, since));
    } finally {
      unlock();
      this.#commits.notice();
    }
  }

  // Passing single rows between threads would be slow, and an unfinished reader lets the log grow without bound.
  // biome-ignore lint/correctness/useYield: it always throws.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error(
      'streaming is not supported for an SQLite file: read it page by page, each from the last key of the one before',
    );
  }

  async begin(): Promise<void> {
    const since = performance.now();
    const unlock = await this.#mutex.acquire();
    try {
      const thread = this.#thread();
      await thread.run('begin', [], since);
      this.#transaction = { thread, unlock };
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** A failed commit leaves the transaction open, for the rollback that follows. */
  async commit(): Promise<void> {
    await this.#transaction?.thread.run('commit', []);
    this.release();
  }

  async rollback(): Promise<void> {
    // Fails only if SQLite has rolled back itself (full disk) or the thread has ended, which an earlier error has
    // reported.
    await this.#transaction?.thread.run('rollback', []).catch(() => {});
    this.release();
  }

  release(): void {
    this.#transaction?.unlock();
    this.#transaction = undefined;
  }
}

/**
 * SELECTs of Kysely, and raw ones. SQLite has no SELECT that writes; a raw WITH counts as a write if it contains one
 * anywhere.
 */
function onlyReads({ query, sql }: CompiledQuery): boolean {
  if (query.kind !== 'RawNode') return query.kind === 'SelectQueryNode';
  if (/^\s*with\b/i.test(sql)) return !/\b(insert|update|delete|replace)\b/i.test(sql);
  return /^\s*(select|values)\b/i.test(sql);
}

function toResult<R>(result: StatementResult): QueryResult<R> {
  if ('rows' in result) return { rows: result.rows as R[] };
  return { rows: [], insertId: BigInt(result.lastInsertRowid), numAffectedRows: BigInt(result.changes) };
}

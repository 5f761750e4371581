/**
 * An SQLite file in a process that must go on answering: what writes, and every transaction, runs in a thread; single SELECTs run
 * at once on the calling thread, on a connection that cannot write. In WAL mode neither waits for the other, and a SELECT sees
 * all that was committed before it.
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
import { Mutex } from '../lib/mutex.ts';
import { type Access, openSqlite } from './sqlite.ts';
import { type Done, SqliteThread } from './sqlite-thread.ts';
import type { StatementBatch } from './statement-batch.ts';
import type { Tables } from './tables.ts';

export interface SqliteFile {
  readonly db: Kysely<Tables>;
  readonly batch: StatementBatch;
  /** Finishes what was asked for. */
  close(): Promise<void>;
}

/**
 * Opens (and creates) a database file. The thread starts at the first write.
 * @throws what SQLite throws where the file cannot be opened or is no database
 */
export function openSqliteFile(path: string): SqliteFile {
  // Once for writing, so that the file is there and in WAL mode, and what is wrong with it is said now.
  openSqlite(path).close();
  return open(new FileDriver(path, 'write', openSqlite(path, 'read')));
}

/** Opens a database file with all its statements, SELECTs too, on one connection in a thread, which starts at the first of them. */
export function openSqliteInThread(path: string, access: Access): SqliteFile {
  return open(new FileDriver(path, access, undefined));
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
  // A migration that is killed half-way leaves nothing behind, and two processes do not migrate at once.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class FileDriver implements Driver {
  readonly #path: string;
  readonly #access: Access;
  readonly #reader: SqliteDatabase | undefined;
  readonly #turns = new Mutex();
  readonly #connections = new Set<FileConnection>();
  #thread: SqliteThread | undefined;
  #whenIdle = Promise.withResolvers<void>();
  #closed = false;

  constructor(path: string, access: Access, reader: SqliteDatabase | undefined) {
    this.#path = path;
    this.#access = access;
    this.#reader = reader;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<FileConnection> {
    const connection = new FileConnection(this.#reader, this.#turns, () => this.#livingThread());
    this.#connections.add(connection);
    return connection;
  }

  beginTransaction(connection: FileConnection): Promise<void> {
    return connection.begin();
  }

  commitTransaction(connection: FileConnection): Promise<void> {
    return connection.commit();
  }

  rollbackTransaction(connection: FileConnection): Promise<void> {
    return connection.rollback();
  }

  async releaseConnection(connection: FileConnection): Promise<void> {
    connection.release();
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenIdle.resolve();
  }

  async batch(queries: readonly CompiledQuery[]): Promise<unknown[][]> {
    const endTurn = await this.#turns.acquire();
    try {
      return await this.#livingThread().runTogether(queries.map(({ sql, parameters }) => [sql, parameters]));
    } finally {
      endTurn();
    }
  }

  /** Kysely calls it only where a query was made; `close` does the work. */
  async destroy(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#connections.size > 0) {
      this.#whenIdle = Promise.withResolvers<void>();
      await this.#whenIdle.promise;
    }
    // The thread's connection is the last one: the log goes back into the file without holding up this thread.
    this.#reader?.close();
    await this.#thread?.close();
  }

  /** One that ended is replaced: its transaction is lost, the process's work is not. */
  #livingThread(): SqliteThread {
    if (this.#thread === undefined || this.#thread.ended) this.#thread = new SqliteThread(this.#path, this.#access);
    return this.#thread;
  }
}

class FileConnection implements DatabaseConnection {
  readonly #reader: SqliteDatabase | undefined;
  readonly #turns: Mutex;
  readonly #thread: () => SqliteThread;
  /** Its transaction under way, which no other statement may come between. */
  #transaction: { thread: SqliteThread; endTurn: () => void } | undefined;

  constructor(reader: SqliteDatabase | undefined, turns: Mutex, thread: () => SqliteThread) {
    this.#reader = reader;
    this.#turns = turns;
    this.#thread = thread;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query;
    if (this.#transaction !== undefined) return toResult(await this.#transaction.thread.run(sql, parameters));
    if (this.#reader !== undefined && onlyReads(query)) {
      return { rows: this.#reader.prepare(sql).all(parameters) as R[] };
    }
    const endTurn = await this.#turns.acquire();
    try {
      return toResult(await this.#thread().run(sql, parameters));
    } finally {
      endTurn();
    }
  }

  // A row at a time over the threads would be slow, and an unfinished reader lets the log grow without bound.
  // biome-ignore lint/correctness/useYield: it refuses.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error(
      'an SQLite file is not read as a stream: read it page by page, each from the key where the last one ended',
    );
  }

  async begin(): Promise<void> {
    const endTurn = await this.#turns.acquire();
    try {
      const thread = this.#thread();
      await thread.run('begin', []);
      this.#transaction = { thread, endTurn };
    } catch (error) {
      endTurn();
      throw error;
    }
  }

  /** A commit that fails leaves the transaction open for the rollback that follows. */
  async commit(): Promise<void> {
    await this.#transaction?.thread.run('commit', []);
    this.release();
  }

  async rollback(): Promise<void> {
    // It fails only where SQLite has rolled back by itself (a full disk) or the thread has ended: what went wrong before says why.
    await this.#transaction?.thread.run('rollback', []).catch(() => {});
    this.release();
  }

  release(): void {
    this.#transaction?.endTurn();
    this.#transaction = undefined;
  }
}

/** Kysely's SELECTs, and raw ones. SQLite knows no SELECT that writes; a raw WITH does where it names a change anywhere. */
function onlyReads({ query, sql }: CompiledQuery): boolean {
  if (query.kind !== 'RawNode') return query.kind === 'SelectQueryNode';
  if (/^\s*with\b/i.test(sql)) return !/\b(insert|update|delete|replace)\b/i.test(sql);
  return /^\s*(select|values)\b/i.test(sql);
}

function toResult<R>(done: Done): QueryResult<R> {
  if ('rows' in done) return { rows: done.rows as R[] };
  return { rows: [], insertId: BigInt(done.lastInsertRowid), numAffectedRows: BigInt(done.changes) };
}

/**
 * The thread of an SQLite database: one connection, which runs statements in the order of the requests.
 * sqlite-thread.ts starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openSqlite, type SqliteAccess } from './sqlite.ts';

export type SqlStatement = readonly [sql: string, parameters: readonly unknown[]];

/**
 * One statement, or several as one transaction. A number is the time to wait for other programs from now on, in
 * milliseconds, and has no response; `null` closes the connection.
 */
export type WorkerRequest = SqlStatement | { readonly batch: readonly SqlStatement[] } | number | null;

export type WorkerResponse =
  | { rows: unknown[] }
  | { changes: number | bigint; lastInsertRowid: number | bigint }
  | { failed: SerializedError };

/** The fields of an error: a structured clone would keep only the message. */
export interface SerializedError {
  name: string;
  message: string;
  code?: unknown;
  errcode?: unknown;
  errstr?: unknown;
}

const BEGIN: SqlStatement = ['begin', []];
const COMMIT: SqlStatement = ['commit', []];

const { path, access } = workerData as { path: string; access: SqliteAccess };
const port = parentPort;
if (port === null) throw new Error('sqlite-worker must run in a thread');
const database = openSqlite(path, access);

port.on('message', (request: WorkerRequest) => {
  if (request === null) {
    database.close();
    port.close();
  } else if (typeof request === 'number') run(`pragma busy_timeout = ${request}`, []);
  else port.postMessage('batch' in request ? runBatch(request.batch) : run(...request));
});

function runBatch(statements: readonly SqlStatement[]): WorkerResponse {
  const rows: unknown[] = [];
  for (const [sql, parameters] of [BEGIN, ...statements, COMMIT]) {
    const result = run(sql, parameters);
    if ('failed' in result) {
      // Fails, and changes nothing, if the transaction did not begin or SQLite has rolled it back itself.
      run('rollback', []);
      return result;
    }
    rows.push('rows' in result ? result.rows : []);
  }
  return { rows: rows.slice(1, -1) };
}

function run(sql: string, parameters: readonly unknown[]): WorkerResponse {
  try {
    const statement = database.prepare(sql);
    return statement.reader ? { rows: statement.all(parameters) } : statement.run(parameters);
  } catch (error) {
    const { name, message, code, errcode, errstr } = error as SerializedError;
    return { failed: { name, message, code, errcode, errstr } };
  }
}

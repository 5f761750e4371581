/**
 * The thread of an SQLite database: one connection, which runs statements in the order of the requests.
 * sqlite-thread.ts starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RowStatement } from './rows/rows-query.ts';
import { openSqlite, type SqliteAccess } from './sqlite.ts';

export type SqlStatement = readonly [sql: string, parameters: readonly unknown[]];

/** One statement, several as one transaction, or one for each of many rows; `null` closes the connection. */
export type WorkerRequest =
  | SqlStatement
  | { readonly batch: readonly SqlStatement[] }
  | { readonly forEachRow: RowStatement }
  | null;

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
  } else port.postMessage(respond(request));
});

function respond(request: Exclude<WorkerRequest, null>): WorkerResponse {
  if ('batch' in request) return runBatch(request.batch);
  return 'forEachRow' in request ? runForEachRow(request.forEachRow) : run(...request);
}

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

function runForEachRow({ sql, json, each, shared }: RowStatement): WorkerResponse {
  return attempt(() => {
    const statement = database.prepare(sql);
    for (const row of JSON.parse(json) as unknown[][]) {
      const values = [...row, ...shared];
      if (each === null) statement.run(values);
      else {
        for (const value of row[each] as unknown[]) {
          values[each] = value;
          statement.run(values);
        }
      }
    }
    return { rows: [] };
  });
}

function run(sql: string, parameters: readonly unknown[]): WorkerResponse {
  return attempt(() => {
    const statement = database.prepare(sql);
    if (statement.reader) return { rows: statement.all(parameters) };
    return statement.run(parameters);
  });
}

function attempt(body: () => WorkerResponse): WorkerResponse {
  try {
    return body();
  } catch (error) {
    const { name, message, code, errcode, errstr } = error as SerializedError;
    return { failed: { name, message, code, errcode, errstr } };
  }
}

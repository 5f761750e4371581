/**
 * What runs in a database's thread: one connection, which answers statements in the order they come. sqlite-thread.ts starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Access, openSqlite } from './sqlite.ts';

export type Statement = readonly [sql: string, parameters: readonly unknown[]];

/** One statement, or several as one transaction; `null` asks it to close. */
export type Request = Statement | { readonly batch: readonly Statement[] } | null;

export type Answer =
  | { rows: unknown[] }
  | { changes: number | bigint; lastInsertRowid: number | bigint }
  | { failed: Failure };

/** An error's own fields: a structured clone of it would lose all but the message. */
export interface Failure {
  name: string;
  message: string;
  code?: unknown;
  errcode?: unknown;
  errstr?: unknown;
}

const BEGIN: Statement = ['begin', []];
const COMMIT: Statement = ['commit', []];

const { path, access } = workerData as { path: string; access: Access };
const port = parentPort;
if (port === null) throw new Error('sqlite-worker runs in a thread of its own');
const database = openSqlite(path, access);

port.on('message', (request: Request) => {
  if (request === null) {
    database.close();
    port.close();
  } else port.postMessage('batch' in request ? answerBatch(request.batch) : answer(...request));
});

function answerBatch(statements: readonly Statement[]): Answer {
  const rows: unknown[] = [];
  for (const [sql, parameters] of [BEGIN, ...statements, COMMIT]) {
    const done = answer(sql, parameters);
    if ('failed' in done) {
      // Where there is none to undo, because it did not begin or SQLite has undone it by itself, this fails and changes nothing.
      answer('rollback', []);
      return done;
    }
    rows.push('rows' in done ? done.rows : []);
  }
  return { rows: rows.slice(1, -1) };
}

function answer(sql: string, parameters: readonly unknown[]): Answer {
  try {
    const statement = database.prepare(sql);
    if (statement.reader) return { rows: statement.all(parameters) };
    return statement.run(parameters);
  } catch (error) {
    const { name, message, code, errcode, errstr } = error as Failure;
    return { failed: { name, message, code, errcode, errstr } };
  }
}

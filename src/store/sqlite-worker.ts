/**
 * What runs in a database's thread: one connection, which answers statements in the order they come. sqlite-thread.ts starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Access, openSqlite } from './sqlite.ts';

/** `null` asks it to close. */
export type Request = readonly [sql: string, parameters: readonly unknown[]] | null;

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

const { path, access } = workerData as { path: string; access: Access };
const port = parentPort;
if (port === null) throw new Error('sqlite-worker runs in a thread of its own');
const database = openSqlite(path, access);

port.on('message', (request: Request) => {
  if (request === null) {
    database.close();
    port.close();
  } else port.postMessage(answer(...request));
});

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

/**
 * Lets Kysely speak to node:sqlite. Known to the main thread and to the database's threads (sqlite-worker.ts): it imports types alone.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** What a connection is for: `read` cannot write, and changes nothing about the file. */
export type Access = 'write' | 'read';

/** Statements kept compiled. Queries are few; those with lists of many lengths must not fill the memory. */
const KEPT_STATEMENTS = 500;

/** A million rows queued in one transaction leave a log of 90 MB behind, which would stay for good. */
const LOG_BYTES_KEPT = 16 * 1024 * 1024;

/**
 * Opens a database file. For writing it is created where it is missing, in WAL mode with full synchronisation: a recorded result
 * survives a power cut.
 * @param path a file's path, or `:memory:`
 */
export function openSqlite(path: string, access: Access = 'write'): SqliteDatabase {
  const database = new DatabaseSync(path, { timeout: 10_000, enableForeignKeyConstraints: true });
  database.exec('pragma temp_store = memory');
  if (access === 'read') database.exec('pragma query_only = on');
  else {
    database.exec('pragma journal_mode = wal; pragma synchronous = full');
    database.exec(`pragma journal_size_limit = ${LOG_BYTES_KEPT}`);
  }
  const kept = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      // A transaction that reads first and writes later would fail with SQLITE_BUSY beside another process's write,
      // whatever the timeout; taking the write lock at once makes it wait instead.
      const text = sql === 'begin' && access === 'write' ? 'begin immediate' : sql;
      const known = kept.get(text);
      if (known !== undefined) return known;
      if (kept.size >= KEPT_STATEMENTS) kept.clear();
      const statement = adapt(database.prepare(text));
      kept.set(text, statement);
      return statement;
    },
  };
}

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
  };
}

/**
 * Adapts node:sqlite to Kysely. The database's threads (sqlite-worker.ts) load it too, so it imports next to nothing.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { createPrivateFile } from '../../lib/private-files.ts';

/** A `read` connection cannot write, and does not create or change the file. */
export type SqliteAccess = 'write' | 'read';

/** Compiled statements to cache. There are few, except for those with lists of any length. */
const MAX_CACHED_STATEMENTS = 500;

/** Otherwise the log never shrinks: a million rows queued in one transaction leave 90 MB. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;

/**
 * Pages in the log, of 4 KB, from which a commit copies them to the file. By default it is 1,000: an import would copy
 * the same pages of indexes again with every third batch.
 */
const CHECKPOINT_PAGES = 3_000;

/** Milliseconds to wait for another process that writes. A form is answered within ten seconds. */
export const LOCK_TIMEOUT = 6_000;

/**
 * Opens a database file. For writing, it is created if it is missing, in WAL mode with full synchronisation: a recorded
 * result survives a power cut.
 * @param path a file's path, or `:memory:`
 */
export function openSqlite(path: string, access: SqliteAccess = 'write'): SqliteDatabase {
  // SQLite gives the log and the journal the mode of the database file.
  if (access === 'write' && path !== ':memory:') createPrivateFile(path);
  return adaptSqlite(new DatabaseSync(path, { timeout: LOCK_TIMEOUT, enableForeignKeyConstraints: true }), access);
}

/** Sets what `openSqlite` promises of a connection, and caches its compiled statements. */
export function adaptSqlite(database: DatabaseSync, access: SqliteAccess = 'write'): SqliteDatabase {
  database.exec('pragma temp_store = memory');
  if (access === 'read') database.exec('pragma query_only = on');
  else {
    database.exec('pragma journal_mode = wal; pragma synchronous = full');
    // Deleted text is overwritten: addresses must not remain in free pages.
    database.exec('pragma secure_delete = on');
    database.exec(`pragma journal_size_limit = ${MAX_LOG_BYTES}; pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  }
  const cache = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      // A transaction that reads first and writes later would fail with SQLITE_BUSY while another process writes, in
      // spite of the timeout. It waits if it takes the write lock at once.
      const text = sql === 'begin' && access === 'write' ? 'begin immediate' : sql;
      const cached = cache.get(text);
      if (cached !== undefined) return cached;
      if (cache.size >= MAX_CACHED_STATEMENTS) cache.clear();
      const statement = adapt(database.prepare(text));
      cache.set(text, statement);
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

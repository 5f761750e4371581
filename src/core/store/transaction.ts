import { sql } from 'kysely';
import { type Db, dialectOf, isSerializationFailure, type Tx } from './store.ts';

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

/** Waits until no other transaction holds the name, and holds it until this one ends. SQLite has one writer. */
export async function lockName(tx: Tx, name: string): Promise<void> {
  if (dialectOf(tx) === 'sqlite') return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
}

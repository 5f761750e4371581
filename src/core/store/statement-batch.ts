/**
 * Several statements as one transaction. On SQLite, each statement of a transaction is a message to a thread and back,
 * which takes most of the time of a short transaction. A batch is one message.
 */
import type { CompiledQuery, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/**
 * @returns the rows of each statement, in order
 * @throws what the database throws; the transaction is then rolled back
 */
export type StatementBatch = (queries: readonly CompiledQuery[]) => Promise<unknown[][]>;

/** A batch for databases without a thread. */
export function batchInTransaction(db: Kysely<Tables>): StatementBatch {
  return (queries) =>
    db.transaction().execute(async (tx) => {
      const rows: unknown[][] = [];
      for (const query of queries) rows.push((await tx.executeQuery(query)).rows);
      return rows;
    });
}

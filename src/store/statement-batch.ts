/**
 * Several statements as one transaction. Where each step is a message to a thread and back, a short transaction spends most of its
 * time on the way: the whole of it is one message there.
 */
import type { CompiledQuery, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** The rows that each statement returned, in their order. @throws what the database throws, and then nothing has happened */
export type StatementBatch = (queries: readonly CompiledQuery[]) => Promise<unknown[][]>;

/** For a database that takes a transaction step by step. */
export function batchInTransaction(db: Kysely<Tables>): StatementBatch {
  return (queries) =>
    db.transaction().execute(async (tx) => {
      const rows: unknown[][] = [];
      for (const query of queries) rows.push((await tx.executeQuery(query)).rows);
      return rows;
    });
}

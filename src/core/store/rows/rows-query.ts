/** A query about many rows, which an SQLite connection runs row by row; insert-rows.ts makes it. */
import type { CompiledQuery } from 'kysely';

/** A statement to run for each row, with the values of the row and then the shared ones. */
export interface RowStatement {
  sql: string;
  json: string;
  /** The position of an array: the statement runs for each of its values. */
  each: number | null;
  shared: readonly (string | number | null)[];
}

/** A query that a connection may run row by row instead. */
export interface RowsQuery extends CompiledQuery {
  rowStatement: RowStatement;
}

export function isRowsQuery(query: CompiledQuery): query is RowsQuery {
  return 'rowStatement' in query;
}

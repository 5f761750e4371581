/**
 * The column types that the two databases call by different names.
 */
import { type ColumnDefinitionBuilder, type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../store.ts';

export interface ColumnTypes {
  /** Compared by bytes on both databases, whatever the server's locale. */
  text: RawBuilder<unknown>;
  int: 'integer' | 'bigint';
  identity: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
}

export function typesOf(dialect: Dialect): ColumnTypes {
  return dialect === 'sqlite'
    ? { text: sql`text`, int: 'integer', identity: (c) => c.primaryKey().autoIncrement().notNull() }
    : {
        text: sql`text collate "C"`,
        int: 'bigint',
        identity: (c) => c.primaryKey().generatedAlwaysAsIdentity().notNull(),
      };
}

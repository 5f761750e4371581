/**
 * Many rows in one parameter: a statement for a thousand rows is compiled once, and the databases' limits on parameters
 * do not apply. (Measured: an import of a million rows takes a quarter of the time and memory of `values` lists.)
 */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from './store.ts';

/**
 * The rows as a derived table, in parentheses, for use after `from`.
 * @param columns the name and type of each position of a row; names come from code, never from input
 */
export function jsonRows(
  dialect: Dialect,
  rows: readonly (readonly (string | number | null)[])[],
  columns: Record<string, 'text' | 'int'>,
): RawBuilder<unknown> {
  const names = Object.entries(columns);
  const json = JSON.stringify(rows);
  if (dialect === 'sqlite') {
    const selected = names.map(([name], index) => `json_extract(value, '$[${index}]') as ${name}`).join(', ');
    return sql`(select ${sql.raw(selected)} from json_each(${json}))`;
  }
  const selected = names
    .map(([name, type], index) => `(value->>${index})::${type === 'int' ? 'bigint' : 'text'} as ${name}`)
    .join(', ');
  return sql`(select ${sql.raw(selected)} from json_array_elements(${json}::json))`;
}

/** Ids as a derived table with the column `id`; see `jsonRows`. */
export function jsonIds(dialect: Dialect, ids: readonly string[]): RawBuilder<unknown> {
  const rows = ids.map((id) => [id]);
  return jsonRows(dialect, rows, { id: 'text' });
}

/**
 * Many new rows in one request. They come as JSON text, so that the thread that makes them passes on one string, and
 * the main thread copies no values. (Measured on SQLite: a statement that is run for each row takes two thirds of the
 * time of one that reads all rows of a JSON text, and a list of `values` more than either.)
 */
import { type CompiledQuery, sql } from 'kysely';
import { dialectOf, type Tx } from '../store.ts';
import type { Tables } from '../tables.ts';
import type { RowsQuery } from './rows-query.ts';

/** `each`: an array of texts, each of which makes a row with the other values; at most one column of a table. */
type ColumnType = 'text' | 'int' | 'bytes' | 'each';

export interface NewRows {
  table: keyof Tables;
  /** The columns of the rows, in order, with their types. Names come from code, never from input. */
  columns: Readonly<Record<string, ColumnType>>;
  /** Columns with the same value in all rows. */
  shared?: Readonly<Record<string, string | number | null>>;
  /** A JSON array of arrays of strings, numbers and nulls; bytes are strings of hexadecimal digits. */
  json: string;
  /** Leaves out rows that are there already. Default: they are an error. */
  ignoresKnown?: boolean;
}

/** Inserts rows. */
export async function insertRows(tx: Tx, rows: NewRows): Promise<void> {
  await tx.executeQuery(dialectOf(tx) === 'sqlite' ? sqliteQuery(tx, rows) : postgresQuery(tx, rows));
}

function sqliteQuery(tx: Tx, { table, columns, shared = {}, json, ignoresKnown = false }: NewRows): RowsQuery {
  const [types, values] = [Object.values(columns), Object.values(shared)];
  const each = types.indexOf('each');
  const into = intoColumns(table, columns, shared);
  const end = ignoresKnown ? ' on conflict do nothing' : '';
  const toColumn = (type: ColumnType, value: string): string => (type === 'bytes' ? `unhex(${value})` : value);
  const selected = types.map((type, index) => {
    return sql.raw(type === 'each' ? 'one.value' : toColumn(type, `json_extract(added.value, '$[${index}]')`));
  });
  const from = each === -1 ? '' : `, json_each(added.value, '$[${each}]') as one`;
  const whole = sql`${sql.raw(into)} select ${sql.join([...selected, ...values])}
    from json_each(${json}) as added${sql.raw(from)} where true${sql.raw(end)}`;
  const places = [...types.map((type) => toColumn(type, '?')), ...values.map(() => '?')].join(', ');
  return {
    ...whole.compile(tx),
    rowStatement: { sql: `${into} values (${places})${end}`, json, each: each === -1 ? null : each, shared: values },
  };
}

function postgresQuery(tx: Tx, { table, columns, shared = {}, json, ignoresKnown = false }: NewRows): CompiledQuery {
  const types = Object.values(columns);
  const each = types.indexOf('each');
  const selected = types.map((type, index) => {
    if (type === 'each') return sql.raw('one');
    if (type === 'bytes') return sql.raw(`decode(added->>${index}, 'hex')`);
    return sql.raw(`(added->>${index})::${type === 'int' ? 'bigint' : 'text'}`);
  });
  const from = each === -1 ? '' : `, jsonb_array_elements_text(added->${each}) as one`;
  return sql`${sql.raw(intoColumns(table, columns, shared))}
    select ${sql.join([...selected, ...Object.values(shared)])}
    from jsonb_array_elements(${json}::jsonb) as added${sql.raw(from)}
    ${sql.raw(ignoresKnown ? 'on conflict do nothing' : '')}`.compile(tx);
}

function intoColumns(table: string, columns: object, shared: object): string {
  return `insert into ${table} (${[...Object.keys(columns), ...Object.keys(shared)].join(', ')})`;
}

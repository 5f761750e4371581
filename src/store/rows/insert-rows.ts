/**
 * Many new rows in one request. They come as JSON text, so that the thread that makes them passes on one string, and
 * the main thread copies no values. (Measured on SQLite: a statement that is run for each row takes two thirds of the
 * time of one that reads all rows of a JSON text, and a list of `values` more than either.)
 */
import { type CompiledQuery, sql } from 'kysely';
import { dialectOf, type Tx } from '../store.ts';
import type { Tables } from '../tables.ts';
import type { RowsQuery } from './rows-query.ts';

type ColumnType = 'text' | 'int' | 'bytes';

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

function sqliteQuery(tx: Tx, rows: NewRows): RowsQuery {
  const { table, columns, shared = {}, json, ignoresKnown = false } = rows;
  const [names, values] = [Object.keys(columns), Object.values(shared)];
  const into = `insert into ${table} (${[...names, ...Object.keys(shared)].join(', ')})`;
  const end = ignoresKnown ? ' on conflict do nothing' : '';
  const toColumn = (type: ColumnType, value: string): string => (type === 'bytes' ? `unhex(${value})` : value);
  const types = Object.values(columns);
  const selected = [
    ...types.map((type, index) => sql.raw(toColumn(type, `json_extract(value, '$[${index}]')`))),
    ...values,
  ];
  const whole = sql`${sql.raw(into)} select ${sql.join(selected)} from json_each(${json}) where true${sql.raw(end)}`;
  const places = [...types.map((type) => toColumn(type, '?')), ...values.map(() => '?')].join(', ');
  return {
    ...whole.compile(tx),
    rowStatement: { sql: `${into} values (${places})${end}`, json, shared: values },
  };
}

function postgresQuery(tx: Tx, rows: NewRows): CompiledQuery {
  const { table, columns, shared = {}, json, ignoresKnown = false } = rows;
  const names = Object.entries(columns);
  const into = `insert into ${table} (${[...Object.keys(columns), ...Object.keys(shared)].join(', ')})`;
  const selected = names.map(([, type], index) => {
    if (type === 'bytes') return sql.raw(`decode(value->>${index}, 'hex')`);
    return sql.raw(`(value->>${index})::${type === 'int' ? 'bigint' : 'text'}`);
  });
  const all = sql.join([...selected, ...Object.values(shared)]);
  const end = sql.raw(ignoresKnown ? ' on conflict do nothing' : '');
  return sql`${sql.raw(into)} select ${all} from jsonb_array_elements(${json}::jsonb)${end}`.compile(tx);
}

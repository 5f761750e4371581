/**
 * Checksums of tables, equal on SQLite and PostgreSQL for equal rows. They do not depend on the order of the rows:
 * the databases sort text differently.
 */
import { sql } from 'kysely';
import { sha256 } from '../../../lib/sha256.ts';
import { DELIVERY_HELD } from '../meta.ts';
import type { Tx } from '../store.ts';
import { readLastNumber, readRows, type TableShape } from './copy-tables.ts';

export interface TableContent {
  readonly rows: number;
  /** 64 hexadecimal digits, without the mark of a held queue, which a restore sets where the backup has none. */
  readonly checksum: string;
}

export interface TableComparison {
  readonly table: string;
  readonly rows: number;
  /** What differs, for an operator; null where nothing does. */
  readonly difference: string | null;
}

/** A row is added as a number of so many bits: additions commute, and equal rows do not cancel each other. */
const MODULUS = 1n << 256n;

/**
 * Reads all rows of a table, with their columns in the order of `shape`. Numbers, texts and nulls all differ.
 * @param onRows gets the number of rows of each batch, and may throw to stop
 */
export async function readContent(
  db: Tx,
  shape: TableShape,
  onRows: (count: number) => void = () => {},
): Promise<TableContent> {
  let [rows, sum] = [0, 0n];
  for await (const batch of readRows(db, shape)) {
    for (const json of batch) {
      const row = JSON.parse(json) as Record<string, unknown>;
      rows++;
      if (shape.name === 'meta' && row.key === DELIVERY_HELD) continue;
      const values = JSON.stringify(shape.columns.map((column) => row[column]));
      sum = (sum + BigInt(`0x${sha256(values)}`)) % MODULUS;
    }
    onRows(batch.length);
  }
  return { rows, checksum: sum.toString(16).padStart(64, '0') };
}

/** Compares a table of a backup with the same one of a restored store. */
export async function compareTable(
  backup: Tx,
  restored: Tx,
  shape: TableShape,
  onRows?: (count: number) => void,
): Promise<TableComparison> {
  const [original, copy] = [await readContent(backup, shape, onRows), await readContent(restored, shape, onRows)];
  const { rows } = original;
  const result = (difference: string | null): TableComparison => ({ table: shape.name, rows, difference });
  if (copy.checksum !== original.checksum) {
    return result(copy.rows === rows ? 'rows differ where they were restored' : `${copy.rows} rows were restored`);
  }
  if (shape.identity !== undefined) {
    const last = await readLastNumber(backup, shape.name, shape.identity);
    const restoredLast = await readLastNumber(restored, shape.name, shape.identity);
    // A restore skips numbers that were given since the backup.
    if (restoredLast < last) return result(`its last number is ${last}, and ${restoredLast} where it was restored`);
  }
  return result(null);
}

/** References to rows that do not exist. PostgreSQL never has any, a damaged SQLite file may. */
export async function findBrokenReferences(sqlite: Tx): Promise<string[]> {
  const { rows } = await sql<{ table: string; parent: string; n: number }>`
    select "table", parent, count(*) as n from pragma_foreign_key_check() group by "table", parent`.execute(sqlite);
  return rows.map(({ table, parent, n }) => `${table} has ${n} rows that refer to missing rows of ${parent}`);
}

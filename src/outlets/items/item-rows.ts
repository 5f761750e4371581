/** The stored rows of outlet items. */

import type { Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import type { OutletItemRow, RecordingPlan } from './plan-recording.ts';

const ROWS_PER_STATEMENT = 500;

export async function findItems(tx: Tx, ids: readonly number[]): Promise<Map<number, OutletItemRow>> {
  const found = new Map<number, OutletItemRow>();
  for (const some of chunks(ids, ROWS_PER_STATEMENT)) {
    const rows = await tx.selectFrom('outlet_items').selectAll().where('id', 'in', some).execute();
    for (const row of rows) found.set(row.id, row);
  }
  return found;
}

/** @returns the ids of the new items, by index of the entry */
export async function insertItems(tx: Tx, inserts: RecordingPlan['inserts']): Promise<Map<number, number>> {
  const ids = new Map<number, number>();
  for (const some of chunks(inserts, ROWS_PER_STATEMENT)) {
    const rows = await tx
      .insertInto('outlet_items')
      .values(some.map(({ row }) => row))
      .returning('id')
      .execute();
    // Ids grow in the order of the values; the order of returned rows is not defined.
    const ascending = rows.map(({ id }) => id).sort((one, other) => one - other);
    for (const [place, { entry }] of some.entries()) ids.set(entry, ascending[place] as number);
  }
  return ids;
}

/** Gives the items of a source the name that the configuration now has for its outlet. */
import { sql } from 'kysely';
import type { Tx } from '../../core/store/store.ts';
import { lockName } from '../../core/store/transaction.ts';
import { type KeyScope, moveKeysToOutlet } from './item-keys.ts';

/**
 * Takes the lock of the outlet, and renames the items of the source that have another name. Their links and titles are
 * compared within the outlet: under the old name they would come again, as reports of a second outlet. Usually it
 * writes nothing.
 */
export async function adoptOutletName(tx: Tx, scope: KeyScope): Promise<void> {
  const { source, outlet } = scope;
  // Two sources of one outlet may have an item in common.
  await lockName(tx, `outlet ${outlet}`);
  const { rows } = await sql`select 1 from outlet_items
    where source = ${source} and outlet <> ${outlet} limit 1`.execute(tx);
  if (rows.length === 0) return;
  await moveKeysToOutlet(tx, scope);
  await tx
    .updateTable('outlet_items')
    .set({ outlet })
    .where('source', '=', source)
    .where('outlet', '<>', outlet)
    .execute();
}

/** Where the keys of outlet items are compared; see sources/identity/. */
import { sql } from 'kysely';
import { lockName, type Tx } from '../../core/store/store.ts';
import { isKeyOfSource } from '../../sources/identity/entry-keys.ts';
import type { KeyTable } from '../../sources/identity/item-keys.ts';

/** Where keys are compared. */
export interface KeyScope {
  source: string;
  outlet: string;
}

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

/**
 * Moves the keys of the source's items that are compared within their outlet to another outlet. One that identifies an
 * item there already is deleted.
 */
async function moveKeysToOutlet(tx: Tx, { source, outlet }: KeyScope): Promise<void> {
  const scope = outletScope(outlet);
  const ofOtherNames = sql`scope like 'outlet %' and scope <> ${scope}
    and item in (select id from outlet_items where source = ${source})`;
  await sql`insert into outlet_item_keys (scope, key, item, stored_at)
    select ${scope}, key, max(item), max(stored_at) from outlet_item_keys where ${ofOtherNames} group by key
    on conflict (scope, key) do nothing`.execute(tx);
  await sql`delete from outlet_item_keys where ${ofOtherNames}`.execute(tx);
}

/** The names of sources and outlets may be the same. */
export function outletKeyTable({ source, outlet }: KeyScope): KeyTable<number> {
  const scopeOf = (key: string): string => (isKeyOfSource(key) ? `source ${source}` : outletScope(outlet));
  return { name: 'outlet_item_keys', type: 'int', scopeOf };
}

function outletScope(outlet: string): string {
  return `outlet ${outlet}`;
}

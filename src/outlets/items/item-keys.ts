/** The stored keys of outlet items; see identity/entry-keys.ts. */
import { sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, lockName, type Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { isKeyOfSource } from '../identity/entry-keys.ts';

/** Keys are about 40 bytes: a statement has some 100 KB. */
const KEYS_PER_STATEMENT = 1_000;

/** Where keys are compared. */
export interface KeyScope {
  source: string;
  outlet: string;
}

/** The items of the keys that are stored; null for keys that identify none. */
export async function findKeys(db: Db, scope: KeyScope, keys: readonly string[]): Promise<Map<string, number | null>> {
  const found = new Map<string, number | null>();
  for (const some of chunks(keys, KEYS_PER_STATEMENT)) {
    const rows = some.map((key) => [scopeOf(key, scope), key]);
    const wanted = jsonRows(dialectOf(db), rows, { scope: 'text', key: 'text' });
    const stored = await sql<{ key: string; item: number | null }>`
      select outlet_item_keys.key, outlet_item_keys.item from ${wanted} as wanted
      join outlet_item_keys on outlet_item_keys.scope = wanted.scope and outlet_item_keys.key = wanted.key`.execute(db);
    for (const { key, item } of stored.rows) found.set(key, item);
  }
  return found;
}

/** Stores keys, or replaces their items. */
export async function saveKeys(
  tx: Tx,
  scope: KeyScope,
  keys: readonly { key: string; item: number | null }[],
  now: number,
): Promise<void> {
  // PostgreSQL keeps the plan by which it looks for the items of the first keys, when it takes their table for empty:
  // with thousands of new ones, each look-up then reads them all.
  if (dialectOf(tx) === 'postgres') await sql`set local plan_cache_mode = force_custom_plan`.execute(tx);
  for (const some of chunks(keys, KEYS_PER_STATEMENT)) {
    const rows = some.map(({ key, item }) => [scopeOf(key, scope), key, item, now]);
    const saved = jsonRows(dialectOf(tx), rows, { scope: 'text', key: 'text', item: 'int', stored_at: 'int' });
    // SQLite reads "on" after "from" as a join condition, unless there is a "where".
    await sql`insert into outlet_item_keys (scope, key, item, stored_at)
      select scope, key, item, stored_at from ${saved} as saved where true
      on conflict (scope, key) do update set item = excluded.item, stored_at = excluded.stored_at`.execute(tx);
  }
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
function scopeOf(key: string, { source, outlet }: KeyScope): string {
  return isKeyOfSource(key) ? `source ${source}` : outletScope(outlet);
}

function outletScope(outlet: string): string {
  return `outlet ${outlet}`;
}

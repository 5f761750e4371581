/** The stored keys of items; see entry-keys.ts. */
import { sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';

type KeyTableName = 'outlet_item_keys' | 'source_item_keys';

/** Where the keys of items with such ids are stored. */
export interface KeyTable<Id extends number | string> {
  name: KeyTableName;
  type: Id extends number ? 'int' : 'text';
  /** Where a key is compared: keys of other scopes are other keys. */
  scopeOf(key: string): string;
}

/** Keys are about 40 bytes: a statement has some 100 KB. */
const KEYS_PER_STATEMENT = 1_000;

/** The items of the keys that are stored; null for keys that identify none. */
export async function findKeys<Id extends number | string>(
  db: Db,
  { name, scopeOf }: KeyTable<Id>,
  keys: readonly string[],
): Promise<Map<string, Id | null>> {
  const found = new Map<string, Id | null>();
  for (const some of chunks(keys, KEYS_PER_STATEMENT)) {
    const rows = some.map((key) => [scopeOf(key), key]);
    const wanted = jsonRows(dialectOf(db), rows, { scope: 'text', key: 'text' });
    const stored = await sql<{ key: string; item: Id | null }>`select stored.key, stored.item from ${wanted} as wanted
      join ${sql.table(name)} as stored on stored.scope = wanted.scope and stored.key = wanted.key`.execute(db);
    for (const { key, item } of stored.rows) found.set(key, item);
  }
  return found;
}

/** The items of keys, each once. */
export function itemsOfKeys<Id>(keys: ReadonlyMap<string, Id | null>): Id[] {
  return [...new Set(keys.values())].filter((item) => item !== null);
}

/** Stores keys, or replaces their items. */
export async function saveKeys<Id extends number | string>(
  tx: Tx,
  { name, type, scopeOf }: KeyTable<Id>,
  keys: readonly { key: string; item: Id | null }[],
  now: number,
): Promise<void> {
  // PostgreSQL keeps the plan by which it looks for the items of the first keys, when it takes their table for empty:
  // with thousands of new ones, each look-up then reads them all.
  if (dialectOf(tx) === 'postgres') await sql`set local plan_cache_mode = force_custom_plan`.execute(tx);
  for (const some of chunks(keys, KEYS_PER_STATEMENT)) {
    const rows = some.map(({ key, item }) => [scopeOf(key), key, item, now]);
    const saved = jsonRows(dialectOf(tx), rows, { scope: 'text', key: 'text', item: type, stored_at: 'int' });
    // SQLite reads "on" after "from" as a join condition, unless there is a "where".
    await sql`insert into ${sql.table(name)} (scope, key, item, stored_at)
      select scope, key, item, stored_at from ${saved} as saved where true
      on conflict (scope, key) do update set item = excluded.item, stored_at = excluded.stored_at`.execute(tx);
  }
}

/** Keys of one kind that an item keeps. A feed that renames its items with every poll would fill the store. */
const KEPT_KEYS = 10;
/** Keys of all kinds; items with more are looked at. */
const USUAL_KEYS = 4 * KEPT_KEYS;
/** Letters by which the kinds of keys differ. */
const KIND_LETTERS = 4;
const ITEMS_PER_STATEMENT = 2_000;

/**
 * Deletes the oldest keys of items that have too many, and those of none from before an instant. The newest are those
 * that feeds have.
 */
export async function deleteSurplusKeys(db: Db, table: KeyTableName, before: number): Promise<void> {
  const keys = sql.table(table);
  await sql`delete from ${keys} where item is null and stored_at < ${before}`.execute(db);
  const { rows } = await sql<{ item: number | string }>`select item from ${keys} where item is not null
    group by item having count(*) > ${USUAL_KEYS} order by item`.execute(db);
  for (const some of chunks(rows, ITEMS_PER_STATEMENT)) {
    await sql`delete from ${keys} where (scope, key) in (
      select scope, key from (
        select scope, key, row_number() over (
          partition by item, scope, substr(key, 1, ${KIND_LETTERS}) order by stored_at desc, key
        ) as place
        from ${keys} where item in (${sql.join(some.map(({ item }) => item))})
      ) as ranked where place > ${KEPT_KEYS})`.execute(db);
  }
}

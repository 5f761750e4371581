/** Numbers of outlet items, for operators. */
import { sql } from 'kysely';
import type { Db } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';

export interface OutletItemCounts {
  source: string;
  /** In all states. */
  items: number;
  /** First seen within the last 24 hours, and not held. */
  lastDay: number;
  held: number;
}

/**
 * By source, in order. An item that two sources of one outlet have counts for the one that had it first; sources
 * without any item are missing.
 */
export async function countOutletItems(db: Db, now: number): Promise<OutletItemCounts[]> {
  const { rows } = await sql<OutletItemCounts>`
    select source, count(*) as items, count(case when state = 'held' then 1 end) as held,
      count(case when state <> 'held' and first_seen_at > ${now - DAY} then 1 end) as "lastDay"
    from outlet_items where source is not null group by source order by source`.execute(db);
  return rows;
}

/** The outlets among these of which no item is known: perhaps their feed is another, or empty. */
export async function findOutletsWithoutItems(db: Db, outlets: readonly string[]): Promise<string[]> {
  if (outlets.length === 0) return [];
  const rows = await db
    .selectFrom('outlet_items')
    .select('outlet')
    .distinct()
    .where('outlet', 'in', [...outlets])
    .where('source', 'is not', null)
    .execute();
  const known = new Set(rows.map(({ outlet }) => outlet));
  return outlets.filter((outlet) => !known.has(outlet));
}

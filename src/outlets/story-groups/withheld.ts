/** Roundup sources whose items an editor does not get to see, with the reason. */
import type { Db } from '../../core/store/store.ts';
import { WITHHOLDING_STATES } from '../../sources/polling/poll-state.ts';

export interface WithheldSource {
  source: string;
  state: (typeof WITHHOLDING_STATES)[number];
  /** For people; null if none is known. */
  reason: string | null;
  /** Items that wait for "sources accept". */
  items: number;
}

/** Finds them among the sources with these ids, by id. */
export async function findWithheldSources(db: Db, ids: readonly string[]): Promise<WithheldSource[]> {
  if (ids.length === 0) return [];
  const feeds = await db
    .selectFrom('sources')
    .select(['id as source', 'state', 'reason'])
    .where('id', 'in', ids)
    .where('state', 'in', WITHHOLDING_STATES)
    .orderBy('id')
    .execute();
  const held = await db
    .selectFrom('outlet_items')
    .select(({ fn }) => ['source', fn.countAll<number>().as('items')])
    .where('source', 'in', ids)
    .where('state', '=', 'held')
    .groupBy('source')
    .execute();
  const items = new Map(held.map((row) => [row.source, Number(row.items)]));
  return feeds.map(({ state, ...feed }) => ({
    ...feed,
    state: state as WithheldSource['state'],
    items: items.get(feed.source) ?? 0,
  }));
}

/** Counts the sources with these ids that have never been polled. */
export async function countUnpolledSources(db: Db, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const polled = await db
    .selectFrom('sources')
    .select('id')
    .where('id', 'in', ids)
    .where('polled_at', 'is not', null)
    .execute();
  return ids.length - polled.length;
}

/** Stores the items of outlets. */
import { sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, inTransaction, type Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { DAY } from '../../lib/time.ts';
import { allKeys, readIdentities, unnamedEntries } from '../../sources/identity/identify.ts';
import { findKeys, itemsOfKeys, saveKeys } from '../../sources/identity/item-keys.ts';
import type { SourceClaim } from '../../sources/source-state.ts';
import { countHeldItems } from './held-items.ts';
import { adoptOutletName, outletKeyTable } from './item-keys.ts';
import {
  type OutletItemRow,
  type OutletMemory,
  planRecording,
  type RecordedItems,
  type RecordingPlan,
  startOfDay,
} from './plan-recording.ts';
import { type OutletEntry, readEntries } from './usable-entry.ts';

const ROWS_PER_STATEMENT = 500;

/**
 * Records a document of a claimed roundup source in one transaction. Doing it again changes nothing.
 *
 * A known item keeps when it was first seen, its date, its state and its group. A corrected title or link replaces the
 * stored one, unless an editor has decided about the item's group. A new item is `open`, `old` or `held`; see
 * plan-recording.ts.
 * @param outlet the name of the source's outlet, for its earlier items too
 * @param windowMs how far back news reaches: the longest window of the newsletters
 * @returns what was found, with the entries that cannot be used as sentence parts for people; null if the claim was
 * lost, and nothing is recorded
 */
export async function recordOutletItems(
  db: Db,
  claim: SourceClaim,
  outlet: string,
  entries: readonly OutletEntry[],
  times: { now: number; windowMs: number },
): Promise<(RecordedItems & { problems: string[] }) | null> {
  const { now } = times;
  const { usable, problems } = readEntries(entries, now);
  const document = readIdentities(usable.map(({ identity }) => identity));
  const scope = { source: claim.id, outlet };
  const table = outletKeyTable(scope);
  return inTransaction(db, async (tx) => {
    if (!(await lockClaim(tx, claim))) return null;
    await adoptOutletName(tx, scope);
    const feed = { ...scope, ...(await readFeed(tx, claim.id)) };
    const keys = await findKeys(tx, table, allKeys(document));
    const stored = await findItems(tx, itemsOfKeys(keys));
    if (feed.readAt !== null && unnamedEntries(document, keys).unnamed.length > 0) {
      for (const row of await findItemsSince(tx, claim.id, feed.readAt - LATELY)) stored.set(row.id, row);
    }
    const plan = planRecording(feed, usable, { document, keys, stored }, times);
    const items = new Map([...plan.knownItems, ...(await insertItems(tx, plan.inserts))]);
    const itemOf = (entry: number | null): number | null => (entry === null ? null : (items.get(entry) ?? null));
    const ofItems = plan.keys.map(({ key, entry }) => ({ key, item: itemOf(entry) }));
    await saveKeys(tx, table, ofItems, now);
    await updateItems(tx, plan, now);
    const read = { usual_new: plan.usualNew, items_read_at: now };
    await tx.updateTable('sources').set(read).where('id', '=', claim.id).execute();
    return { ...plan.report, problems };
  });
}

/** Whether the claim holds. Nobody else claims the source until the transaction ends. */
async function lockClaim(tx: Tx, { id, fence }: SourceClaim): Promise<boolean> {
  const lock = dialectOf(tx) === 'postgres' ? sql`for update` : sql``;
  const { rows } = await sql`select id from sources where id = ${id} and fence = ${fence} ${lock}`.execute(tx);
  return rows.length > 0;
}

async function readFeed(tx: Tx, source: string): Promise<Omit<OutletMemory, 'source' | 'outlet'>> {
  const row = await tx
    .selectFrom('sources')
    .select(['items_read_at', 'usual_new', 'item_gap'])
    .where('id', '=', source)
    .executeTakeFirst();
  const held = await countHeldItems(tx, source);
  return { readAt: row?.items_read_at ?? null, usualNew: row?.usual_new ?? null, itemGap: row?.item_gap ?? null, held };
}

async function findItems(tx: Tx, ids: readonly number[]): Promise<Map<number, OutletItemRow>> {
  const found = new Map<number, OutletItemRow>();
  for (const some of chunks(ids, ROWS_PER_STATEMENT)) {
    const rows = await tx.selectFrom('outlet_items').selectAll().where('id', 'in', some).execute();
    for (const row of rows) found.set(row.id, row);
  }
  return found;
}

/** Items that the feed no longer has are compared with new ones for as long. */
const LATELY = 2 * DAY;

/** The newest items that the feed had from an instant on. `seen_at` is written once a day. */
function findItemsSince(tx: Tx, source: string, from: number): Promise<OutletItemRow[]> {
  const items = tx.selectFrom('outlet_items').selectAll().where('source', '=', source);
  return items.where('seen_at', '>=', startOfDay(from)).orderBy('id', 'desc').limit(ROWS_PER_STATEMENT).execute();
}

/** @returns the ids of the new items, by index of the entry */
async function insertItems(tx: Tx, inserts: RecordingPlan['inserts']): Promise<Map<number, number>> {
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

async function updateItems(tx: Tx, { corrections, unlinked, seen }: RecordingPlan, now: number): Promise<void> {
  for (const some of chunks(corrections, ROWS_PER_STATEMENT)) {
    const rows = some.map((c) => [c.id, c.title, c.summary, c.url, c.canonical_url, c.image_url]);
    const texts = { title: 'text', summary: 'text', url: 'text', canonical: 'text', image: 'text' } as const;
    await sql`update outlet_items
      set title = c.title, summary = c.summary, url = c.url, canonical_url = c.canonical, image_url = c.image
      from ${jsonRows(dialectOf(tx), rows, { id: 'int', ...texts })} as c
      where outlet_items.id = c.id
        and not exists (select 1 from story_groups where story_groups.id = outlet_items.group_id)`.execute(tx);
  }
  for (const some of chunks(unlinked, ROWS_PER_STATEMENT)) {
    await tx.updateTable('outlet_items').set({ canonical_url: null }).where('id', 'in', some).execute();
  }
  for (const some of chunks(seen, ROWS_PER_STATEMENT)) {
    await tx.updateTable('outlet_items').set({ seen_at: now }).where('id', 'in', some).execute();
  }
}

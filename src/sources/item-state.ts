/** What the store knows of the items of article sources. */
import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../core/store/store.ts';
import type { Tables } from '../core/store/tables.ts';
import { chunks } from '../lib/chunks.ts';

const ROWS_PER_STATEMENT = 500;

export type SourceItemRow = Selectable<Tables['source_items']>;

/** Each item counts as changed until it has been read again, however often the poll is interrupted. */
export async function clearChanges(db: Db, id: string): Promise<void> {
  await db.updateTable('source_items').set({ modified_at: null }).where('source', '=', id).execute();
}

function itemsOf(db: Db, source: string) {
  return db.selectFrom('source_items').selectAll().where('source', '=', source);
}

/** The items of these keys. */
export async function findSourceItems(db: Db, source: string, items: readonly string[]): Promise<SourceItemRow[]> {
  const rows: SourceItemRow[] = [];
  for (const some of chunks([...items], ROWS_PER_STATEMENT)) {
    rows.push(...(await itemsOf(db, source).where('item', 'in', some).execute()));
  }
  return rows;
}

/** Whether a source has an item with this address, as far as complete lists say. */
export async function hasItemAt(db: Db, source: string, url: string): Promise<boolean> {
  const there = itemsOf(db, source).where('url', '=', url).where('missing', '=', 0).where('withdrawal', 'is', null);
  return (await there.limit(1).executeTakeFirst()) !== undefined;
}

export interface SeenItem {
  item: string;
  articleId: string;
  url: string | null;
  publishedAt: number;
  modifiedAt: number | null;
  /** The record of an item that waits for the operator, as JSON. Null: it is imported, or was before. */
  heldRecord: string | null;
}

/** Records items that a source has now. One that was withdrawn is no longer; what was decided about one stays. */
export async function recordSeenItems(
  db: Db | Tx,
  source: string,
  items: readonly SeenItem[],
  now: number,
): Promise<void> {
  const newest = [...new Map(items.map((one) => [one.item, one])).values()];
  for (const some of chunks(newest, ROWS_PER_STATEMENT)) {
    await db
      .insertInto('source_items')
      .values(
        some.map(({ item, articleId, url, publishedAt, modifiedAt, heldRecord }) => ({
          ...{ source, item, article_id: articleId, url, published_at: publishedAt, modified_at: modifiedAt },
          ...{ missing: 0, withdrawal: null, first_seen_at: now, seen_at: now },
          ...{ hold: heldRecord === null ? null : ('held' as const), record: heldRecord },
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['source', 'item']).doUpdateSet((e) => ({
          url: e.ref('excluded.url'),
          published_at: e.ref('excluded.published_at'),
          modified_at: e.ref('excluded.modified_at'),
          // Rows from before items had keys have none.
          first_seen_at: e.fn.coalesce('source_items.first_seen_at', 'excluded.first_seen_at'),
          seen_at: e.ref('excluded.seen_at'),
          missing: 0,
          withdrawal: null,
          record: sql<string>`case source_items.hold when 'held' then excluded.record else source_items.record end`,
        })),
      )
      .execute();
  }
}

/** Items of a source that wait for a decision to import them, or for the import. */
export function listOnHold(db: Db, source: string, hold: 'held' | 'accepted'): Promise<{ item: string }[]> {
  const items = db.selectFrom('source_items').select('item').where('source', '=', source);
  return items.where('hold', '=', hold).orderBy('item').execute();
}

/** The items of a source that were published from `from` on, by item. */
export function listItemsSince(db: Db, source: string, from: number): Promise<SourceItemRow[]> {
  return itemsOf(db, source).where('published_at', '>=', from).orderBy('item').execute();
}

/** The items of a feed that its documents had from an instant on, those of the last one first. */
export function listItemsSeenSince(db: Db, source: string, from: number): Promise<SourceItemRow[]> {
  return itemsOf(db, source).where('seen_at', '>=', from).orderBy('seen_at', 'desc').orderBy('item').execute();
}

/** When a document of the source last had items, at its present address or an earlier one: epoch milliseconds. */
export async function findLastSeen(db: Db, source: string): Promise<number | null> {
  const items = db.selectFrom('source_items').where('source', '=', source);
  return (await items.select((e) => e.fn.max('seen_at').as('last')).executeTakeFirst())?.last ?? null;
}

/** Sets how many sweeps have missed items of a source, or what has become of those that it no longer has. */
export async function markItems(
  db: Db | Tx,
  source: string,
  items: readonly string[],
  change: Partial<Pick<SourceItemRow, 'missing' | 'withdrawal' | 'hold' | 'record'>>,
): Promise<void> {
  for (const some of chunks([...items], ROWS_PER_STATEMENT)) {
    await db.updateTable('source_items').set(change).where('source', '=', source).where('item', 'in', some).execute();
  }
}

/** The items that wait for the operator, by item. */
export function listWaitingWithdrawals(db: Db, source: string): Promise<SourceItemRow[]> {
  return itemsOf(db, source).where('withdrawal', '=', 'waiting').orderBy('item').execute();
}

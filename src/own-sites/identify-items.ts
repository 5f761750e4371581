/** Which items of the newsroom's own feed the entries of its document are. */
import { type Db, inTransaction } from '../core/store/store.ts';
import { sha256 } from '../lib/sha256.ts';
import { DAY } from '../lib/time.ts';
import { keysOf } from '../sources/identity/entry-keys.ts';
import { allKeys, type Identification, identify, readIdentities } from '../sources/identity/identify.ts';
import { findKeys, type KeyTable, saveKeys } from '../sources/identity/item-keys.ts';
import { findSourceItems, listItemsSince } from '../sources/item-state.ts';
import type { SourceRow } from '../sources/source-state.ts';
import type { ItemEntry } from './read-page.ts';

/** An entry as `readPage` returns it. */
export type FeedItemEntry = Pick<ItemEntry, 'key'> & { known: NonNullable<ItemEntry['known']> };

export interface IdentifiedEntries extends Pick<Identification<string>, 'keys'> {
  /** By index of the entry. Null for one that repeats another, or that nothing tells from others. */
  items: (string | null)[];
}

/** All keys of a site are compared within it. */
export function siteKeyTable(source: string): KeyTable<string> {
  return { name: 'source_item_keys', type: 'text', scopeOf: () => source };
}

/** Writes nothing, except for keys of items that were stored without. */
export async function identifyItems(
  db: Db,
  { id: source, items_read_at: readAt }: Pick<SourceRow, 'id' | 'items_read_at'>,
  entries: readonly FeedItemEntry[],
  now: number,
): Promise<IdentifiedEntries> {
  if (readAt === null) await adoptItems(db, source, entries, now);
  const document = readIdentities(
    entries.map(({ known }) => known.identity),
    entries.map(({ known }) => known.keys),
  );
  const known = await findKeys(db, siteKeyTable(source), allKeys(document));
  const named = [...new Set(known.values())].filter((item) => item !== null);
  const rows = await findSourceItems(db, source, named);
  const stored = rows.map(({ item, url, published_at: publishedAt, seen_at: seenAt }) => ({
    ...{ id: item, title: null, url: url ?? '', publishedAt },
    isCurrent: seenAt !== null && readAt !== null && seenAt >= readAt,
  }));
  const { outcomes, keys } = identify(document, known, new Map(stored.map((item) => [item.id, item])));
  const added = entries.filter((_, index) => outcomes[index]?.kind === 'new').map(({ key }) => key);
  const uses = Map.groupBy(added, (key) => key);
  for (const { item } of await findSourceItems(db, source, added)) uses.set(item, []);
  const items = outcomes.map((outcome, index) => {
    if (outcome.kind !== 'new') return outcome.kind === 'known' ? outcome.item : null;
    const entry = entries[index] as FeedItemEntry;
    return uses.get(entry.key)?.length === 1 ? entry.key : otherKey(entry, now);
  });
  return { items, keys };
}

/** The key of an item whose guid another item has, too, or had. */
function otherKey({ known: { identity } }: FeedItemEntry, now: number): string {
  const { guid, link, title, publishedAt } = identity;
  return sha256(JSON.stringify([guid, link, title, publishedAt ?? Math.floor(now / DAY)])).slice(0, 32);
}

/**
 * Stores the keys of items that were stored without any, as far as their rows tell: the hash that an item has is that
 * of its guid, or of the path of its guid.
 */
async function adoptItems(db: Db, source: string, entries: readonly FeedItemEntry[], now: number): Promise<void> {
  const rows = await listItemsSince(db, source, Number.MIN_SAFE_INTEGER);
  const keys = new Map<string, string | null>();
  for (const { item, url } of rows) {
    const { link } = keysOf({ guid: null, link: url ?? '', title: '', publishedAt: null });
    for (const key of [`guid:${item}`, `path:${item}`]) keys.set(key, item);
    if (link !== null) keys.set(link, keys.has(link) ? null : item);
  }
  const known = new Set(rows.map(({ item }) => item));
  for (const { key, known: entry } of entries) {
    if (known.has(key)) keys.set(entry.keys.guid ?? entry.keys.link ?? entry.keys.title, key);
  }
  const stored = [...keys].map(([key, item]) => ({ key, item }));
  await inTransaction(db, (tx) => saveKeys(tx, siteKeyTable(source), stored, now));
}

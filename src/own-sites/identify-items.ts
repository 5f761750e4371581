/** Which items of the newsroom's own feed the entries of its document are. */
import { readStoredArticles } from '../articles/edits/stored-article.ts';
import { type Db, inTransaction } from '../core/store/store.ts';
import { sha256 } from '../lib/sha256.ts';
import { DAY, HOUR } from '../lib/time.ts';
import { textOfHtml } from '../sources/html-text.ts';
import { type ComparedItem, type IdentifiedDocument, keysOf, normaliseTitle } from '../sources/identity/entry-keys.ts';
import { allKeys, type Identification, identify, unnamedEntries } from '../sources/identity/identify.ts';
import { findKeys, itemsOfKeys, type KeyTable, saveKeys } from '../sources/identity/item-keys.ts';
import { MAX_TEXTS } from '../sources/identity/renamed-entries.ts';
import { findSourceItems, listItemsSeenSince, listItemsSince, type SourceItemRow } from '../sources/item-state.ts';
import { LEAST_FLOOD } from '../sources/polling/flood.ts';
import type { SourceRow } from '../sources/source-state.ts';

/** The entries of a feed's document as `readPage` returns them. */
export interface FeedPage {
  /** By entry: the key of its item if that is new. */
  newKeys: readonly string[];
  document: IdentifiedDocument;
  /** The plain texts of the bodies of entries, by index. */
  bodiesOf(entries: readonly number[]): Promise<Map<number, string>>;
  /** When the items were read that its entries are compared with; null: with none. */
  readAt: number | null;
}

/** All keys of a site are compared within it. */
export function siteKeyTable(source: string): KeyTable<string> {
  return { name: 'source_item_keys', type: 'text', scopeOf: () => source };
}

/**
 * Writes nothing, except for keys of items that were stored without.
 * @returns `items`: by index of the entry; null for one that repeats another, or that nothing tells from others
 */
export async function identifyItems(
  db: Db,
  { id: source, items_read_at: before }: Pick<SourceRow, 'id' | 'items_read_at'>,
  page: FeedPage,
  now: number,
): Promise<Pick<Identification<string>, 'keys'> & { items: (string | null)[] }> {
  if (before === null) await adoptItems(db, source, page, now);
  const { newKeys, document, readAt } = page;
  const known = await findKeys(db, siteKeyTable(source), allKeys(document));
  const rows = await findSourceItems(db, source, itemsOfKeys(known));
  await forgetReusedLinks(db, document, known, rows);
  const { unnamed, named: present } = unnamedEntries(document, known);
  const isCompared = readAt !== null && unnamed.length > 0;
  const recent = isCompared ? await listItemsSeenSince(db, source, readAt - LATELY) : [];
  const absent = [...rows, ...recent].filter(({ item }) => !present.has(item)).slice(0, MAX_TEXTS);
  const articles = isCompared ? await readStoredArticles(db, [...new Set(absent.map((row) => row.article_id))]) : null;
  const texts = isCompared && absent.length > 0 ? await page.bodiesOf(unnamed.slice(0, MAX_TEXTS)) : new Map();
  const stored = new Map(
    [...recent, ...rows].map((row): [string, ComparedItem<string>] => {
      const { item: id, url, published_at: publishedAt, seen_at: seenAt, article_id } = row;
      const isCurrent = seenAt !== null && readAt !== null && seenAt >= readAt;
      const { headline: title = null, bodyHtml } = articles?.get(article_id)?.article ?? {};
      const text = bodyHtml === undefined ? undefined : textOfHtml(bodyHtml);
      return [id, { id, title, url: url ?? '', publishedAt, isCurrent, text }];
    }),
  );
  const { outcomes, keys } = identify(document, known, stored, texts);
  const added = newKeys.filter((_, index) => outcomes[index]?.kind === 'new');
  const uses = Map.groupBy(added, (key) => key);
  for (const { item } of await findSourceItems(db, source, added)) uses.set(item, []);
  const items = outcomes.map((outcome, index) => {
    if (outcome.kind !== 'new') return outcome.kind === 'known' ? outcome.item : null;
    const key = newKeys[index] as string;
    if (uses.get(key)?.length === 1) return key;
    // Another item has this guid, or had it. Without a date, the same may come again on another day.
    return sha256(JSON.stringify([document.entries[index]?.identity, Math.floor(now / DAY)])).slice(0, 32);
  });
  return { items, keys };
}

/** Items that the feed no longer has are compared with new ones for as long. */
const LATELY = 2 * DAY;

/** No zone moves a date as far. */
const SAME_DATE = 18 * HOUR;

/**
 * Forgets links at which an entry is the next report, as at `/briefing`, which would overwrite the one before: its guid
 * and title are others, and its date is later. More than a few at once are rather the same ones, renamed.
 */
async function forgetReusedLinks(
  db: Db,
  { entries }: IdentifiedDocument,
  known: Map<string, string | null>,
  rows: SourceItemRow[],
): Promise<void> {
  const byItem = new Map(rows.map((row) => [row.item, row]));
  const later = entries.flatMap(({ identity: { title, publishedAt }, keys: { guid, path, link } }) => {
    const row = byItem.get(known.get(link ?? '') ?? '');
    const isNamed = link === null || guid === null || known.has(guid) || known.has(path ?? guid);
    if (isNamed || row === undefined || (publishedAt ?? 0) <= row.published_at + SAME_DATE) return [];
    return { link, title: normaliseTitle(title), id: row.article_id };
  });
  const ids = later.length > LEAST_FLOOD ? [] : later.map(({ id }) => id);
  const articles = await readStoredArticles(db, ids);
  for (const { link, title, id } of later) {
    const article = articles.get(id)?.article;
    if (article && !article.isDateInvented && normaliseTitle(article.headline) !== title) known.set(link, null);
  }
}

/**
 * Stores the keys of items that were stored without any, as far as their rows tell: the hash that an item has is that
 * of its guid, or of the path of its guid.
 */
async function adoptItems(db: Db, source: string, { newKeys, document }: FeedPage, now: number): Promise<void> {
  const rows = await listItemsSince(db, source, Number.MIN_SAFE_INTEGER);
  const keys = new Map<string, string | null>();
  for (const { item, url } of rows) {
    const { link } = keysOf({ guid: null, link: url ?? '', title: '', publishedAt: null });
    for (const key of [`guid:${item}`, `path:${item}`]) keys.set(key, item);
    if (link !== null) keys.set(link, keys.has(link) ? null : item);
  }
  const known = new Set(rows.map(({ item }) => item));
  for (const [index, { keys: own }] of document.entries.entries()) {
    const item = newKeys[index] as string;
    if (known.has(item)) keys.set(own.guid ?? own.link ?? own.title, item);
  }
  const stored = [...keys].map(([key, item]) => ({ key, item }));
  await inTransaction(db, (tx) => saveKeys(tx, siteKeyTable(source), stored, now));
}

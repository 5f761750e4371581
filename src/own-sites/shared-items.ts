/** Items that several own sources of one site have: each is one article, that of the source that brought it first. */
import { sql } from 'kysely';
import type { ArticleSource, Config } from '../core/config/config.ts';
import { articleSources } from '../core/config/sources.ts';
import { type Db, inTransaction, type Tx } from '../core/store/store.ts';
import { findKeys, type KeyTable, saveKeys } from '../sources/identity/item-keys.ts';
import { siteKeysOf, siteOf } from '../sources/identity/site-keys.ts';
import type { SourceItemRow } from '../sources/item-state.ts';
import { articleId } from './article-record.ts';

/** The other own sources of a source's site. */
export function siblingsOf(config: Pick<Config, 'sources'>, { id, url }: Pick<ArticleSource, 'id' | 'url'>): string[] {
  const site = siteOf(url);
  const same = articleSources(config).filter((one) => one.id !== id && siteOf(one.url) === site);
  return same.map((one) => one.id);
}

/** Keys of articles, by which the sources of a site are compared. */
function sharedKeyTable(site: string): KeyTable<string> {
  return { name: 'source_item_keys', type: 'text', scopeOf: () => `site ${site}` };
}

export interface SharedEntry {
  guid: string | null;
  url: string | null;
  /** Null for one that is no item. */
  item: string | null;
}

/**
 * The articles of entries: of a known item its own, of a new one that of another source of the site that has it by
 * guid or link, else a new one. Writes the keys by which the other sources find them.
 * @param known rows of the items that are stored, by item
 * @param ambiguous keys that several entries have
 * @returns by index of the entry
 */
export async function findSharedArticles(
  db: Db,
  { config, source }: { config: Pick<Config, 'sources'>; source: Pick<ArticleSource, 'id' | 'url'> },
  entries: readonly SharedEntry[],
  { known, ambiguous, now }: { known: ReadonlyMap<string, SourceItemRow>; ambiguous: ReadonlySet<string>; now: number },
): Promise<(string | null)[]> {
  const { id } = source;
  const own = entries.map(({ item }) => (item === null ? null : (known.get(item)?.article_id ?? articleId(id, item))));
  const siblings = siblingsOf(config, source);
  if (siblings.length === 0) return own;
  const table = sharedKeyTable(siteOf(source.url));
  await adoptSite(db, table, [id, ...siblings], now);
  const keys = entries.map(({ guid, url }) =>
    siteKeysOf({ guid, link: url ?? '' }).filter((key) => !ambiguous.has(key)),
  );
  const found = await findKeys(db, table, [...new Set(keys.flat())]);
  const taken = new Set(own);
  const articles = entries.map(({ item }, index) => {
    if (item === null || known.has(item)) return own[index] ?? null;
    const ofOther = keys[index]?.map((key) => found.get(key) ?? null).find((article) => article !== null);
    const isOther = ofOther !== undefined && siblings.some((one) => ofOther.startsWith(`${one}.`));
    if (!isOther || taken.has(ofOther)) return own[index] ?? null;
    taken.add(ofOther);
    return ofOther;
  });
  const added = articles.flatMap((article, index) =>
    article === null ? [] : (keys[index] ?? []).filter((key) => !found.has(key)).map((key) => ({ key, item: article })),
  );
  if (added.length > 0) await inTransaction(db, (tx) => saveKeys(tx, table, added, now));
  return articles;
}

/** Stores the links of the items that the sources of a site have, where it has a second source since now. */
async function adoptSite(db: Db, table: KeyTable<string>, sources: string[], now: number): Promise<void> {
  const scope = table.scopeOf('');
  const has = await db.selectFrom('source_item_keys').select('key').where('scope', '=', scope).limit(1).execute();
  if (has.length > 0) return;
  const items = db.selectFrom('source_items').select(['url', 'article_id']).where('source', 'in', sources);
  const keys = new Map<string, string>();
  for (const { url, article_id } of await items.orderBy('first_seen_at').orderBy('article_id').execute()) {
    for (const key of siteKeysOf({ guid: null, link: url ?? '' })) if (!keys.has(key)) keys.set(key, article_id);
  }
  await inTransaction(db, (tx) =>
    saveKeys(
      tx,
      table,
      [...keys].map(([key, item]) => ({ key, item })),
      now,
    ),
  );
}

/** Those of `rows` that no other source of the site has: a feed has what its last document had. */
export async function withoutShared(tx: Tx | Db, siblings: string[], rows: SourceItemRow[]): Promise<SourceItemRow[]> {
  if (siblings.length === 0 || rows.length === 0) return rows;
  const ids = rows.map((row) => row.article_id);
  const { rows: shared } = await sql<{ article_id: string }>`select article_id from source_items
    join sources on sources.id = source_items.source
    where source in (${sql.join(siblings)}) and article_id in (${sql.join(ids)}) and missing = 0 and withdrawal is null
      and (sources.api <> 'feed' or seen_at >= sources.items_read_at)`.execute(tx);
  const there = new Set(shared.map((row) => row.article_id));
  return rows.filter((row) => !there.has(row.article_id));
}

/** Items that several own sources of one site have: each is one article, that of the source that brought it first. */
import { getDomain } from 'tldts';
import type { ArticleSource, Config } from '../core/config/config.ts';
import { articleSources } from '../core/config/sources.ts';
import type { Db } from '../core/store/store.ts';
import { keysOf } from '../sources/identity/entry-keys.ts';
import { findKeys, itemsOfKeys } from '../sources/identity/item-keys.ts';
import { findSourceItems, type SourceItemRow } from '../sources/item-state.ts';
import { siteKeyTable } from './identify-items.ts';
import type { ItemEntry } from './read-page.ts';

/**
 * The site of an address: the registrable host by the public suffix list with its private part, so that two names of
 * `github.io` are two sites; of an IP address or a local name, the host with its port.
 */
export function siteOf(address: string): string {
  const { hostname, host } = new URL(address);
  return getDomain(hostname, { allowPrivateDomains: true }) ?? host;
}

/** The other own sources of a source's site. */
export function siblingsOf(config: Pick<Config, 'sources'>, { id, url }: Pick<ArticleSource, 'id' | 'url'>): string[] {
  const others = articleSources(config).filter((one) => one.id !== id && siteOf(one.url) === siteOf(url));
  return others.map((one) => one.id);
}

/** A URI with a host, a tag: URI, or a UUID. Others, such as `123`, count only within their source. */
const UNIQUE_GUID =
  /^(?:[a-z][a-z0-9+.-]*:\/\/[^/]|tag:[^,:]+,|(?:urn:uuid:|\{)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$)/i;

/** What identifies an item across the sources of a site. Never the title: a site has a headline twice. */
export function siteKeysOf({ known, url }: Pick<ItemEntry, 'known' | 'url'>): string[] {
  const { link, guid } = known?.keys ?? keysOf({ guid: null, link: url ?? '', title: '', publishedAt: null });
  const isUnique = UNIQUE_GUID.test(known?.identity.guid ?? '');
  return [link, isUnique ? guid : null].filter((key) => key !== null);
}

/**
 * Finds the articles of new items that other sources of the site have.
 * @param added the site keys of new items
 * @param known rows of the items of the same document that are not new
 * @returns ids of articles by item
 */
export async function findSharedArticles(
  db: Db,
  siblings: readonly string[],
  added: ReadonlyMap<string, string[]>,
  known: readonly SourceItemRow[],
): Promise<Map<string, string>> {
  const articles = new Map<string, string>();
  const taken = new Set(known.map((row) => row.article_id));
  for (const sibling of siblings) {
    const found = await findKeys(db, siteKeyTable(sibling), [...new Set([...added.values()].flat())]);
    const rows = await findSourceItems(db, sibling, itemsOfKeys(found));
    const byItem = new Map(rows.map((row) => [row.item, row.article_id]));
    for (const [item, keys] of added) {
      const [article] = keys.flatMap((key) => byItem.get(found.get(key) ?? '') ?? []);
      if (article === undefined || articles.has(item) || taken.has(article)) continue;
      articles.set(item, article);
      taken.add(article);
    }
  }
  return articles;
}

/** Those of `rows` that no other source of the site has: a feed has what its last document had. */
export async function withoutShared(db: Db, siblings: string[], rows: SourceItemRow[]): Promise<SourceItemRow[]> {
  if (siblings.length === 0 || rows.length === 0) return rows;
  const ids = rows.map((row) => row.article_id);
  const shared = await db
    .selectFrom('source_items')
    .innerJoin('sources', 'sources.id', 'source_items.source')
    .select('article_id')
    .where('source', 'in', siblings)
    .where('article_id', 'in', ids)
    .where('missing', '=', 0)
    .where('withdrawal', 'is', null)
    .where((e) => e.or([e('sources.api', '<>', 'feed'), e('seen_at', '>=', e.ref('sources.items_read_at'))]))
    .execute();
  const there = new Set(shared.map((row) => row.article_id));
  return rows.filter((row) => !there.has(row.article_id));
}

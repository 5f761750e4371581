/** The outlets that the events of roundup items are credited to. Pure. */
import { escapeHtml } from '../lib/text/html.ts';
import { type Article, MAX_ALSO, type Outlet } from './article.ts';

/** Key of an outlet's name: case and width of letters make no other outlet. */
export function outletKey(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Bytes of names and addresses, as HTML, of all outlets below one item: an email has other items, too. */
const MAX_ALSO_BYTES = 8_000;

/**
 * The outlets that reported an event besides the outlet of the first item: each once, at most 20. An address that is
 * too long is left out, and its outlet stays.
 * @param items roundup items of one event, by time of publication
 */
export function otherOutlets(items: readonly Pick<Article, 'outlet' | 'also'>[]): Outlet[] {
  const credited = new Set(
    items.slice(0, 1).flatMap(({ outlet }) => (outlet === null ? [] : [outletKey(outlet.name)])),
  );
  const outlets: Outlet[] = [];
  let bytes = 0;
  for (const { name, url } of items.flatMap(({ outlet, also }) => (outlet === null ? also : [outlet, ...also]))) {
    if (outlets.length === MAX_ALSO) break;
    const key = outletKey(name);
    if (credited.has(key)) continue;
    credited.add(key);
    bytes += htmlBytes(name);
    const hasRoom = url !== null && bytes + htmlBytes(url) <= MAX_ALSO_BYTES;
    if (hasRoom) bytes += htmlBytes(url);
    outlets.push({ name, url: hasRoom ? url : null });
  }
  return outlets;
}

function htmlBytes(text: string): number {
  return Buffer.byteLength(escapeHtml(text));
}

/** The keys of the outlets that reported the event of a roundup item, without duplicates. */
export function outletKeys({ outlet, also }: Pick<Article, 'outlet' | 'also'>): string[] {
  return [...new Set([...(outlet === null ? [] : [outlet]), ...also].map(({ name }) => outletKey(name)))];
}

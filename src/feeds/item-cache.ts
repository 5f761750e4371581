/**
 * Items of articles as they were rendered last, for the feeds and publishes of one process: an article that has not
 * changed is neither read nor rendered again.
 */
import { LRUCache } from 'lru-cache';
import type { Store } from '../core/store/store.ts';
import { FORMATS } from './formats/feed-view.ts';
import type { ItemConfig } from './formats/item.ts';
import type { RenderedBody, RenderedItem } from './formats/rendered-item.ts';

/** Item of a version of an article's document, or why there is none. */
export type CachedItem = { version: number } & (
  | { kind: 'item'; item: RenderedItem }
  | { kind: 'invalid'; problems: string[] }
);

/** Bytes of memory: an item with a dek of 90 characters takes 3,200. */
const MAX_ITEM_BYTES = 16_000_000;
/** A feed has bodies of at most a megabyte, and feeds mostly have the same. */
const MAX_BODY_BYTES = 8_000_000;

export class ItemCache {
  readonly #items = new LRUCache<string, CachedItem>({ maxSize: MAX_ITEM_BYTES, sizeCalculation: sizeOfItem });
  readonly #bodies = new LRUCache<string, RenderedBody & { version: number }>({
    maxSize: MAX_BODY_BYTES,
    sizeCalculation: ({ cdata, json }) => cdata.length + json.length + OVERHEAD,
  });

  /** @param id of the article @param version of its document */
  item(id: string, version: number): CachedItem | undefined {
    const known = this.#items.get(id);
    return known?.version === version ? known : undefined;
  }

  body(id: string, version: number): RenderedBody | undefined {
    const body = this.#bodies.get(id);
    return body?.version === version ? body : undefined;
  }

  keepItem(id: string, item: CachedItem): void {
    this.#items.set(id, item);
  }

  keepBody(id: string, version: number, body: RenderedBody): void {
    this.#bodies.set(id, { ...body, version });
  }
}

/** Bytes that the objects and numbers of an item take, measured. */
const OVERHEAD = 1_000;

function sizeOfItem(known: CachedItem): number {
  const lengths =
    known.kind === 'invalid'
      ? known.problems.map((problem) => 2 * problem.length)
      : FORMATS.map((format) => known.item.texts[format].bytes.length);
  return lengths.reduce((sum, length) => sum + length, OVERHEAD);
}

/** Caches by store; an item also depends on the configuration. */
const caches = new WeakMap<Store, { config: ItemConfig; cache: ItemCache }>();

/** The cache of a store, empty if it was last used with another configuration. */
export function itemCacheOf(store: Store, config: ItemConfig): ItemCache {
  const known = caches.get(store);
  if (known?.config === config) return known.cache;
  const cache = new ItemCache();
  caches.set(store, { config, cache });
  return cache;
}

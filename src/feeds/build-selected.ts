/**
 * Builds a feed from the store. Only articles that have changed since they were rendered last are read: the cache has
 * the rest.
 */
import { LRUCache } from 'lru-cache';
import { isPublic } from '../articles/article.ts';
import { type ArticleHead, findDocuments } from '../articles/queries.ts';
import { type StoredDocument, toArticle } from '../articles/stored-document.ts';
import type { Config, FeedConfig } from '../core/config/config.ts';
import type { Store } from '../core/store/store.ts';
import { chunks } from '../lib/chunks.ts';
import type { TurnTimer } from '../lib/concurrency/turn-timer.ts';
import { localeOf } from '../lib/locale/locale.ts';
import { type BuiltFeed, documentsOf, fitOptions } from './build-feed.ts';
import type { FeedContent } from './feed-builds.ts';
import { type FeedItem, FORMATS, type Format, feedView, type ItemsView } from './formats/feed-view.ts';
import { chooseEntries, documentWriter, Frames, MAX_BYTES } from './formats/fit.ts';
import { type FailedArticle, type ItemConfig, type ItemResult, toItem, tombstonesOf } from './formats/item.ts';
import { type RenderedBody, type RenderedItem, renderItems } from './formats/rendered-item.ts';
import { selectForFeed } from './select.ts';

export interface BuildContext {
  store: Store;
  config: Config;
  now: number;
  timer: TurnTimer;
}

export interface SelectedFeed extends BuiltFeed<Buffer> {
  content: FeedContent;
}

/** Selects the articles of a feed, and builds its documents. */
export async function buildSelectedFeed(context: BuildContext, feed: FeedConfig): Promise<SelectedFeed> {
  const { store, config, now, timer } = context;
  await timer.rest();
  const { heads, entersFrom, retracted } = await selectForFeed(store.db, feed, now);
  await timer.rest();
  const content: FeedContent = {
    versions: heads.map(({ id, version }) => [id, version]),
    retracted: retracted.map(({ id }) => id),
    entersFrom,
  };
  const view = feedView(feed, config);
  const frames = new Frames(view, tombstonesOf(retracted, view.language));
  const members = new Members(context, view);
  await members.read(heads, feed.content === 'full' ? MAX_BYTES : 0);
  for (;;) {
    const items = members.items();
    const entries = chooseEntries(frames, items, fitOptions(feed));
    await timer.rest();
    const full = entries.flatMap(({ item, full }) => (full ? item : []));
    // Where an article has changed meanwhile, it is another item: perhaps other bodies fit.
    if (await members.readBodies(full)) continue;
    const write = documentWriter(frames, entries, (item) => members.bodyOf(item));
    const bodies = {} as Record<Format, Buffer>;
    for (const format of FORMATS) {
      bodies[format] = write(format);
      await timer.rest();
    }
    const documents = documentsOf(feed, bodies);
    return { feed, content, documents, items: entries.length, failed: members.failed() };
  }
}

/** Articles that are read, parsed and rendered at once. */
const CHUNK = 50;

/** The articles of one feed. */
class Members {
  readonly #context: BuildContext;
  readonly #view: ItemsView;
  readonly #cache: ItemCache;
  /** By id of the article, newest first. */
  readonly #known = new Map<string, CachedItem | null>();
  readonly #ids = new Map<RenderedItem, string>();
  readonly #bodies = new Map<RenderedItem, RenderedBody>();

  constructor(context: BuildContext, view: ItemsView) {
    this.#context = context;
    this.#view = view;
    this.#cache = itemCacheOf(context.store, context.config, view);
  }

  /** @param heads newest first @param bodyBytes of new articles, as many as may be needed */
  async read(heads: ArticleHead[], bodyBytes: number): Promise<void> {
    for (const { id, version } of heads) this.#keep(id, this.#cache.item(id, version) ?? null);
    const unknown = heads.flatMap(({ id }) => (this.#known.get(id) === null ? id : []));
    await this.#render(unknown, bodyBytes);
  }

  items(): RenderedItem[] {
    return [...this.#known.values()].flatMap((known) => (known?.kind === 'item' ? known.item : []));
  }

  failed(): FailedArticle[] {
    return [...this.#known].flatMap(([id, known]) =>
      known?.kind === 'invalid' ? { article: { id }, problems: known.problems } : [],
    );
  }

  /** Reads bodies that are not in memory. @returns whether any had to be read */
  async readBodies(items: RenderedItem[]): Promise<boolean> {
    const missing: string[] = [];
    for (const item of items) {
      const id = this.#ids.get(item) as string;
      const body = this.#bodies.get(item) ?? this.#cache.body(id, this.#known.get(id)?.version ?? 0);
      if (body === undefined) missing.push(id);
      else this.#bodies.set(item, body);
    }
    await this.#render(missing, Number.POSITIVE_INFINITY);
    return missing.length > 0;
  }

  bodyOf(item: RenderedItem): RenderedBody {
    return this.#bodies.get(item) as RenderedBody;
  }

  #keep(id: string, known: CachedItem | null): void {
    this.#known.set(id, known);
    if (known?.kind === 'item') this.#ids.set(known.item, id);
  }

  async #render(ids: string[], bodyBytes: number): Promise<void> {
    let left = bodyBytes;
    for (const some of chunks(ids, CHUNK)) {
      const items: { id: string; version: number; item: FeedItem }[] = [];
      const documents = new Map((await findDocuments(this.#context.store.db, some)).map((row) => [row.id, row]));
      for (const id of some) {
        await this.#context.timer.rest();
        const row = documents.get(id);
        const result = row === undefined ? null : this.#itemOf(row);
        if (row === undefined || result === null) this.#keep(id, null);
        else if (result.kind === 'item') items.push({ id, version: row.version, item: result.item });
        else this.#learn(id, { version: row.version, ...result });
      }
      await this.#context.timer.rest();
      const feedItems = items.map(({ item }) => item);
      const rendered = renderItems(feedItems, this.#view);
      for (const [index, { item, body }] of rendered.entries()) {
        const { id, version } = items[index] as (typeof items)[number];
        this.#learn(id, { version, kind: 'item', item });
        left -= item.bodyBytes;
        if (left <= 0 || item.htmlBytes === 0) continue;
        this.#bodies.set(item, body);
        this.#cache.keepBody(id, version, body);
      }
    }
  }

  #learn(id: string, known: CachedItem): void {
    this.#keep(id, known);
    this.#cache.keepItem(id, known);
  }

  /** Null for an article that is no longer public. */
  #itemOf(stored: StoredDocument): ItemResult | null {
    const { config, now } = this.#context;
    const locale = localeOf(this.#view.language, config.ownMessages);
    try {
      const article = toArticle(stored);
      return isPublic(article, now) ? toItem(article, config, locale) : null;
    } catch (error) {
      return { kind: 'invalid', problems: [`the article cannot be read as an item: ${(error as Error).message}`] };
    }
  }
}

/** Item of a version of an article's document, or why there is none. */
type CachedItem = { version: number } & (
  | { kind: 'item'; item: RenderedItem }
  | { kind: 'invalid'; problems: string[] }
);

/** Bytes of memory: an item with a dek of 90 characters takes 3,200. */
const MAX_ITEM_BYTES = 16_000_000;
/** A feed has bodies of at most a megabyte, and feeds mostly have the same. */
const MAX_BODY_BYTES = 8_000_000;

/** Items as they were rendered last: an article that has not changed is neither read nor rendered again. */
class ItemCache {
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
const caches = new WeakMap<Store, { config: ItemConfig; byView: Map<string, ItemCache> }>();

/** The cache of a store for feeds of one kind, empty if it was last used with another configuration. */
function itemCacheOf(store: Store, config: ItemConfig, { language, podcast }: ItemsView): ItemCache {
  let known = caches.get(store);
  if (known?.config !== config) known = { config, byView: new Map() };
  caches.set(store, known);
  const key = podcast === undefined ? language : `podcast ${language}`;
  const cache = known.byView.get(key) ?? new ItemCache();
  known.byView.set(key, cache);
  return cache;
}

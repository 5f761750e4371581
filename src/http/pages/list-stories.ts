/**
 * Stories for pages that list them, as HTML. One that has not changed since it was listed in the same way is
 * neither read nor rendered again, unless others have taken its room in memory.
 */
import { LRUCache } from 'lru-cache';
import { isPublic } from '../../articles/article.ts';
import { type ArticleHead, type ArticleQuery, findDocuments, findPublicHeads } from '../../articles/queries.ts';
import { toArticle } from '../../articles/stored-document.ts';
import { TurnTimer } from '../../lib/concurrency/turn-timer.ts';
import type { Db } from '../../store/store.ts';
import type { WebContext } from '../server/web-context.ts';
import { type StoryView, storyView, withLowerHeadings } from './story-view.ts';

/** Bytes of memory: about 6,000 lines of the archive. */
const MAX_BYTES = 8_000_000;
/** Bytes of an entry besides its HTML. */
const OVERHEAD = 400;

/** How a list shows each story: a template in `templates/pages/parts`; for whole stories, the level of the headline. */
const PARTS = {
  archiveLine: { template: 'archive-line', level: null },
  sectionLine: { template: 'section-line', level: null },
  latestLine: { template: 'latest-line', level: null },
  newsLine: { template: 'news-line', level: null },
  frontStory: { template: 'story', level: 3 },
  streamStory: { template: 'story', level: 2 },
} as const;

type ListPart = keyof typeof PARTS;

export interface ListEntry {
  publishedAt: number;
  html: string;
}

interface CachedEntry extends ListEntry {
  /** Of the document. */
  version: number;
}

type EntryCache = LRUCache<string, CachedEntry>;

/** Part of a list. `hasMore`: the query matches more than its limit. */
export interface StoryList {
  entries: ListEntry[];
  hasMore: boolean;
}

/** The lists of a page: which stories each has, by how it shows them. */
type ListQueries = Partial<Record<ListPart, ArticleQuery>>;

/**
 * The public articles that match each query, newest first. A story that several lists show is read once, and of lists
 * that differ only in their limit, the longest is found.
 */
export async function listStories<Queries extends ListQueries>(
  web: WebContext,
  queries: Queries,
): Promise<Record<keyof Queries, StoryList>> {
  const first = await readLists(web, queries);
  // An article that has changed between two statements may belong to another list now.
  const { lists } = first.isCurrent ? first : await readLists(web, queries);
  return lists as Record<keyof Queries, StoryList>;
}

/** `isCurrent`: no entry is of another version than the one that was found. */
async function readLists(
  web: WebContext,
  queries: ListQueries,
): Promise<{ lists: Partial<Record<ListPart, StoryList>>; isCurrent: boolean }> {
  const found = await findLists(web.store.db, queries);
  await fill(web, found);
  return {
    lists: Object.fromEntries(
      found.map(({ part, heads, hasMore, entries }) => {
        return [part, { entries: heads.flatMap(({ id }) => entries.get(id) ?? []), hasMore }];
      }),
    ),
    isCurrent: found.every(({ heads, entries }) =>
      heads.every(({ id, version }) => entries.get(id)?.version === version),
    ),
  };
}

interface FoundList {
  part: ListPart;
  heads: ArticleHead[];
  hasMore: boolean;
  /** By id. */
  entries: Map<string, CachedEntry>;
}

/** Finds which articles each list has, without their entries. */
async function findLists(db: Db, queries: ListQueries): Promise<FoundList[]> {
  const lists = Object.entries(queries) as [ListPart, ArticleQuery][];
  const byStories = Map.groupBy(lists, ([, { limit, ...stories }]) => JSON.stringify(stories));
  // PostgreSQL runs these queries at the same time.
  const found = await Promise.all(
    [...byStories.values()].map(async (alike) => {
      const longest = alike.map(([, query]) => query).reduce((one, other) => (one.limit < other.limit ? other : one));
      const heads = await findPublicHeads(db, { ...longest, limit: longest.limit + 1 });
      return alike.map(([part, { limit }]) => {
        return { part, heads: heads.slice(0, limit), hasMore: heads.length > limit, entries: new Map() };
      });
    }),
  );
  return found.flat();
}

/** Adds the entries that the cache has, and renders those that it lacks. */
async function fill(web: WebContext, lists: readonly FoundList[]): Promise<void> {
  const cache = cacheOf(web);
  const keyOf = (part: ListPart, id: string): string => `${web.templates.generation} ${part} ${id}`;
  const missing = new Map<string, FoundList[]>();
  for (const list of lists) {
    for (const { id, version } of list.heads) {
      const cached = cache.get(keyOf(list.part, id));
      if (cached?.version === version) list.entries.set(id, cached);
      else missing.set(id, [...(missing.get(id) ?? []), list]);
    }
  }
  const rows = await findDocuments(web.store.db, [...missing.keys()]);
  const now = web.clock();
  const renderMissing = async (): Promise<void> => {
    const timer = new TurnTimer();
    for (const row of rows) {
      await timer.rest();
      const article = toArticle(row);
      if (!isPublic(article, now)) continue;
      const { version } = row;
      const { publishedAt } = article;
      const story = storyView(article, web);
      for (const { part, entries } of missing.get(row.id) ?? []) {
        const entry = { version, publishedAt, html: await render(web, story, part) };
        entries.set(row.id, entry);
        cache.set(keyOf(part, row.id), entry);
      }
    }
  };
  if (rows.length > 0) await web.rendering.run(renderMissing);
}

async function render({ base, view, templates }: WebContext, story: StoryView, part: ListPart): Promise<string> {
  const { template, level } = PARTS[part];
  const shown = level === null ? story : withLowerHeadings(story, level);
  const data = { story: shown, level, base, lang: view.language };
  return (await templates.html(`pages/parts/${template}.liquid`, data)).trimEnd();
}

/** By context, since an entry depends on the configuration and the templates, too. */
const caches = new WeakMap<WebContext, EntryCache>();

function cacheOf(web: WebContext): EntryCache {
  let cache = caches.get(web);
  if (cache === undefined) {
    cache = new LRUCache({
      maxSize: MAX_BYTES,
      // Up to two bytes for each character.
      sizeCalculation: ({ html }) => 2 * html.length + OVERHEAD,
    });
    caches.set(web, cache);
  }
  return cache;
}

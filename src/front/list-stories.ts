/**
 * Stories for pages that list them, as HTML. One that has not changed since it was listed in the same way is
 * neither read nor rendered again, unless others have taken its room in memory.
 */
import { LRUCache } from 'lru-cache';
import { isPublic } from '../articles/article.ts';
import { type StoryView, storyView, withLowerHeadings } from '../articles/pages/story-view.ts';
import { type ArticleHead, type ArticleQuery, findDocuments, findPublicHeads } from '../articles/queries.ts';
import { toArticle } from '../articles/stored-document.ts';
import type { Db } from '../core/store/store.ts';
import { TurnTimer } from '../lib/concurrency/turn-timer.ts';
import { oncePer } from '../lib/once-per.ts';
import type { WebContext } from '../web/server/web-context.ts';

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
  /** Version of the document. */
  version: number;
}

/** Part of a list. `hasMore`: the query matches more than its limit. */
export interface StoryList {
  entries: ListEntry[];
  hasMore: boolean;
}

/** The lists of a page: which stories each has, by how it shows them. */
type ListQueries = Partial<Record<ListPart, Omit<ArticleQuery, 'now'>>>;

/**
 * The articles that match each query and are public at `now`, newest first. A story is read once, however many of the
 * lists show it, and queries that differ only in their limit are one query of the database.
 */
export async function listStories<Queries extends ListQueries>(
  web: WebContext,
  now: number,
  queries: Queries,
): Promise<Record<keyof Queries, StoryList>> {
  const first = await readLists(web, now, queries);
  // An article that has changed between two statements may belong to another list now.
  const { lists } = first.isCurrent ? first : await readLists(web, now, queries);
  return lists as Record<keyof Queries, StoryList>;
}

/** `isCurrent`: no entry is of another version than the one that was found. */
async function readLists(
  web: WebContext,
  now: number,
  queries: ListQueries,
): Promise<{ lists: Partial<Record<ListPart, StoryList>>; isCurrent: boolean }> {
  const found = await findLists(web.store.db, now, queries);
  const entries = await readEntries(web, now, found);
  const entryOf = ({ part }: FoundList, { id }: ArticleHead): CachedEntry | undefined => entries.get(part)?.get(id);
  return {
    lists: Object.fromEntries(
      found.map((list) => {
        return [list.part, { entries: list.heads.flatMap((head) => entryOf(list, head) ?? []), hasMore: list.hasMore }];
      }),
    ),
    isCurrent: found.every((list) => list.heads.every((head) => entryOf(list, head)?.version === head.version)),
  };
}

/** Which articles a list has. */
interface FoundList {
  part: ListPart;
  heads: ArticleHead[];
  hasMore: boolean;
}

async function findLists(db: Db, now: number, queries: ListQueries): Promise<FoundList[]> {
  const lists = Object.entries(queries) as [ListPart, Omit<ArticleQuery, 'now'>][];
  const alike = Map.groupBy(lists, ([, { limit, ...stories }]) => JSON.stringify(stories));
  // PostgreSQL runs these queries at the same time.
  const found = await Promise.all(
    [...alike.values()].map(async (some) => {
      const longest = some.map(([, query]) => query).reduce((one, other) => (one.limit < other.limit ? other : one));
      const heads = await findPublicHeads(db, { ...longest, now, limit: longest.limit + 1 });
      return some.map(([part, { limit }]) => ({ part, heads: heads.slice(0, limit), hasMore: heads.length > limit }));
    }),
  );
  return found.flat();
}

/** The entries of each list by id: from the cache, or rendered. */
async function readEntries(
  web: WebContext,
  now: number,
  lists: readonly FoundList[],
): Promise<Map<ListPart, Map<string, CachedEntry>>> {
  const cache = cacheOf(web);
  const keyOf = (part: ListPart, id: string): string => `${web.templates.generation} ${part} ${id}`;
  const entries = new Map(lists.map(({ part }) => [part, new Map<string, CachedEntry>()]));
  const missing = new Map<string, ListPart[]>();
  for (const { part, heads } of lists) {
    for (const { id, version } of heads) {
      const cached = cache.get(keyOf(part, id));
      if (cached?.version === version) entries.get(part)?.set(id, cached);
      else missing.set(id, [...(missing.get(id) ?? []), part]);
    }
  }
  const rows = await findDocuments(web.store.db, [...missing.keys()]);
  const renderMissing = async (): Promise<void> => {
    const timer = new TurnTimer();
    for (const row of rows) {
      await timer.rest();
      const article = toArticle(row);
      if (!isPublic(article, now)) continue;
      const story = storyView(article, web);
      for (const part of missing.get(row.id) ?? []) {
        const html = await render(web, story, part);
        const entry = { version: row.version, publishedAt: article.publishedAt, html };
        entries.get(part)?.set(row.id, entry);
        cache.set(keyOf(part, row.id), entry);
      }
    }
  };
  if (rows.length > 0) await web.rendering.run(renderMissing);
  return entries;
}

async function render({ base, view, templates }: WebContext, story: StoryView, part: ListPart): Promise<string> {
  const { template, level } = PARTS[part];
  const shown = level === null ? story : withLowerHeadings(story, level);
  const data = { story: shown, level, base, lang: view.language };
  return (await templates.html(`pages/parts/${template}.liquid`, data, view.language)).trimEnd();
}

/** By context, since an entry depends on the configuration and the templates, too. */
const cacheOf = oncePer<WebContext, LRUCache<string, CachedEntry>>(
  () =>
    new LRUCache({
      maxSize: MAX_BYTES,
      // Up to two bytes for each character.
      sizeCalculation: ({ html }) => 2 * html.length + OVERHEAD,
    }),
);

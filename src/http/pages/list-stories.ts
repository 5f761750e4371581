/**
 * Stories for pages that list them, as HTML. One that has not changed since it was listed in the same way is
 * neither read nor rendered again, unless others have taken its room in memory.
 */
import { LRUCache } from 'lru-cache';
import { type Article, isPublic } from '../../articles/article.ts';
import { type ArticleQuery, findDocuments, findPublicHeads } from '../../articles/queries.ts';
import { toArticle } from '../../articles/stored-document.ts';
import { TurnTimer } from '../../lib/concurrency/turn-timer.ts';
import type { WebContext } from '../server/web-context.ts';
import { storyView, withLowerHeadings } from './story-view.ts';

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

/** The public articles that match, newest first. */
export async function listStories(web: WebContext, query: ArticleQuery, part: ListPart): Promise<StoryList> {
  const first = await readStories(web, query, part);
  // An article that has changed between two statements may belong to another list now.
  return first.isCurrent ? first : readStories(web, query, part);
}

/** `isCurrent`: no entry is of another version than the one that was found. */
async function readStories(
  web: WebContext,
  query: ArticleQuery,
  part: ListPart,
): Promise<StoryList & { isCurrent: boolean }> {
  const { db } = web.store;
  const cache = cacheOf(web);
  const keyOf = (id: string): string => `${web.templates.generation} ${part} ${id}`;
  const found = await findPublicHeads(db, { ...query, limit: query.limit + 1 });
  const heads = found.slice(0, query.limit);
  const known = new Map<string, CachedEntry>();
  for (const { id, version } of heads) {
    const cached = cache.get(keyOf(id));
    if (cached?.version === version) known.set(id, cached);
  }
  const missing = heads.flatMap(({ id }) => (known.has(id) ? [] : id));
  const rows = await findDocuments(db, missing);
  const renderMissing = async (): Promise<void> => {
    const timer = new TurnTimer();
    for (const row of rows) {
      await timer.rest();
      const article = toArticle(row);
      if (!isPublic(article, query.now)) continue;
      const html = await render(web, article, part);
      const entry = { version: row.version, publishedAt: article.publishedAt, html };
      known.set(row.id, entry);
      cache.set(keyOf(row.id), entry);
    }
  };
  if (rows.length > 0) await web.rendering.run(renderMissing);
  return {
    entries: heads.flatMap(({ id }) => known.get(id) ?? []),
    hasMore: found.length > heads.length,
    isCurrent: heads.every(({ id, version }) => known.get(id)?.version === version),
  };
}

async function render(web: WebContext, article: Article, part: ListPart): Promise<string> {
  const { base, view, templates } = web;
  const { template, level } = PARTS[part];
  const whole = storyView(article, web);
  const story = level === null ? whole : withLowerHeadings(whole, level);
  const html = await templates.html(`pages/parts/${template}.liquid`, { story, level, base, lang: view.language });
  return html.trimEnd();
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

/**
 * Stories for pages that list them, as HTML. A story that has not changed since it was listed in the same way is
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
/** Bytes of a story besides its HTML. */
const OVERHEAD = 400;

/** How a page shows each story: the template in `templates/pages/parts`, and the level of a whole story's headline. */
type StoryForm =
  | { template: 'archive-line' | 'section-line' | 'latest-line' | 'news-line' }
  | { template: 'story'; level: 2 | 3 };

export interface StoryEntry {
  publishedAt: number;
  html: string;
}

interface CachedStory extends StoryEntry {
  /** Of the document. */
  version: number;
}

/** By form, and id of the article. */
type StoryCache = LRUCache<string, CachedStory>;

/** The public articles that match, newest first. */
export async function listStories(web: WebContext, query: ArticleQuery, form: StoryForm): Promise<StoryEntry[]> {
  const first = await readStories(web, query, form);
  // An article that has changed between two statements may belong to another list now.
  return first.isCurrent ? first.stories : (await readStories(web, query, form)).stories;
}

/** `isCurrent`: no story is of another version than the one that was found. */
async function readStories(
  web: WebContext,
  query: ArticleQuery,
  form: StoryForm,
): Promise<{ stories: StoryEntry[]; isCurrent: boolean }> {
  const { db } = web.store;
  const cache = cacheOf(web);
  const keyOf = (id: string): string => `${form.template} ${'level' in form ? form.level : ''} ${id}`;
  const heads = await findPublicHeads(db, query);
  const known = new Map<string, CachedStory>();
  for (const { id, version } of heads) {
    const cached = cache.get(keyOf(id));
    if (cached?.version === version) known.set(id, cached);
  }
  const missing = heads.flatMap(({ id }) => (known.has(id) ? [] : id));
  const timer = new TurnTimer();
  for (const row of await findDocuments(db, missing)) {
    await timer.rest();
    const article = toArticle(row);
    if (!isPublic(article, query.now)) continue;
    const story = { version: row.version, publishedAt: article.publishedAt, html: await render(web, article, form) };
    known.set(row.id, story);
    cache.set(keyOf(row.id), story);
  }
  return {
    stories: heads.flatMap(({ id }) => known.get(id) ?? []),
    isCurrent: heads.every(({ id, version }) => known.get(id)?.version === version),
  };
}

async function render(web: WebContext, article: Article, form: StoryForm): Promise<string> {
  const { base, view } = web;
  const story = storyView(article, web);
  const shown = 'level' in form ? { level: form.level, story: withLowerHeadings(story, form.level) } : { story };
  const html = await web.templates.html(`pages/parts/${form.template}.liquid`, { ...shown, base, lang: view.language });
  return html.trimEnd();
}

/** By context, since a story depends on the configuration, too. */
const caches = new WeakMap<WebContext, StoryCache>();

function cacheOf(web: WebContext): StoryCache {
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

/**
 * Stories for lists of pages. An article that has not changed since it was in a list is neither read nor parsed again.
 */
import { LRUCache } from 'lru-cache';
import { isPublic } from '../../articles/article.ts';
import { type ArticleQuery, findDocuments, findPublicHeads } from '../../articles/queries.ts';
import { toArticle } from '../../articles/stored-document.ts';
import type { WebContext } from '../server/web-context.ts';
import { type StoryView, storyView } from './story-view.ts';

/** Bytes of memory: about 2,500 stories of 250 words. */
const MAX_BYTES = 8_000_000;
/** Of a story without its body. */
const OVERHEAD = 1_500;

interface CachedStory {
  /** Of the document. */
  version: number;
  story: StoryView;
}

/** By id of the article. */
type StoryCache = LRUCache<string, CachedStory>;

/** The public articles that match, newest first. */
export async function listStories(web: WebContext, query: ArticleQuery): Promise<StoryView[]> {
  const { db } = web.store;
  const cache = cacheOf(web);
  const heads = await findPublicHeads(db, query);
  const known = new Map<string, StoryView>();
  for (const { id, version } of heads) {
    const cached = cache.get(id);
    if (cached?.version === version) known.set(id, cached.story);
  }
  const missing = heads.flatMap(({ id }) => (known.has(id) ? [] : id));
  for (const row of await findDocuments(db, missing)) {
    const article = toArticle(row);
    // It may have changed since its head was read.
    if (!isPublic(article, query.now)) continue;
    const story = storyView(article, web);
    known.set(article.id, story);
    cache.set(article.id, { version: row.version, story });
  }
  return heads.flatMap(({ id }) => known.get(id) ?? []);
}

/** A story depends on the configuration, too. */
const caches = new WeakMap<WebContext, StoryCache>();

function cacheOf(web: WebContext): StoryCache {
  let cache = caches.get(web);
  if (cache === undefined) {
    cache = new LRUCache({
      maxSize: MAX_BYTES,
      maxEntrySize: MAX_BYTES / 10,
      sizeCalculation: ({ story }) => story.bodyHtml.length + OVERHEAD,
    });
    caches.set(web, cache);
  }
  return cache;
}

/**
 * Stories for pages that list them. An article that has not changed since it was listed is neither read nor parsed
 * again, unless others have taken its room in memory.
 */
import { LRUCache } from 'lru-cache';
import { isPublic } from '../../articles/article.ts';
import { type ArticleQuery, findDocuments, findPublicHeads } from '../../articles/queries.ts';
import { toArticle } from '../../articles/stored-document.ts';
import type { WebContext } from '../server/web-context.ts';
import { type StoryView, storyView } from './story-view.ts';

/** Bytes of memory: about 1,300 stories of 250 words. */
const MAX_BYTES = 8_000_000;
/** Bytes of the objects of a story; its texts take up to two for each character. */
const OVERHEAD = 1_000;

interface CachedStory {
  /** Of the document. */
  version: number;
  story: StoryView;
}

/** By id of the article. */
type StoryCache = LRUCache<string, CachedStory>;

/** The public articles that match, newest first. */
export async function listStories(web: WebContext, query: ArticleQuery): Promise<StoryView[]> {
  const first = await readStories(web, query);
  // An article that has changed between two statements may belong to another list now.
  return first.isCurrent ? first.stories : (await readStories(web, query)).stories;
}

/** `isCurrent`: no story is of another version than the one that was found. */
async function readStories(
  web: WebContext,
  query: ArticleQuery,
): Promise<{ stories: StoryView[]; isCurrent: boolean }> {
  const { db } = web.store;
  const cache = cacheOf(web);
  const heads = await findPublicHeads(db, query);
  const known = new Map<string, CachedStory>();
  for (const { id, version } of heads) {
    const cached = cache.get(id);
    if (cached?.version === version) known.set(id, cached);
  }
  const missing = heads.flatMap(({ id }) => (known.has(id) ? [] : id));
  for (const row of await findDocuments(db, missing)) {
    const article = toArticle(row);
    if (!isPublic(article, query.now)) continue;
    const story = { version: row.version, story: storyView(article, web) };
    known.set(row.id, story);
    cache.set(row.id, story);
  }
  return {
    stories: heads.flatMap(({ id }) => known.get(id)?.story ?? []),
    isCurrent: heads.every(({ id, version }) => known.get(id)?.version === version),
  };
}

/** By context, since a story depends on the configuration, too. */
const caches = new WeakMap<WebContext, StoryCache>();

function cacheOf(web: WebContext): StoryCache {
  let cache = caches.get(web);
  if (cache === undefined) {
    cache = new LRUCache({
      maxSize: MAX_BYTES,
      sizeCalculation: ({ story }) => 2 * JSON.stringify(story).length + OVERHEAD,
    });
    caches.set(web, cache);
  }
  return cache;
}

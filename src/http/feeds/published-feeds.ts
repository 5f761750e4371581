/**
 * The shelf of published documents, filled from the store.
 */
import type { Config } from '../../config/config.ts';
import { findDocument } from '../../feeds/documents.ts';
import { openVersionReader } from '../../feeds/feed-version.ts';
import { hubAddress, isTopicPath, topicAddress } from '../../feeds/topics.ts';
import type { Store } from '../../store/store.ts';
import { type FeedCache, openFeedCache } from './feed-cache.ts';

const DOCUMENT_PATH = /^[a-z0-9][a-z0-9./-]{0,199}$/;

/** Documents by their path below feeds/, as far as it can be one. */
export function openPublishedFeeds(store: Store, config: Config): FeedCache {
  const { db } = store;
  return openFeedCache({
    version: openVersionReader(db),
    load: async (path) => {
      const document = DOCUMENT_PATH.test(path) ? await findDocument(db, path) : null;
      return document === null ? null : { document, link: linkOf(path, config) };
    },
  });
}

/** The Link header of a feed (WebSub §4): its own address, by which hubs and readers know it, and its hub's, where one distributes it. */
function linkOf(path: string, config: Config): string | null {
  if (!/\.(?:rss|atom|json)$/.test(path)) return null;
  const hub = isTopicPath(path) ? hubAddress(config) : null;
  return `${hub === null ? '' : `<${hub}>; rel="hub", `}<${topicAddress(config, path)}>; rel="self"`;
}

/**
 * The shelf of published documents, filled from the store.
 */
import type { Config } from '../../config/config.ts';
import { findDocument } from '../../feeds/documents.ts';
import { openVersionReader } from '../../feeds/feed-version.ts';
import type { ReaderCounter } from '../../feeds/readers/reader-counts.ts';
import { hubAddress, isTopicPath, topicAddress } from '../../feeds/topics.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { openShelf, type Shelf } from './feed-cache.ts';
import { countFeedRequest } from './feed-requests.ts';
import type { QuickPath } from './quick-path.ts';

const DOCUMENT_PATH = /^[a-z0-9][a-z0-9./-]{0,199}$/;

/** Documents by their path below feeds/, as far as it can be one. */
export function openPublishedFeeds(store: Store, config: Config): Shelf {
  const { db } = store;
  return openShelf({
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

/** The quick path to those documents, for `serveApp`. */
export function quickPathTo(
  feeds: Shelf,
  site: { config: Config; clock: Clock; readers?: Pick<ReaderCounter, 'count'> },
): QuickPath {
  const { config, clock } = site;
  const folder = `${new URL(config.publication.url).pathname.replace(/\/+$/, '')}/feeds/`;
  return {
    find: (target) => {
      const path = target.startsWith(folder) ? target.slice(folder.length) : '';
      // The page of feeds, what has a query, and what may be derived, are the app's.
      return /^[a-z0-9][a-z0-9-]*\.(?:rss|atom|json)$/.test(path) ? feeds.find(path) : undefined;
    },
    clock,
    // A second more than it is told, as Node's server does it.
    idleMs: 6 * SECOND,
    note: (path, userAgent, status) => countFeedRequest(site, path, userAgent, status),
  };
}

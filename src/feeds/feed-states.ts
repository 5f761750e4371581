/** What an operator sees of feeds. */
import type { AppContext } from '../core/app-context.ts';
import { findNewestPage } from './archive/archive-page.ts';
import { feedsWithArchive } from './archive/archives.ts';
import { findDocumentInfo } from './documents.ts';
import { feedLinks } from './feed-links.ts';

/** Instants are epoch milliseconds. */
export interface PublishedFeed {
  id: string;
  title: string;
  /** RSS first. `bytes` and `modifiedAt` are null before the first publish. */
  formats: { name: string; url: string; bytes: number | null; modifiedAt: number | null }[];
  /** Null without an archive: the feed has a window. */
  archive: { pages: number; newestUrl: string | null } | null;
}

/** The feeds of the configuration. Reads a few rows of each, however large its archive is. */
export function readFeedStates({ store, config }: Pick<AppContext, 'store' | 'config'>): Promise<PublishedFeed[]> {
  const archived = new Set(feedsWithArchive(config).map(({ id }) => id));
  return Promise.all(
    config.feeds.map(async (feed) => {
      const { formats } = feedLinks(feed, config);
      const paths = formats.map(({ path }) => path);
      const stored = new Map((await findDocumentInfo(store.db, paths)).map((one) => [one.path, one]));
      const newest = archived.has(feed.id) ? await findNewestPage(store.db, feed.id) : null;
      return {
        ...{ id: feed.id, title: feed.title },
        formats: formats.map(({ name, url, path }) => {
          const { size = null, modifiedAt = null } = stored.get(path) ?? {};
          return { name, url, bytes: size, modifiedAt };
        }),
        archive: archived.has(feed.id)
          ? // Pages are numbered from 1, without gaps.
            { pages: newest?.page ?? 0, newestUrl: newest && `${config.publication.url}/feeds/${newest.path}.atom` }
          : null,
      };
    }),
  );
}

/** What an operator sees of feeds. */
import type { AppContext } from '../core/app-context.ts';
import { findDocumentInfo } from './documents.ts';
import { feedLinks } from './feed-links.ts';

/** Instants are epoch milliseconds. */
export interface PublishedFeed {
  id: string;
  title: string;
  /** RSS first. `bytes` and `modifiedAt` are null before the first publish. */
  formats: { name: string; url: string; bytes: number | null; modifiedAt: number | null }[];
}

/** The feeds of the configuration. */
export function readFeedStates({ store, config }: Pick<AppContext, 'store' | 'config'>): Promise<PublishedFeed[]> {
  return Promise.all(
    config.feeds.map(async (feed) => {
      const { formats } = feedLinks(feed, config);
      const paths = formats.map(({ path }) => path);
      const stored = new Map((await findDocumentInfo(store.db, paths)).map((one) => [one.path, one]));
      return {
        ...{ id: feed.id, title: feed.title },
        formats: formats.map(({ name, url, path }) => {
          const { size = null, modifiedAt = null } = stored.get(path) ?? {};
          return { name, url, bytes: size, modifiedAt };
        }),
      };
    }),
  );
}

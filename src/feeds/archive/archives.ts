/** The archives of feeds (RFC 5005 §4) as a whole: which feeds have one, how far it has come, and its withdrawal. */
import type { Config, FeedConfig } from '../../config/config.ts';
import type { Db, Tx } from '../../store/store.ts';
import { deleteFolder } from '../documents.ts';
import { archiveFolderOf, findNewestPage } from './archive-page.ts';

/** The feeds with an archive. A feed with a window has none: it would equal that of the same feed without a window. */
export function feedsWithArchive(config: Pick<Config, 'feeds'>): FeedConfig[] {
  return config.feeds.filter(({ windowHours }) => windowHours === undefined);
}

export interface ArchiveSummary {
  feed: string;
  /** Number of closed pages. */
  pages: number;
  /** Path of the newest page, or null. */
  newest: string | null;
  /** Articles that are on no page yet. */
  unarchived: number;
  /** Whether all older articles have been added. */
  complete: boolean;
}

/** Summarises the archives, by feed. */
export async function summariseArchives(db: Db): Promise<ArchiveSummary[]> {
  const feeds = await db.selectFrom('archive_feeds').select(['feed', 'backfilled_to']).orderBy('feed').execute();
  const unarchived = await db
    .selectFrom('archive_members')
    .select((e) => ['feed', e.fn.countAll<number>().as('count')])
    .where('page', 'is', null)
    .groupBy('feed')
    .execute();
  const counts = new Map(unarchived.map(({ feed, count }) => [feed, count]));
  return Promise.all(
    feeds.map(async ({ feed, backfilled_to }) => {
      const newest = await findNewestPage(db, feed);
      return {
        feed,
        // Pages are numbered from 1, without gaps.
        pages: newest?.page ?? 0,
        newest: newest?.path ?? null,
        unarchived: counts.get(feed) ?? 0,
        complete: backfilled_to === null,
      };
    }),
  );
}

/** Finds stored archives of feeds that no longer have one: the configuration omits the feed, or gives it a window. */
export async function findObsoleteArchives(db: Db, config: Config): Promise<string[]> {
  const kept = new Set(feedsWithArchive(config).map(({ id }) => id));
  const rows = await db.selectFrom('archive_feeds').select('feed').orderBy('feed').execute();
  return rows.map(({ feed }) => feed).filter((feed) => !kept.has(feed));
}

/** Deletes the archives of feeds, with their documents. */
export async function deleteArchives(tx: Tx, feeds: string[]): Promise<void> {
  for (const feed of feeds) {
    await deleteFolder(tx, archiveFolderOf(feed));
    for (const table of ['archive_pages', 'archive_members', 'archive_feeds'] as const) {
      await tx.deleteFrom(table).where('feed', '=', feed).execute();
    }
  }
}

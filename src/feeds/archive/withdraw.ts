/**
 * Withdraws the archives of feeds that have none any more: the configuration has lost the feed, or gave it a window.
 */
import type { Config } from '../../config/config.ts';
import type { Db } from '../../store/store.ts';
import { withdrawFolder } from '../documents.ts';
import { archiveFolderOf } from './archive-page.ts';
import { feedsWithArchive } from './record-members.ts';

/** @returns the feeds whose archives there still are, though the configuration gives them none */
export async function findOtherArchives(db: Db, config: Config): Promise<string[]> {
  const kept = new Set(feedsWithArchive(config).map(({ id }) => id));
  const rows = await db.selectFrom('archive_feeds').select('feed').orderBy('feed').execute();
  return rows.map(({ feed }) => feed).filter((feed) => !kept.has(feed));
}

/** Withdraws the documents of these archives, and forgets what they held. @param db a transaction */
export async function withdrawArchives(db: Db, feeds: string[]): Promise<void> {
  for (const feed of feeds) {
    await withdrawFolder(db, archiveFolderOf(feed));
    for (const table of ['archive_pages', 'archive_members', 'archive_feeds'] as const) {
      await db.deleteFrom(table).where('feed', '=', feed).execute();
    }
  }
}

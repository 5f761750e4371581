/** Month pages, searches and sitemaps have the old stories: feeds have no archive documents any longer. */
import { type Kysely, sql } from 'kysely';

export async function dropFeedArchives(db: Kysely<unknown>): Promise<void> {
  for (const table of ['archive_pages', 'archive_places', 'archive_waiting', 'archive_feeds']) {
    await db.schema.dropTable(table).execute();
  }
  for (const column of ['page', 'waiting_version']) {
    await db.schema.alterTable('feed_builds').dropColumn(column).execute();
  }
  await sql`delete from meta where key = 'archives.last-number'`.execute(db);
}

/**
 * Archives of feeds (RFC 5005): which articles each feed has published, and in which closed part of its archive they stand.
 */
import { type Kysely, sql } from 'kysely';
import type { Dialect } from '../store.ts';
import { typesOf } from './column-types.ts';

export async function archives(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int } = typesOf(dialect);
  // No foreign keys: on PostgreSQL they would be checked row by row for a million articles in each feed.
  await db.schema
    .createTable('archive_members')
    .addColumn('feed', text, (c) => c.notNull())
    .addColumn('article_id', text, (c) => c.notNull())
    .addColumn('at', int, (c) => c.notNull())
    .addColumn('part', int)
    .addPrimaryKeyConstraint('archive_members_once', ['feed', 'article_id'])
    .execute();
  await sql`create index archive_members_waiting on archive_members (feed, at, article_id) where part is null`.execute(
    db,
  );
  await sql`create index archive_members_by_part on archive_members (feed, part) where part is not null`.execute(db);
  await db.schema
    .createTable('archives')
    .addColumn('feed', text, (c) => c.notNull())
    .addColumn('part', int, (c) => c.notNull())
    .addColumn('month', text, (c) => c.notNull())
    .addColumn('path', text, (c) => c.notNull().unique())
    .addColumn('notes', text, (c) => c.notNull())
    .addColumn('closed_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('archives_numbered', ['feed', 'part'])
    .execute();
  await db.schema
    .createTable('archive_feeds')
    .addColumn('feed', text, (c) => c.primaryKey().notNull())
    .addColumn('selection', text, (c) => c.notNull())
    .addColumn('taken_in_to', text)
    .execute();
  // Heads are listed at each publish. A scan of the table would read past a hundred kilobytes for each of thousands of archives.
  await sql`create index documents_heads on documents (path, media_type, hash, modified_at, size)`.execute(db);
}

/**
 * Archive pages are recorded as their members alone, and rendered when they are asked for: a million articles would
 * otherwise be stored a second time, in three formats and two codings for each feed. Where archives have an article is
 * one row, however many feeds have it. And what each feed shows, so that a change concerns the feeds that it touches.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addArchivePlaces(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const inKey = dialect === 'sqlite' ? ' without rowid' : '';
  const jsonArray = dialect === 'sqlite' ? 'json_group_array(article_id)' : 'json_agg(article_id)::text';
  const statements = [
    `alter table archive_feeds add column number ${int} not null default 0`,
    `update archive_feeds set number =
      (select count(*) from archive_feeds as other where other.feed <= archive_feeds.feed)`,
    'create unique index archive_feeds_by_number on archive_feeds (number)',
    `alter table archive_feeds add column waiting_version ${int} not null default 0`,

    `create table archive_places (
      article_id ${text} not null primary key,
      places ${text} not null
    )${inKey}`,
    `insert into archive_places (article_id, places)
      select article_id, string_agg(cast(number as text) || ':' || cast(coalesce(page, 0) as text), ' ')
      from archive_members join archive_feeds on archive_feeds.feed = archive_members.feed group by article_id`,

    `create table archive_waiting (
      feed ${text} not null,
      recorded_at ${int} not null,
      article_id ${text} not null,
      bytes ${int} not null,
      constraint archive_waiting_key primary key (feed, recorded_at, article_id)
    )${inKey}`,
    `insert into archive_waiting (feed, recorded_at, article_id, bytes)
      select feed, recorded_at, article_id, octet_length(document)
      from archive_members join articles on articles.id = archive_members.article_id where page is null`,

    `alter table archive_pages add column members ${text} not null default '[]'`,
    `update archive_pages set members = coalesce((select ${jsonArray} from archive_members
      where archive_members.feed = archive_pages.feed and archive_members.page = archive_pages.page), '[]')`,
    `alter table archive_pages add column changed_at ${int} not null default 0`,
    `update archive_pages set changed_at = coalesce(
      (select modified_at from documents where documents.path = archive_pages.path || '.atom'), closed_at)`,
    'alter table archive_pages drop column notes_hash',

    `create table feed_builds (
      feed ${text} not null primary key,
      fingerprint ${text} not null,
      items ${text} not null,
      enters_from ${int} not null,
      page ${int} not null,
      waiting_version ${int} not null
    )`,

    'drop table archive_members',
    "delete from documents where path >= 'archive/' and path < 'archive0'",
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

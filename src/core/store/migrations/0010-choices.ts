/** What subscribers choose, the copies that they get, and their private feeds. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addChoices(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int, identity } = columnTypes(dialect);
  const statements = [
    `alter table subscriptions add column choice ${text}`,
    `alter table subscriptions add column moved_to ${text}`,
    `alter table subscriptions add column feed_version ${int} not null default 0`,
    `alter table subscriptions add column feed_since ${int}`,
    // A newsletter without choices costs nothing, and the distinct choices of one are read in order.
    `create index subscriptions_by_choice on subscriptions (newsletter, choice)
      where choice is not null and state = 'confirmed'`,
    'create index subscriptions_with_feed on subscriptions (subscriber_id) where feed_since is not null',
    `alter table service_messages add column choices ${text}`,
    `alter table editions add column segments ${text}`,
    `alter table editions add column too_few ${int} not null default 0`,
    // Covers its query: a row of editions has hundreds of kilobytes. By the id itself, SQLite would read the row.
    'create index editions_too_few on editions ((id + 0), too_few) where too_few > 0',
    `create table edition_copies (
      id ${identity},
      edition_id ${int} not null references editions (id),
      choice ${text} not null,
      stories ${text} not null,
      subject ${text} not null,
      suppressed ${text},
      constraint edition_copies_once unique (edition_id, choice)
    )`,
    `alter table deliveries add column copy_id ${int}`,
    ...(dialect === 'sqlite' ? await sqliteChanges(db) : postgresChanges),
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const EARLIER = `'requested', 'confirmed', 'unsubscribed', 'zone', 'paused', 'resumed', 'suppressed',
  'unsuppressed', 'exported'`;
const ADDED = "'choice', 'moved', 'feed-wanted', 'feed-ended'";

const postgresChanges = [
  'alter table consent_events drop constraint consent_events_change_check',
  `alter table consent_events add constraint consent_events_change_check check (change in (${EARLIER}, ${ADDED}))`,
];

/** SQLite cannot change a check: the table and its indexes are made again, by the statements that made them. */
async function sqliteChanges(db: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ sql: string }>`select sql from sqlite_master
    where tbl_name = 'consent_events' and sql is not null order by type desc, rowid`.execute(db);
  const [table = '', ...indexes] = rows.map((row) => row.sql);
  return [
    table.replace('consent_events', 'consent_events_new').replace("'exported'", `'exported', ${ADDED}`),
    'insert into consent_events_new select * from consent_events',
    // A number is never given twice.
    "delete from sqlite_sequence where name = 'consent_events_new'",
    `insert into sqlite_sequence (name, seq)
      select 'consent_events_new', seq from sqlite_sequence where name = 'consent_events'`,
    'drop table consent_events',
    'alter table consent_events_new rename to consent_events',
    ...indexes,
  ];
}

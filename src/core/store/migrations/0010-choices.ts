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
    `alter table editions add column too_few ${int} not null default 0`,
    // Covers its query: a row of editions has hundreds of kilobytes.
    'create index editions_too_few on editions (id, too_few) where too_few > 0',
    ...(dialect === 'sqlite' ? sqliteChanges({ text, int, identity }) : postgresChanges),
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const CHANGES = `check (change in ('requested', 'confirmed', 'unsubscribed', 'zone', 'paused', 'resumed', 'suppressed',
  'unsuppressed', 'exported', 'choice', 'moved', 'feed-wanted', 'feed-ended'))`;

const postgresChanges = [
  'alter table consent_events drop constraint consent_events_change_check',
  `alter table consent_events add constraint consent_events_change_check ${CHANGES}`,
];

/** SQLite cannot change a check: the table is written again. */
function sqliteChanges({ text, int, identity }: Pick<ReturnType<typeof columnTypes>, 'text' | 'int' | 'identity'>) {
  return [
    `create table consent_events_new (
      id ${identity},
      subscriber_id ${int} not null references subscribers (id) on delete cascade,
      newsletter ${text},
      change ${text} not null ${CHANGES},
      channel ${text} not null
        check (channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click', 'mailto',
          'operator', 'import', 'bounce', 'complaint')),
      source ${text},
      detail ${text},
      at ${int} not null,
      consent_text ${text}
    )`,
    `insert into consent_events_new (id, subscriber_id, newsletter, change, channel, source, detail, at, consent_text)
      select id, subscriber_id, newsletter, change, channel, source, detail, at, consent_text from consent_events`,
    // A number is never given twice.
    "delete from sqlite_sequence where name = 'consent_events_new'",
    `insert into sqlite_sequence (name, seq)
      select 'consent_events_new', seq from sqlite_sequence where name = 'consent_events'`,
    'drop table consent_events',
    'alter table consent_events_new rename to consent_events',
    'create index consent_events_by_subscriber on consent_events (subscriber_id, id)',
    "create index consent_events_left on consent_events (newsletter, at, channel) where change = 'unsubscribed'",
    `create index consent_events_with_address on consent_events (at)
      where source is not null and channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click')`,
  ];
}

/**
 * The schema, migration by migration. Append only: a migration that has run anywhere is never edited.
 */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { documents } from './migrations/0004-documents.ts';
import { hub } from './migrations/0005-hub.ts';
import { archives } from './migrations/0006-archives.ts';
import { facets } from './migrations/0007-facets.ts';
import { feedReaders } from './migrations/0008-feed-readers.ts';
import { typesOf } from './migrations/column-types.ts';
import type { Dialect } from './store.ts';

/** The migrations for one dialect, by name, in order. */
export function migrationsFor(dialect: Dialect): Record<string, Migration> {
  return {
    '0001_newsroom': { up: (db) => newsroom(db, dialect) },
    '0002_consent_and_delivery': { up: (db) => consentAndDelivery(db, dialect) },
    '0003_paused_editions': { up: pausedEditions },
    '0004_documents': { up: (db) => documents(db, dialect) },
    '0005_hub': { up: (db) => hub(db, dialect) },
    '0006_archives': { up: (db) => archives(db, dialect) },
    '0007_facets': { up: (db) => facets(db, dialect) },
    '0008_feed_readers': { up: (db) => feedReaders(db, dialect) },
  };
}

async function newsroom(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int, identity } = typesOf(dialect);

  await db.schema
    .createTable('articles')
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('tag_uri', text, (c) => c.notNull().unique())
    .addColumn('slug', text, (c) => c.notNull().unique())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('section', text)
    .addColumn('kicker', text)
    .addColumn('event_key', text)
    .addColumn('pinned', int, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('published_at', int, (c) => c.notNull())
    .addColumn('updated_at', int, (c) => c.notNull())
    .addColumn('noted_at', int)
    .addColumn('created_at', int, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('document', text, (c) => c.notNull())
    .execute();
  await sql`create index articles_by_time on articles (published_at, id, state)`.execute(db);
  await sql`create index articles_by_section on articles (section, kind, published_at, id, state)`.execute(db);
  await sql`create index articles_by_kind on articles (kind, published_at, id, state)`.execute(db);
  await sql`create index articles_by_kicker on articles (kicker, published_at, id) where kicker is not null`.execute(
    db,
  );
  await sql`create index articles_by_note on articles (noted_at, id) where noted_at is not null`.execute(db);
  await sql`create index articles_by_creation on articles (created_at, id)`.execute(db);
  await sql`create index articles_pinned on articles (published_at, id) where pinned = 1`.execute(db);

  await db.schema
    .createTable('article_tags')
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id').onDelete('cascade'))
    .addColumn('tag', text, (c) => c.notNull())
    .addColumn('published_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('article_tags_key', ['article_id', 'tag'])
    .execute();
  await sql`create index article_tags_by_tag on article_tags (tag, published_at, article_id)`.execute(db);

  await db.schema
    .createTable('article_slugs')
    .addColumn('slug', text, (c) => c.primaryKey().notNull())
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id').onDelete('cascade'))
    .execute();

  await db.schema
    .createTable('pending_changes')
    .addColumn('article_id', text, (c) => c.primaryKey().notNull())
    .addColumn('due_at', int, (c) => c.notNull())
    .addColumn('changed_at', int, (c) => c.notNull())
    .execute();
  await sql`create index pending_changes_due on pending_changes (due_at, article_id)`.execute(db);

  await db.schema
    .createTable('rejections')
    .addColumn('key', text, (c) => c.primaryKey().notNull())
    .addColumn('stage', text, (c) => c.notNull())
    .addColumn('source', text, (c) => c.notNull())
    .addColumn('line', int)
    .addColumn('article_id', text)
    .addColumn('problems', text, (c) => c.notNull())
    .addColumn('raw', text, (c) => c.notNull())
    .addColumn('rejected_at', int, (c) => c.notNull())
    .execute();
  await sql`create index rejections_by_source on rejections (source, line)`.execute(db);

  await db.schema
    .createTable('import_sources')
    .addColumn('path', text, (c) => c.primaryKey().notNull())
    .addColumn('fingerprint', text, (c) => c.notNull())
    .addColumn('imported_at', int, (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('documents')
    .addColumn('path', text, (c) => c.primaryKey().notNull())
    .addColumn('media_type', text, (c) => c.notNull())
    .addColumn('body', text, (c) => c.notNull())
    .addColumn('hash', text, (c) => c.notNull())
    .addColumn('modified_at', int, (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('editions')
    .addColumn('id', int, identity)
    .addColumn('newsletter', text, (c) => c.notNull())
    .addColumn('slot', text, (c) => c.notNull())
    .addColumn('slot_at', int, (c) => c.notNull())
    .addColumn('cutoff_at', int, (c) => c.notNull())
    .addColumn('number', int, (c) => c.notNull())
    .addColumn('headline', text, (c) => c.notNull())
    .addColumn('subject', text, (c) => c.notNull())
    .addColumn('preheader', text, (c) => c.notNull())
    .addColumn('nonce', text, (c) => c.notNull())
    .addColumn('html', text, (c) => c.notNull())
    .addColumn('text', text, (c) => c.notNull())
    .addColumn('archive_html', text, (c) => c.notNull())
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id'))
    .addColumn('closed_at', int, (c) => c.notNull())
    .addUniqueConstraint('editions_one_a_slot', ['newsletter', 'slot'])
    .addUniqueConstraint('editions_numbered', ['newsletter', 'number'])
    .execute();

  await db.schema
    .createTable('edition_articles')
    .addColumn('edition_id', int, (c) => c.notNull().references('editions.id'))
    .addColumn('newsletter', text, (c) => c.notNull())
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id'))
    .addColumn('block', text, (c) => c.notNull())
    .addColumn('position', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('edition_articles_once', ['newsletter', 'article_id'])
    .execute();
  await sql`create index edition_articles_by_edition on edition_articles (edition_id, position)`.execute(db);

  await db.schema
    .createTable('edition_passed_over')
    .addColumn('edition_id', int, (c) => c.notNull().references('editions.id'))
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id'))
    .addColumn('reason', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('edition_passed_over_key', ['edition_id', 'article_id'])
    .execute();
  await sql`create index edition_passed_over_by_article on edition_passed_over (article_id, edition_id)`.execute(db);

  await db.schema
    .createTable('edition_corrections')
    .addColumn('newsletter', text, (c) => c.notNull())
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id'))
    .addColumn('noted_at', int, (c) => c.notNull())
    .addColumn('edition_id', int, (c) => c.notNull().references('editions.id'))
    .addPrimaryKeyConstraint('edition_corrections_once', ['newsletter', 'article_id', 'noted_at'])
    .execute();

  await db.schema
    .createTable('subscribers')
    .addColumn('id', int, identity)
    .addColumn('email', text, (c) => c.notNull())
    .addColumn('email_key', text, (c) => c.notNull().unique())
    .addColumn('zone', text)
    .addColumn('created_at', int, (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('subscriptions')
    .addColumn('subscriber_id', int, (c) => c.notNull().references('subscribers.id').onDelete('cascade'))
    .addColumn('newsletter', text, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('changed_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('subscriptions_key', ['subscriber_id', 'newsletter'])
    .execute();
  await sql`create index subscriptions_by_newsletter on subscriptions (newsletter, state, subscriber_id)`.execute(db);

  // No foreign keys here: on PostgreSQL they would be checked row by row when an edition is queued for a million.
  await db.schema
    .createTable('deliveries')
    .addColumn('edition_id', int, (c) => c.notNull())
    .addColumn('subscriber_id', int, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('attempts', int, (c) => c.notNull())
    .addColumn('due_at', int, (c) => c.notNull())
    .addColumn('lease_until', int)
    .addColumn('fence', int, (c) => c.notNull())
    .addColumn('reply', text)
    .addColumn('reason', text)
    .addColumn('changed_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('deliveries_once', ['edition_id', 'subscriber_id'])
    .execute();
  await sql`create index deliveries_open on deliveries (due_at, edition_id, subscriber_id)
    where state in ('pending', 'submitting')`.execute(db);
  await sql`create index deliveries_by_subscriber on deliveries (subscriber_id, edition_id)`.execute(db);

  await db.schema
    .createTable('schedules')
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('cron', text, (c) => c.notNull())
    .addColumn('zone', text, (c) => c.notNull())
    .addColumn('since', int, (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('runs')
    .addColumn('schedule', text, (c) => c.notNull())
    .addColumn('slot_at', int, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('reason', text)
    .addColumn('covers', int, (c) => c.notNull())
    .addColumn('attempts', int, (c) => c.notNull())
    .addColumn('started_at', int, (c) => c.notNull())
    .addColumn('finished_at', int)
    .addColumn('lease_until', int)
    .addPrimaryKeyConstraint('runs_once', ['schedule', 'slot_at'])
    .execute();

  await db.schema
    .createTable('alerts')
    .addColumn('cause', text, (c) => c.primaryKey().notNull())
    .addColumn('message', text, (c) => c.notNull())
    .addColumn('first_at', int, (c) => c.notNull())
    .addColumn('last_at', int, (c) => c.notNull())
    .addColumn('count', int, (c) => c.notNull())
    .addColumn('notified_at', int)
    .addColumn('resolved_at', int)
    .execute();

  await db.schema
    .createTable('meta')
    .addColumn('key', text, (c) => c.primaryKey().notNull())
    .addColumn('value', text, (c) => c.notNull())
    .execute();
}

async function consentAndDelivery(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int, identity } = typesOf(dialect);

  await db.schema.alterTable('subscribers').addColumn('paused_until', int).execute();
  await db.schema.alterTable('subscribers').addColumn('suppressed_reason', text).execute();
  await db.schema.alterTable('subscribers').addColumn('suppressed_at', int).execute();

  await db.schema
    .createTable('consent_events')
    .addColumn('id', int, identity)
    .addColumn('subscriber_id', int, (c) => c.notNull().references('subscribers.id').onDelete('cascade'))
    .addColumn('newsletter', text)
    .addColumn('change', text, (c) => c.notNull())
    .addColumn('origin', text, (c) => c.notNull())
    .addColumn('source', text)
    .addColumn('detail', text)
    .addColumn('at', int, (c) => c.notNull())
    .execute();
  await sql`create index consent_events_by_subscriber on consent_events (subscriber_id, id)`.execute(db);

  await db.schema
    .createTable('suppressions')
    .addColumn('address_hash', text, (c) => c.primaryKey().notNull())
    .addColumn('reason', text, (c) => c.notNull())
    .addColumn('at', int, (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('service_messages')
    .addColumn('id', int, identity)
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('subscriber_id', int, (c) => c.notNull())
    .addColumn('newsletters', text, (c) => c.notNull())
    .addColumn('zone', text)
    .addColumn('after_event', int)
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('attempts', int, (c) => c.notNull())
    .addColumn('due_at', int, (c) => c.notNull())
    .addColumn('expires_at', int, (c) => c.notNull())
    .addColumn('lease_until', int)
    .addColumn('fence', int, (c) => c.notNull())
    .addColumn('reply', text)
    .addColumn('reason', text)
    .addColumn('created_at', int, (c) => c.notNull())
    .addColumn('changed_at', int, (c) => c.notNull())
    .execute();
  await sql`create index service_messages_open on service_messages (due_at, id)
    where state in ('pending', 'submitting')`.execute(db);
  await sql`create index service_messages_by_subscriber on service_messages (subscriber_id, id)`.execute(db);

  await db.schema.alterTable('deliveries').addColumn('stale_at', int).execute();
  // By edition first: what is paused or held must not stand in the way of what may go.
  await sql`drop index deliveries_open`.execute(db);
  // Written once for each reader of every edition, all over it: it doubled the time to queue one (measured on PostgreSQL, the
  // fortieth edition of 100,000). What is asked of one subscriber looks by the primary key, edition by edition.
  await sql`drop index deliveries_by_subscriber`.execute(db);
  await sql`create index deliveries_open on deliveries (edition_id, due_at, subscriber_id)
    where state in ('pending', 'submitting')`.execute(db);

  await db.schema
    .alterTable('editions')
    .addColumn('delivery', text, (c) => c.notNull().defaultTo('open'))
    .execute();
  await db.schema.alterTable('editions').addColumn('delivery_reason', text).execute();
  await sql`create index editions_in_delivery on editions (id) where delivery = 'open'`.execute(db);
  await db.schema
    .createTable('edition_retractions')
    .addColumn('edition_id', int, (c) => c.notNull().references('editions.id'))
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id'))
    .addColumn('noted_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('edition_retractions_once', ['edition_id', 'article_id', 'noted_at'])
    .execute();

  await db.schema
    .createTable('bounces')
    .addColumn('id', int, identity)
    .addColumn('edition_id', int)
    .addColumn('service_message_id', int)
    .addColumn('subscriber_id', int, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('status', text)
    .addColumn('detail', text)
    .addColumn('at', int, (c) => c.notNull())
    .execute();
  await sql`create index bounces_by_subscriber on bounces (subscriber_id, edition_id, kind)`.execute(db);

  await db.schema
    .createTable('rates')
    .addColumn('key', text, (c) => c.primaryKey().notNull())
    // A fraction: at a thousand a second and more, whole milliseconds would round the rate away.
    .addColumn('next_at', 'double precision', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('sending_days')
    .addColumn('day', text, (c) => c.primaryKey().notNull())
    .addColumn('count', int, (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('delivery_totals')
    .addColumn('edition_id', int, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('count', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('delivery_totals_key', ['edition_id', 'state'])
    .execute();
  await db.schema
    .createTable('run_totals')
    .addColumn('schedule', text, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('count', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('run_totals_key', ['schedule', 'state'])
    .execute();
}

/** An article that is retracted is looked for in paused editions as well, whenever something is published. */
async function pausedEditions(db: Kysely<unknown>): Promise<void> {
  await sql`create index editions_paused on editions (id) where delivery = 'paused'`.execute(db);
}

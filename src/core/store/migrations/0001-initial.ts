/**
 * The initial schema. `tables.ts` documents the columns.
 *
 * Every column with a fixed set of values has a CHECK constraint. Tables that an edition or a publish fills by the
 * hundred thousand have no foreign keys: PostgreSQL would check them row by row.
 */
import { type Kysely, sql } from 'kysely';
import { type ColumnTypes, columnTypes } from './column-types.ts';

export async function createInitialSchema(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const types = columnTypes(dialect);
  for (const statements of [articles, feeds, editions, subscribers, deliveries, schedules, hub]) {
    for (const statement of statements(types)) await sql.raw(statement).execute(db);
  }
}

/** A CHECK constraint: the column has one of these values, or is null where it may be. */
function oneOf(column: string, ...values: (string | number)[]): string {
  const literals = values.map((value) => (typeof value === 'number' ? value : `'${value}'`));
  return `check (${column} in (${literals.join(', ')}))`;
}

const flag = (column: string): string => oneOf(column, 0, 1);

const suppressionReason = (column: string): string =>
  oneOf(column, 'hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator');

const deliveryState = oneOf('state', 'pending', 'submitting', 'submitted', 'failed', 'suppressed');

function articles({ text, int }: ColumnTypes): string[] {
  return [
    `create table articles (
      id ${text} not null primary key,
      tag_uri ${text} not null unique,
      slug ${text} not null unique,
      kind ${text} not null ${oneOf('kind', 'brief', 'analysis', 'feature', 'roundup-item', 'roundup')},
      section ${text},
      kicker ${text},
      event_key ${text},
      pinned ${int} not null ${flag('pinned')},
      state ${text} not null ${oneOf('state', 'draft', 'scheduled', 'published', 'corrected', 'retracted')},
      published_at ${int} not null,
      updated_at ${int} not null,
      noted_at ${int},
      created_at ${int} not null,
      digest ${text} not null,
      document ${text} not null
    )`,
    'create index articles_by_time on articles (published_at, id, state)',
    'create index articles_by_section on articles (section, kind, published_at, id, state)',
    'create index articles_by_kind on articles (kind, published_at, id, state)',
    'create index articles_by_kicker on articles (kicker, published_at, id) where kicker is not null',
    'create index articles_by_note on articles (noted_at, id) where noted_at is not null',
    'create index articles_by_creation on articles (created_at, id)',
    'create index articles_pinned on articles (published_at, id) where pinned = 1',

    `create table article_tags (
      article_id ${text} not null references articles (id) on delete cascade,
      tag ${text} not null,
      published_at ${int} not null,
      constraint article_tags_key primary key (article_id, tag)
    )`,
    'create index article_tags_by_tag on article_tags (tag, published_at, article_id)',

    `create table article_reporters (
      article_id ${text} not null references articles (id) on delete cascade,
      reporter ${text} not null,
      published_at ${int} not null,
      constraint article_reporters_key primary key (article_id, reporter)
    )`,
    'create index article_reporters_by_reporter on article_reporters (reporter, published_at, article_id)',

    `create table facet_names (
      facet ${text} not null ${oneOf('facet', 'tag', 'kicker', 'reporter')},
      slug ${text} not null,
      name ${text} not null,
      constraint facet_names_key primary key (facet, slug, name)
    )`,

    `create table article_slugs (
      slug ${text} not null primary key,
      article_id ${text} not null references articles (id) on delete cascade
    )`,

    `create table pending_changes (
      article_id ${text} not null primary key,
      due_at ${int} not null,
      changed_at ${int} not null
    )`,
    'create index pending_changes_due on pending_changes (due_at, article_id)',

    `create table rejections (
      key ${text} not null primary key,
      stage ${text} not null ${oneOf('stage', 'import', 'feed', 'edition')},
      source ${text} not null,
      line ${int},
      article_id ${text},
      problems ${text} not null,
      raw ${text} not null,
      rejected_at ${int} not null
    )`,
    'create index rejections_by_source on rejections (source, line)',

    `create table imported_files (
      path ${text} not null primary key,
      fingerprint ${text} not null,
      imported_at ${int} not null
    )`,
  ];
}

function feeds({ text, int }: ColumnTypes): string[] {
  return [
    // Compressed bodies are base64 until 0026-document-bytes.ts.
    `create table documents (
      path ${text} not null primary key,
      media_type ${text} not null,
      hash ${text} not null,
      modified_at ${int} not null,
      size ${int} not null,
      gzip ${text} not null,
      brotli ${text} not null
    )`,
    // Each publish lists the documents without their bodies. A scan of the table would read past a hundred kilobytes
    // for each of thousands of archive pages.
    'create index documents_heads on documents (path, media_type, hash, modified_at, size)',

    `create table feed_version (
      id ${int} not null primary key check (id = 1),
      version ${int} not null,
      modified_at ${int} not null
    )`,

    `create table archive_members (
      feed ${text} not null,
      article_id ${text} not null,
      recorded_at ${int} not null,
      page ${int},
      constraint archive_members_key primary key (feed, article_id)
    )`,
    'create index archive_members_waiting on archive_members (feed, recorded_at, article_id) where page is null',
    'create index archive_members_by_page on archive_members (feed, page) where page is not null',

    `create table archive_pages (
      feed ${text} not null,
      page ${int} not null,
      month ${text} not null,
      path ${text} not null unique,
      notes_hash ${text} not null,
      closed_at ${int} not null,
      constraint archive_pages_key primary key (feed, page)
    )`,

    `create table archive_feeds (
      feed ${text} not null primary key,
      selection ${text} not null,
      backfilled_to ${text}
    )`,

    `create table feed_readers (
      day ${text} not null,
      path ${text} not null,
      reader ${text} not null,
      requests ${int} not null,
      unchanged ${int} not null,
      constraint feed_readers_key primary key (day, path, reader)
    )`,

    // A row for each feed of an aggregator: two processes that receive reports for different feeds could not keep
    // their sum in one number.
    `create table feed_reader_reports (
      day ${text} not null,
      path ${text} not null,
      reader ${text} not null,
      feed ${text} not null,
      subscribers ${int} not null,
      reported_at ${int} not null,
      constraint feed_reader_reports_key primary key (day, path, reader, feed)
    )`,
  ];
}

function editions({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table editions (
      id ${identity},
      newsletter ${text} not null,
      slot ${text} not null,
      slot_at ${int} not null,
      cutoff_at ${int} not null,
      number ${int} not null,
      headline ${text} not null,
      subject ${text} not null,
      preheader ${text} not null,
      nonce ${text} not null,
      html ${text} not null,
      text ${text} not null,
      archive_html ${text} not null,
      article_id ${text} not null references articles (id),
      closed_at ${int} not null,
      delivery_state ${text} not null default 'delivering'
        ${oneOf('delivery_state', 'delivering', 'paused', 'cancelled', 'done')},
      delivery_reason ${text},
      constraint editions_by_slot unique (newsletter, slot),
      constraint editions_by_number unique (newsletter, number)
    )`,
    "create index editions_in_delivery on editions (id) where delivery_state = 'delivering'",
    // Every publish looks for retracted articles in paused editions as well.
    "create index editions_paused on editions (id) where delivery_state = 'paused'",

    `create table edition_articles (
      edition_id ${int} not null references editions (id),
      newsletter ${text} not null,
      article_id ${text} not null references articles (id),
      block ${text} not null ${oneOf('block', 'lead', 'news', 'analysis', 'roundup', 'also', 'latest')},
      position ${int} not null,
      constraint edition_articles_once primary key (newsletter, article_id)
    )`,
    'create index edition_articles_by_edition on edition_articles (edition_id, position)',

    `create table edition_omissions (
      edition_id ${int} not null references editions (id),
      article_id ${text} not null references articles (id),
      reason ${text} not null ${oneOf('reason', 'aged-out', 'did-not-fit')},
      constraint edition_omissions_key primary key (edition_id, article_id)
    )`,
    'create index edition_omissions_by_article on edition_omissions (article_id, edition_id)',

    `create table edition_corrections (
      newsletter ${text} not null,
      article_id ${text} not null references articles (id),
      noted_at ${int} not null,
      edition_id ${int} not null references editions (id),
      constraint edition_corrections_once primary key (newsletter, article_id, noted_at)
    )`,

    `create table edition_retractions (
      edition_id ${int} not null references editions (id),
      article_id ${text} not null references articles (id),
      noted_at ${int} not null,
      constraint edition_retractions_once primary key (edition_id, article_id, noted_at)
    )`,
  ];
}

function subscribers({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table subscribers (
      id ${identity},
      email ${text} not null,
      email_key ${text} not null unique,
      zone ${text},
      created_at ${int} not null,
      paused_until ${int},
      suppressed_reason ${text} ${suppressionReason('suppressed_reason')},
      suppressed_at ${int}
    )`,

    `create table subscriptions (
      subscriber_id ${int} not null references subscribers (id) on delete cascade,
      newsletter ${text} not null,
      state ${text} not null ${oneOf('state', 'unconfirmed', 'confirmed', 'unsubscribed')},
      changed_at ${int} not null,
      constraint subscriptions_key primary key (subscriber_id, newsletter)
    )`,
    'create index subscriptions_by_newsletter on subscriptions (newsletter, state, subscriber_id)',

    `create table consent_events (
      id ${identity},
      subscriber_id ${int} not null references subscribers (id) on delete cascade,
      newsletter ${text},
      change ${text} not null ${oneOf(
        'change',
        ...['requested', 'confirmed', 'unsubscribed', 'zone', 'paused', 'resumed', 'suppressed', 'unsuppressed'],
        'exported',
      )},
      channel ${text} not null ${oneOf(
        'channel',
        ...['form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click', 'mailto', 'operator', 'import'],
        ...['bounce', 'complaint'],
      )},
      source ${text},
      detail ${text},
      at ${int} not null
    )`,
    'create index consent_events_by_subscriber on consent_events (subscriber_id, id)',

    `create table suppressions (
      address_hash ${text} not null primary key,
      reason ${text} not null ${suppressionReason('reason')},
      at ${int} not null
    )`,
  ];
}

function deliveries({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table deliveries (
      edition_id ${int} not null,
      subscriber_id ${int} not null,
      state ${text} not null ${deliveryState},
      attempts ${int} not null,
      due_at ${int} not null,
      expires_at ${int},
      lease_until ${int},
      fence ${int} not null,
      reply ${text},
      reason ${text},
      changed_at ${int} not null,
      constraint deliveries_once primary key (edition_id, subscriber_id)
    )`,
    // By edition first, so that a paused edition does not delay the others. No index by subscriber: it doubled the
    // time to queue an edition (measured on PostgreSQL, the fortieth edition of 100,000). Queries about one subscriber
    // look by the primary key, edition by edition.
    `create index deliveries_open on deliveries (edition_id, due_at, subscriber_id)
      where state in ('pending', 'submitting')`,

    `create table service_messages (
      id ${identity},
      kind ${text} not null ${oneOf('kind', 'confirm', 'already')},
      subscriber_id ${int} not null,
      newsletters ${text} not null,
      zone ${text},
      after_event ${int},
      state ${text} not null ${deliveryState},
      attempts ${int} not null,
      due_at ${int} not null,
      expires_at ${int} not null,
      lease_until ${int},
      fence ${int} not null,
      reply ${text},
      reason ${text},
      created_at ${int} not null,
      changed_at ${int} not null
    )`,
    `create index service_messages_open on service_messages (due_at, id)
      where state in ('pending', 'submitting')`,
    'create index service_messages_by_subscriber on service_messages (subscriber_id, id)',

    `create table bounces (
      id ${identity},
      edition_id ${int},
      service_message_id ${int},
      subscriber_id ${int} not null,
      kind ${text} not null ${oneOf('kind', 'hard', 'soft', 'complaint')},
      status ${text},
      detail ${text},
      at ${int} not null
    )`,
    'create index bounces_by_subscriber on bounces (subscriber_id, edition_id, kind)',

    // A fraction: at a thousand messages a second and more, whole milliseconds would round the interval to nothing.
    `create table rate_limits (
      key ${text} not null primary key,
      next_at double precision not null
    )`,
    `create table warm_up_days (
      day ${text} not null primary key,
      count ${int} not null
    )`,
    `create table delivery_totals (
      edition_id ${int} not null,
      state ${text} not null ${deliveryState},
      count ${int} not null,
      constraint delivery_totals_key primary key (edition_id, state)
    )`,
  ];
}

function schedules({ text, int }: ColumnTypes): string[] {
  const runState = oneOf('state', 'running', 'done', 'skipped', 'late', 'failed');
  return [
    `create table schedules (
      id ${text} not null primary key,
      cron ${text} not null,
      zone ${text} not null,
      since ${int} not null
    )`,
    `create table runs (
      schedule ${text} not null,
      slot_at ${int} not null,
      state ${text} not null ${runState},
      reason ${text},
      covers ${int} not null,
      attempts ${int} not null,
      started_at ${int} not null,
      finished_at ${int},
      lease_until ${int},
      constraint runs_once primary key (schedule, slot_at)
    )`,
    `create table run_totals (
      schedule ${text} not null,
      state ${text} not null ${runState},
      count ${int} not null,
      constraint run_totals_key primary key (schedule, state)
    )`,
    `create table alerts (
      key ${text} not null primary key,
      message ${text} not null,
      first_at ${int} not null,
      last_at ${int} not null,
      count ${int} not null,
      notified_at ${int},
      resolved_at ${int}
    )`,
    `create table meta (
      key ${text} not null primary key,
      value ${text} not null
    )`,
  ];
}

function hub({ text, int }: ColumnTypes): string[] {
  return [
    `create table hub_subscriptions (
      key ${text} not null primary key,
      topic ${text} not null,
      callback ${text} not null,
      host ${text} not null,
      secret ${text},
      verified_at ${int} not null,
      expires_at ${int} not null,
      version ${int} not null,
      pending ${int} not null ${flag('pending')},
      pending_since ${int} not null,
      due_at ${int} not null,
      attempts ${int} not null,
      failing_since ${int},
      reason ${text},
      delivered_at ${int},
      slow ${int} not null default 0 ${flag('slow')},
      lease_until ${int},
      fence ${int} not null
    )`,
    'create index hub_subscriptions_by_topic on hub_subscriptions (topic, expires_at)',
    'create index hub_subscriptions_by_expiry on hub_subscriptions (expires_at)',
    'create index hub_subscriptions_pending on hub_subscriptions (due_at, key) where pending = 1',

    `create table hub_requests (
      key ${text} not null primary key,
      mode ${text} not null ${oneOf('mode', 'subscribe', 'unsubscribe')},
      topic ${text} not null,
      callback ${text} not null,
      host ${text} not null,
      secret ${text},
      lease_seconds ${int} not null,
      created_at ${int} not null,
      attempts ${int} not null,
      due_at ${int} not null,
      lease_until ${int},
      fence ${int} not null
    )`,
    'create index hub_requests_due on hub_requests (due_at, key)',

    `create table hub_pings (
      topic ${text} not null,
      published_at ${int} not null,
      state ${text} not null ${oneOf('state', 'pending', 'delivered', 'superseded', 'failed')},
      attempts ${int} not null,
      due_at ${int} not null,
      reason ${text},
      lease_until ${int},
      fence ${int} not null,
      constraint hub_pings_once primary key (topic, published_at)
    )`,
    "create index hub_pings_pending on hub_pings (due_at, topic) where state = 'pending'",
    'create index hub_pings_by_publish on hub_pings (published_at, state)',
  ];
}

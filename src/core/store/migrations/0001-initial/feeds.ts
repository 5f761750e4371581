import type { ColumnTypes } from '../column-types.ts';

/** Published documents, archives, counts of feed readers, and the WebSub hub. */
export function feedTables({ text, int, bytes, inKey }: ColumnTypes): string[] {
  return [
    `create table documents (
      path ${text} not null primary key,
      media_type ${text} not null,
      hash ${text} not null,
      modified_at ${int} not null,
      size ${int} not null,
      gzip ${bytes} not null,
      brotli ${bytes} not null
    )`,
    // Each publish lists the documents without their bodies. A scan of the table would read past a hundred kilobytes
    // for each of thousands of archive pages.
    'create index documents_heads on documents (path, media_type, hash, modified_at, size)',

    `create table feed_version (
      id ${int} not null primary key check (id = 1),
      version ${int} not null,
      modified_at ${int} not null
    )`,

    `create table feed_builds (
      feed ${text} not null primary key,
      fingerprint ${text} not null,
      items ${text} not null,
      enters_from ${int} not null,
      page ${int} not null,
      waiting_version ${int} not null
    )`,

    `create table archive_feeds (
      feed ${text} not null primary key,
      selection ${text} not null,
      backfilled_to ${text},
      number ${int} not null,
      waiting_version ${int} not null default 0
    )`,
    'create unique index archive_feeds_by_number on archive_feeds (number)',

    `create table archive_pages (
      feed ${text} not null,
      page ${int} not null,
      month ${text} not null,
      path ${text} not null unique,
      closed_at ${int} not null,
      members ${text} not null,
      changed_at ${int} not null,
      constraint archive_pages_key primary key (feed, page)
    )`,

    // The places of an article in all archives are one row, however many feeds have it.
    `create table archive_places (
      article_id ${text} not null primary key,
      places ${text} not null
    )${inKey}`,

    `create table archive_waiting (
      feed ${text} not null,
      recorded_at ${int} not null,
      article_id ${text} not null,
      bytes ${int} not null,
      constraint archive_waiting_key primary key (feed, recorded_at, article_id)
    )${inKey}`,

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

    `create table hub_subscriptions (
      key ${text} not null primary key,
      topic ${text} not null,
      callback ${text} not null,
      host ${text} not null,
      secret ${text},
      verified_at ${int} not null,
      expires_at ${int} not null,
      version ${int} not null,
      pending ${int} not null check (pending in (0, 1)),
      pending_since ${int} not null,
      due_at ${int} not null,
      attempts ${int} not null,
      failing_since ${int},
      reason ${text},
      delivered_at ${int},
      slow ${int} not null default 0 check (slow in (0, 1)),
      lease_until ${int},
      fence ${int} not null
    )`,
    'create index hub_subscriptions_by_expiry on hub_subscriptions (expires_at)',
    'create index hub_subscriptions_by_topic on hub_subscriptions (topic, expires_at)',
    'create index hub_subscriptions_pending on hub_subscriptions (due_at, key) where pending = 1',

    `create table hub_requests (
      key ${text} not null primary key,
      mode ${text} not null check (mode in ('subscribe', 'unsubscribe')),
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
  ];
}

import type { ColumnTypes } from '../column-types.ts';

/** Subscribers, their consent, and the suppression list. */
export function subscriberTables({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table subscribers (
      id ${identity},
      email ${text} not null,
      email_key ${text} not null unique,
      zone ${text},
      created_at ${int} not null,
      paused_until ${int},
      suppressed_reason ${text}
        check (suppressed_reason in ('hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator')),
      suppressed_at ${int},
      token_version ${int} not null default 1
    )`,
    'create index subscribers_suppressed on subscribers (suppressed_at) where suppressed_at is not null',

    `create table subscriptions (
      subscriber_id ${int} not null references subscribers (id) on delete cascade,
      newsletter ${text} not null,
      state ${text} not null check (state in ('unconfirmed', 'confirmed', 'unsubscribed')),
      changed_at ${int} not null,
      constraint subscriptions_key primary key (subscriber_id, newsletter)
    )`,
    'create index subscriptions_by_newsletter on subscriptions (newsletter, state, subscriber_id)',

    `create table consent_events (
      id ${identity},
      subscriber_id ${int} not null references subscribers (id) on delete cascade,
      newsletter ${text},
      change ${text} not null
        check (change in ('requested', 'confirmed', 'unsubscribed', 'zone', 'paused', 'resumed', 'suppressed',
          'unsuppressed', 'exported')),
      channel ${text} not null
        check (channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click', 'mailto',
          'operator', 'import', 'bounce', 'complaint')),
      source ${text},
      detail ${text},
      at ${int} not null,
      consent_text ${text}
    )`,
    'create index consent_events_by_subscriber on consent_events (subscriber_id, id)',
    "create index consent_events_left on consent_events (newsletter, at, channel) where change = 'unsubscribed'",
    `create index consent_events_with_address on consent_events (at)
      where source is not null and channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click')`,

    `create table consent_texts (
      id ${text} not null primary key,
      version ${text} not null,
      text ${text} not null,
      first_used_at ${int} not null
    )`,

    `create table suppressions (
      address_hash ${text} not null primary key,
      reason ${text} not null
        check (reason in ('hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator')),
      at ${int} not null
    )`,
    'create index suppressions_by_time on suppressions (at, address_hash)',

    `create table unsubscribe_keys (
      fingerprint ${text} not null primary key,
      key ${text} not null,
      used_at ${int} not null
    )`,

    `create table subscriber_imports (
      id ${text} not null primary key,
      account_id ${int} not null,
      state ${text} not null
        check (state in ('checking', 'checked', 'refused', 'importing', 'done', 'failed', 'discarded')),
      file_name ${text} not null,
      file_hash ${text} not null,
      size ${int} not null,
      options ${text} not null,
      rows_read ${int} not null,
      rejected ${int} not null,
      bytes_read ${int} not null,
      report ${text},
      problem ${text},
      created_at ${int} not null,
      changed_at ${int} not null
    )`,
    'create index subscriber_imports_by_time on subscriber_imports (created_at, id)',

    `create table growth_counts (
      quarter ${int} not null,
      newsletter ${text} not null,
      change ${text} not null check (change in ('joined', 'left')),
      slot ${int} not null,
      count ${int} not null,
      constraint growth_counts_key primary key (quarter, newsletter, change, slot)
    )`,
  ];
}

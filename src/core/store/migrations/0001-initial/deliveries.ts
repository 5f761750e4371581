import type { ColumnTypes } from '../column-types.ts';

/** Deliveries, service messages, and what is recorded of them. */
export function deliveryTables({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table deliveries (
      edition_id ${int} not null,
      subscriber_id ${int} not null,
      state ${text} not null check (state in ('pending', 'submitting', 'submitted', 'failed', 'suppressed')),
      attempts ${int} not null,
      due_at ${int} not null,
      expires_at ${int},
      lease_until ${int},
      fence ${int} not null,
      reply ${text},
      reason ${text},
      changed_at ${int} not null,
      delivered_at ${int},
      constraint deliveries_once primary key (edition_id, subscriber_id)
    )`,
    // The first column is the edition, so that a paused edition does not delay the others. No index by subscriber: it
    // doubled the time to queue an edition (measured on PostgreSQL, the fortieth edition of 100,000). Queries about one
    // subscriber look by the primary key, edition by edition.
    "create index deliveries_failed on deliveries (edition_id, subscriber_id) where state = 'failed'",
    `create index deliveries_open on deliveries (edition_id, due_at, subscriber_id)
      where state in ('pending', 'submitting')`,
    `create index deliveries_refused on deliveries (edition_id, subscriber_id)
      where state = 'failed' and substr(reply, 1, 1) = '5'`,
    // Uncertain deliveries are among these few. Without it they are searched in all open ones.
    "create index deliveries_submitting on deliveries (edition_id, subscriber_id) where state = 'submitting'",

    `create table service_messages (
      id ${identity},
      kind ${text} not null check (kind in ('confirm', 'already', 'preferences', 'export', 'erase')),
      subscriber_id ${int} not null,
      newsletters ${text} not null,
      zone ${text},
      after_event ${int},
      state ${text} not null check (state in ('pending', 'submitting', 'submitted', 'failed', 'suppressed')),
      attempts ${int} not null,
      due_at ${int} not null,
      expires_at ${int} not null,
      lease_until ${int},
      fence ${int} not null,
      reply ${text},
      reason ${text},
      created_at ${int} not null,
      changed_at ${int} not null,
      used_at ${int}
    )`,
    'create index service_messages_by_subscriber on service_messages (subscriber_id, id)',
    "create index service_messages_open on service_messages (due_at, id) where state in ('pending', 'submitting')",

    `create table delivery_counts (
      edition_id ${int} not null,
      state ${text} not null check (state in ('pending', 'submitting', 'submitted', 'failed', 'suppressed')),
      slot ${int} not null,
      count ${int} not null,
      entered ${int} not null,
      constraint delivery_counts_key primary key (edition_id, state, slot)
    )`,

    `create table delivered_counts (
      edition_id ${int} not null,
      slot ${int} not null,
      count ${int} not null,
      constraint delivered_counts_key primary key (edition_id, slot)
    )`,

    `create table delivery_totals (
      edition_id ${int} not null,
      state ${text} not null check (state in ('pending', 'submitting', 'submitted', 'failed', 'suppressed')),
      count ${int} not null,
      constraint delivery_totals_key primary key (edition_id, state)
    )`,

    `create table edition_progress (
      edition_id ${int} not null,
      minute ${int} not null,
      at ${int} not null,
      submitted ${int} not null,
      failed ${int} not null,
      constraint edition_progress_key primary key (edition_id, minute)
    )`,

    `create table bounces (
      id ${identity},
      edition_id ${int},
      service_message_id ${int},
      subscriber_id ${int} not null,
      kind ${text} not null check (kind in ('hard', 'soft', 'complaint')),
      status ${text},
      detail ${text},
      at ${int} not null
    )`,
    // The rates of an edition are counted every few seconds while it is delivered to a million subscribers.
    'create index bounces_by_edition on bounces (edition_id, kind, subscriber_id) where edition_id is not null',
    'create index bounces_by_subscriber on bounces (subscriber_id, edition_id, kind)',

    `create table webhook_events (
      provider ${text} not null,
      id ${text} not null,
      received_at ${int} not null,
      constraint webhook_events_key primary key (provider, id)
    )`,
    'create index webhook_events_by_time on webhook_events (received_at)',

    `create table rate_notices (
      edition_id ${int} not null references editions (id) on delete cascade,
      kind ${text} not null check (kind in ('complaint', 'bounce')),
      scope ${text} not null,
      level ${text} not null check (level in ('alert', 'pause')),
      percent double precision not null,
      messages ${int} not null,
      at ${int} not null,
      constraint rate_notices_key primary key (edition_id, kind, scope, level)
    )`,

    // A fraction: at a thousand messages a second and more, whole milliseconds would round the interval to nothing.
    `create table rate_limits (
      key ${text} not null primary key,
      next_at double precision not null,
      counted_at ${int} not null default 0
    )`,

    `create table submission_counts (
      quarter ${int} not null primary key,
      count ${int} not null
    )`,

    `create table edition_refusals (
      edition_id ${int} not null,
      subscriber_id ${int} not null,
      domain ${text} not null,
      kind ${text} not null check (kind in ('permanent', 'uncertain')),
      repeated ${int} not null check (repeated in (0, 1)),
      accepted ${int} not null,
      fence ${int} not null,
      constraint edition_refusals_key primary key (edition_id, subscriber_id)
    )`,
    'create index edition_refusals_in_a_row on edition_refusals (edition_id, accepted)',

    `create table back_off (
      id ${int} not null primary key check (id = 1),
      reason ${text} not null,
      failures ${int} not null,
      since ${int} not null,
      retry_at ${int} not null,
      alerted ${int} not null check (alerted in (0, 1))
    )`,
  ];
}

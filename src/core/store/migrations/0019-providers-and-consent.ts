/**
 * What mail providers report of messages, and the notices of complaint and bounce rates; the wordings of consent; the
 * keys with which unsubscribe links stay valid after the signing secret is replaced.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addProvidersAndConsent(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    `alter table deliveries add column delivered_at ${int}`,
    `create table delivered_counts (
      edition_id ${int} not null,
      slot ${int} not null,
      count ${int} not null,
      constraint delivered_counts_key primary key (edition_id, slot)
    )`,
    // The rates of an edition are counted every few seconds while it is delivered to a million subscribers.
    'create index bounces_by_edition on bounces (edition_id, kind, subscriber_id) where edition_id is not null',
    `create index deliveries_refused on deliveries (edition_id, subscriber_id)
      where state = 'failed' and substr(reply, 1, 1) = '5'`,
    `create table webhook_events (
      provider ${text} not null,
      id ${text} not null,
      received_at ${int} not null,
      constraint webhook_events_key primary key (provider, id)
    )`,
    'create index webhook_events_by_time on webhook_events (received_at)',
    `create table submission_counts (
      quarter ${int} not null primary key,
      count ${int} not null
    )`,
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
    `create table consent_texts (
      id ${text} not null primary key,
      version ${text} not null,
      text ${text} not null,
      first_used_at ${int} not null
    )`,
    `alter table consent_events add column consent_text ${text}`,
    `alter table editions add column token_version ${int} not null default 1 check (token_version in (1, 2))`,
    `create table unsubscribe_keys (
      fingerprint ${text} not null primary key,
      key ${text} not null,
      used_at ${int} not null
    )`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/**
 * What the circuit breaker and the back-off of delivery share between processes: refusals without a success since,
 * paused domains, and how long the server is left alone.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createRefusals(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    // No foreign keys: a row is written in the transaction of an outcome, and deliveries have none either.
    `create table edition_refusals (
      edition_id ${int} not null,
      subscriber_id ${int} not null,
      domain ${text} not null,
      kind ${text} not null check (kind in ('policy', 'permanent', 'throttled', 'temporary', 'uncertain')),
      repeated ${int} not null check (repeated in (0, 1)),
      in_a_row ${int} not null check (in_a_row in (0, 1)),
      fence ${int} not null,
      at ${int} not null,
      constraint edition_refusals_key primary key (edition_id, subscriber_id)
    )`,
    'create index edition_refusals_in_a_row on edition_refusals (edition_id) where in_a_row = 1',
    'create index edition_refusals_by_domain on edition_refusals (edition_id, domain)',
    `create table service_refusals (
      message_id ${int} not null primary key,
      subscriber_id ${int} not null,
      domain ${text} not null,
      fence ${int} not null,
      at ${int} not null
    )`,
    `create table paused_domains (
      edition_id ${int} not null,
      domain ${text} not null,
      reason ${text} not null,
      paused_at ${int} not null,
      constraint paused_domains_key primary key (edition_id, domain)
    )`,
    `create table back_offs (
      scope ${text} not null primary key check (scope in ('server', 'service')),
      cause ${text} not null check (cause in ('temporary', 'configuration', 'refusals')),
      reason ${text} not null,
      failures ${int} not null,
      since ${int} not null,
      failed_at ${int} not null,
      retry_at ${int} not null,
      lease_until ${int},
      alerted ${int} not null check (alerted in (0, 1))
    )`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

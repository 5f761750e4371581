/**
 * WebSub: the subscriptions of the embedded hub, the requests that it verifies, and what another hub is to be told.
 */
import { type Kysely, sql } from 'kysely';
import type { Dialect } from '../store.ts';
import { typesOf } from './column-types.ts';

export async function hub(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int } = typesOf(dialect);

  await db.schema
    .createTable('hub_subscriptions')
    .addColumn('key', text, (c) => c.primaryKey().notNull())
    .addColumn('topic', text, (c) => c.notNull())
    .addColumn('callback', text, (c) => c.notNull())
    .addColumn('host', text, (c) => c.notNull())
    .addColumn('secret', text)
    .addColumn('verified_at', int, (c) => c.notNull())
    .addColumn('expires_at', int, (c) => c.notNull())
    .addColumn('version', int, (c) => c.notNull())
    .addColumn('owed', int, (c) => c.notNull())
    .addColumn('owed_since', int, (c) => c.notNull())
    .addColumn('due_at', int, (c) => c.notNull())
    .addColumn('attempts', int, (c) => c.notNull())
    .addColumn('failing_since', int)
    .addColumn('reason', text)
    .addColumn('told_at', int)
    .addColumn('slow', int, (c) => c.notNull().defaultTo(0))
    .addColumn('claim_until', int)
    .addColumn('fence', int, (c) => c.notNull())
    .execute();
  await sql`create index hub_subscriptions_by_topic on hub_subscriptions (topic, expires_at)`.execute(db);
  await sql`create index hub_subscriptions_by_expiry on hub_subscriptions (expires_at)`.execute(db);
  await sql`create index hub_subscriptions_owed on hub_subscriptions (due_at, key) where owed = 1`.execute(db);

  await db.schema
    .createTable('hub_requests')
    .addColumn('key', text, (c) => c.primaryKey().notNull())
    .addColumn('mode', text, (c) => c.notNull())
    .addColumn('topic', text, (c) => c.notNull())
    .addColumn('callback', text, (c) => c.notNull())
    .addColumn('host', text, (c) => c.notNull())
    .addColumn('secret', text)
    .addColumn('lease_seconds', int, (c) => c.notNull())
    .addColumn('created_at', int, (c) => c.notNull())
    .addColumn('attempts', int, (c) => c.notNull())
    .addColumn('due_at', int, (c) => c.notNull())
    .addColumn('claim_until', int)
    .addColumn('fence', int, (c) => c.notNull())
    .execute();
  await sql`create index hub_requests_due on hub_requests (due_at, key)`.execute(db);

  await db.schema
    .createTable('hub_pings')
    .addColumn('topic', text, (c) => c.notNull())
    .addColumn('published_at', int, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('attempts', int, (c) => c.notNull())
    .addColumn('due_at', int, (c) => c.notNull())
    .addColumn('reason', text)
    .addColumn('claim_until', int)
    .addColumn('fence', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('hub_pings_once', ['topic', 'published_at'])
    .execute();
  await sql`create index hub_pings_open on hub_pings (due_at, topic) where state = 'open'`.execute(db);
  await sql`create index hub_pings_by_publish on hub_pings (published_at, state)`.execute(db);
}

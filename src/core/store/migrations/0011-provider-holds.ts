/** Mailbox providers to which nothing is submitted until somebody decides, and the subscribers who wait meanwhile. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addProviderHolds(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    `create table provider_holds (
      provider ${text} not null primary key,
      edition_id ${int} not null,
      reason ${text} not null,
      opened_at ${int} not null,
      try_at ${int} not null,
      tried_edition_id ${int},
      tried_subscriber_id ${int},
      closed_at ${int}
    )`,
    `alter table subscribers add column held_by ${text}`,
    'create index subscribers_held on subscribers (held_by, id) where held_by is not null',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/**
 * Pictures on other servers, of which feeds state type and size: what is known of each, and the articles that wait for
 * it.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createRemoteImages(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    `create table remote_images (
      key ${text} not null primary key,
      url ${text} not null,
      state ${text} not null check (state in ('pending', 'found', 'failed')),
      type ${text},
      length ${int},
      width ${int},
      height ${int},
      reason ${text},
      attempts ${int} not null,
      due_at ${int} not null,
      lease_until ${int},
      fence ${int} not null,
      checked_at ${int}
    )`,
    `create index remote_images_pending on remote_images (due_at, key) where state = 'pending'`,
    `create index remote_images_failed on remote_images (checked_at, key) where state = 'failed'`,
    `create table remote_image_uses (
      article_id ${text} not null primary key,
      key ${text} not null
    )`,
    'create index remote_image_uses_by_key on remote_image_uses (key, article_id)',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

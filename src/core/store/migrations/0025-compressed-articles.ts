/**
 * The JSON of articles, compressed, and on PostgreSQL two indexes less. What is stored stays as it is until it is
 * written again: to compress a million articles would keep a newsroom waiting for minutes.
 * docs/decisions/2026-11-28-stored-articles.md has the figures.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function compressArticles(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { bytes, int } = columnTypes(dialect);
  await sql.raw(`alter table articles add column compressed ${bytes}`).execute(db);
  await sql.raw(`alter table articles add column json_bytes ${int}`).execute(db);
  // SQLite, whose rows and indexes are smaller, would have to write the whole table again for the rest.
  if (dialect === 'sqlite') return;
  // It would be compressed again, in vain.
  await sql.raw('alter table articles alter column compressed set storage external').execute(db);
  // No query uses their indexes, a twelfth of what an article takes. The key of article_slugs keeps slugs apart, and
  // that of the id tag URIs, which end with it.
  await sql
    .raw('alter table articles drop constraint articles_slug_key, drop constraint articles_tag_uri_key')
    .execute(db);
}

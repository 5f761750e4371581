/**
 * The JSON of articles, compressed. What is stored stays as it is until it is written again: to compress a million
 * articles would keep a newsroom waiting for minutes. docs/decisions/2026-11-28-stored-articles.md has the figures.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function compressArticles(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { bytes, int } = columnTypes(dialect);
  await sql.raw(`alter table articles add column compressed ${bytes}`).execute(db);
  await sql.raw(`alter table articles add column json_bytes ${int}`).execute(db);
  // PostgreSQL would try to compress it again.
  if (dialect === 'postgres') {
    await sql.raw('alter table articles alter column compressed set storage external').execute(db);
  }
}

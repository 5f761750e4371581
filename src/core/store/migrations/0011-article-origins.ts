/**
 * The file or source that brought an article. Null for those of earlier versions: the next import of one sets it.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addArticleOrigins(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text } = columnTypes(dialect);
  await sql.raw(`alter table articles add column origin ${text}`).execute(db);
}

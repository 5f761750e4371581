/**
 * A number that grows with every write of an article's document: what is made of a document, such as an item of a feed,
 * is current as long as the number is the same.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addDocumentVersion(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  // With a constant default, neither database rewrites the rows.
  await sql.raw(`alter table articles add column document_version ${int} not null default 1`).execute(db);
}

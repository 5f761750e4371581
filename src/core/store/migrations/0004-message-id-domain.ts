/**
 * The domain of an edition's Message-IDs, stored when it closes: a retry after a change of the sender's address must
 * have the same Message-ID as the attempt before. Null for editions that closed earlier.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addMessageIdDomain(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text } = columnTypes(dialect);
  await sql`alter table editions add column message_id_domain ${sql.raw(text)}`.execute(db);
}

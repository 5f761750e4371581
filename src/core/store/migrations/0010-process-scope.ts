/**
 * Where the id of a recorded process is unique, so that `status` can tell at once that the process was killed. Null for
 * those that run meanwhile.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addProcessScope(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text } = columnTypes(dialect);
  await sql`alter table processes add column scope ${sql.raw(text)}`.execute(db);
}

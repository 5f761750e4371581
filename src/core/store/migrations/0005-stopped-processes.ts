/** Tells a process that was stopped from one that was killed. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addStoppedProcesses(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  await sql.raw(`alter table processes add column stopped_at ${columnTypes(dialect).int}`).execute(db);
}

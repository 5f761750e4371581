/**
 * The running processes, for `status`.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createProcesses(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  await sql
    .raw(`create table processes (
      id ${text} not null primary key,
      host ${text} not null,
      pid ${int} not null,
      roles ${text} not null,
      version ${text} not null,
      started_at ${int} not null,
      seen_at ${int} not null
    )`)
    .execute(db);
}

/** What ranks the reports of other outlets, and what a rule may credit. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addRoundupRanking(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  await sql.raw(`alter table outlet_items add column position ${int}`).execute(db);
  await sql.raw(`alter table outlet_items add column certain ${int} not null default 0`).execute(db);
}

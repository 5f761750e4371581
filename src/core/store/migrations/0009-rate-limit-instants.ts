/**
 * When each rate limit was last counted. An instant later than now shows that the clock was set back since.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addRateLimitInstants(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  await sql.raw(`alter table rate_limits add column counted_at ${int} not null default 0`).execute(db);
}

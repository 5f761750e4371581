/** What was found of the links of coming editions: a cache, which retention empties. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createLinkChecks(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  await sql
    .raw(
      `create table link_checks (
        key ${text} not null primary key,
        url ${text} not null,
        state ${text} not null check (state in ('works', 'dead', 'unchecked')),
        reason ${text},
        checked_at ${int} not null
      )`,
    )
    .execute(db);
}

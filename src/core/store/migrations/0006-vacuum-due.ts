/**
 * Marks an SQLite store that holds or held addresses to be rewritten: versions before this one left deleted text in its
 * free pages. VACUUM itself cannot run in the transaction of a migration.
 */
import { type Kysely, sql } from 'kysely';

export async function markVacuumDue(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  if (dialect === 'postgres') return;
  await sql`insert into meta (key, value) select 'store.vacuum', 'upgrade'
    where exists (select 1 from subscribers) or exists (select 1 from suppressions)`.execute(db);
}

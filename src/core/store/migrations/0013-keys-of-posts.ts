/** Posts of a CMS have keys, by which other sources of their site are compared with them: all are read once more. */
import { type Kysely, sql } from 'kysely';

export async function readPostsAgain(db: Kysely<unknown>): Promise<void> {
  await sql`update sources set read_to = null where api <> 'feed'`.execute(db);
}

/**
 * Keeps an older build from replacing a newer one: of two processes that publish a feed at once, the one that read the articles
 * first may be the one that writes last.
 */
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';

/**
 * Notes, for each feed, that it is built from what was public at `now`, unless a later instant is noted already. The note locks its
 * row until the transaction ends, so that others wait.
 * @param db a transaction
 * @returns the feeds whose documents may be stored
 */
export async function claimPublish(db: Db, feeds: string[], now: number): Promise<Set<string>> {
  if (feeds.length === 0) return new Set();
  const rows = await db
    .insertInto('meta')
    // Sorted, so that two transactions never wait for each other; padded, so that instants compare as text.
    .values([...feeds].sort().map((feed) => ({ key: KEY + feed, value: String(now).padStart(16, '0') })))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ value: sql`excluded.value` })
        .whereRef('meta.value', '<=', sql.ref('excluded.value') as never),
    )
    .returning('key')
    .execute();
  return new Set(rows.map(({ key }) => key.slice(KEY.length)));
}

const KEY = 'feed-published:';

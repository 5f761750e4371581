/**
 * Keeps an older build from replacing a newer one: of two processes that publish a feed at once, the one that read the articles
 * first may be the one that writes last.
 */
import { sql } from 'kysely';
import { MINUTE } from '../lib/time.ts';
import type { Db } from '../store/store.ts';

/** Clocks that share the work differ by less. A note further ahead is from a clock that has been set back since. */
const CLOCKS_DIFFER_BY = MINUTE;

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
    .values([...feeds].sort().map((feed) => ({ key: KEY + feed, value: padded(now) })))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ value: sql`excluded.value` })
        .where((e) =>
          e.or([
            e('meta.value', '<=', sql.ref<string>('excluded.value')),
            e('meta.value', '>', padded(now + CLOCKS_DIFFER_BY)),
          ]),
        ),
    )
    .returning('key')
    .execute();
  return new Set(rows.map(({ key }) => key.slice(KEY.length)));
}

function padded(instant: number): string {
  return String(instant).padStart(16, '0');
}

const KEY = 'feed-published:';

/**
 * Limits that all processes share and that outlive a restart, by the generic cell rate algorithm (GCRA): for each key one instant,
 * at which the next one would come if they came evenly.
 */
import { SqliteAdapter, sql } from 'kysely';
import type { Db } from './store.ts';

/** One every so many milliseconds in the long run; `burst` of them, 1 or more, may come at once. */
export interface Rate {
  everyMs: number;
  burst: number;
}

export type RateAnswer =
  | { kind: 'granted' }
  /** Not before that instant, and then only where nobody else has been quicker. */
  | { kind: 'refused'; retryAt: number };

/**
 * Takes one of `key`, in one statement: no two processes can both take the last one. What is refused costs nothing.
 * @param key names what is limited, and its kind: `subscribe client …`
 * @param now epoch milliseconds
 */
export async function takeRate(db: Db, key: string, { everyMs, burst }: Rate, now: number): Promise<RateAnswer> {
  const ahead = everyMs * (burst - 1);
  const granted = await db
    .insertInto('rate_limits')
    .values({ key, next_at: now + everyMs })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          next_at: sql<number>`case when rate_limits.next_at > ${instant(now)} then rate_limits.next_at else ${instant(now)} end
            + ${instant(everyMs)}`,
        })
        .where('rate_limits.next_at', '<=', now + ahead),
    )
    .returning('next_at')
    .executeTakeFirst();
  if (granted !== undefined) return { kind: 'granted' };
  const row = await db.selectFrom('rate_limits').select('next_at').where('key', '=', key).executeTakeFirst();
  return { kind: 'refused', retryAt: Math.max(now, Math.ceil((row?.next_at ?? now) - ahead)) };
}

/**
 * Deletes what limits nothing any more.
 * @returns how many
 */
export async function deletePastRates(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('rate_limits')
    .where('key', 'in', (e) =>
      e
        .selectFrom('rate_limits')
        .select('key')
        .where('next_at', '<=', now)
        // It must not wait for whoever holds one of these rows and wants another.
        .$if(!(db.getExecutor().adapter instanceof SqliteAdapter), (q) => q.forUpdate().skipLocked()),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

// PostgreSQL would take a bare parameter of an expression for an integer.
function instant(value: number) {
  return sql<number>`cast(${value} as double precision)`;
}

/**
 * Rate limits that all processes share and that survive a restart, by the generic cell rate algorithm (GCRA): one
 * instant for each key, the theoretical arrival time of the next request.
 */
import { sql } from 'kysely';
import { CLOCK_DIFFERENCE } from '../../lib/time.ts';
import { type Db, dialectOf, inTransaction } from './store.ts';

/** One request every `everyMs` milliseconds in the long run, of which `burst`, 1 or more, may come at once. */
export interface RateLimit {
  everyMs: number;
  burst: number;
}

export type Permit =
  /** `nextAt`: when the whole burst is free again, epoch milliseconds. */
  | { kind: 'granted'; nextAt: number }
  /** Not before that instant, unless another request comes first. */
  | { kind: 'refused'; retryAt: number };

/**
 * Acquires a permit in one statement: no two processes can get the last one. A refusal does not count.
 *
 * Permits counted later than now are from before the clock was set back, and do not count: otherwise nobody would get
 * a permit until the clock has caught up.
 * @param key the kind of limit and its subject: `subscribe client …`
 * @param now epoch milliseconds
 */
export async function acquirePermit(db: Db, key: string, { everyMs, burst }: RateLimit, now: number): Promise<Permit> {
  const ahead = everyMs * (burst - 1);
  const granted = await db
    .insertInto('rate_limits')
    .values({ key, next_at: now + everyMs, counted_at: now })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          next_at: sql<number>`${double(everyMs)}
            + case when ${nextAt(now)} > ${double(now)} then ${nextAt(now)} else ${double(now)} end`,
          counted_at: now,
        })
        .where(sql<boolean>`${nextAt(now)} <= ${double(now + ahead)}`),
    )
    .returning('next_at')
    .executeTakeFirst();
  if (granted !== undefined) return { kind: 'granted', nextAt: granted.next_at };
  const row = await db
    .selectFrom('rate_limits')
    .select(nextAt(now).as('next_at'))
    .where('key', '=', key)
    .executeTakeFirst();
  return { kind: 'refused', retryAt: Math.max(now, Math.ceil((row?.next_at ?? now) - ahead)) };
}

/** The stored instant; one of a clock that was set back since is 0. */
function nextAt(now: number) {
  return sql<number>`case when rate_limits.counted_at > ${double(now + CLOCK_DIFFERENCE)} then 0
    else rate_limits.next_at end`;
}

/** A limit and its key. */
export interface KeyedLimit extends RateLimit {
  key: string;
}

/** Refused: the first limit that is reached. */
export type Permits<Limit> = { kind: 'granted' } | { kind: 'refused'; limit: Limit; retryAt: number };

/**
 * Acquires a permit of each limit, or of none: a refusal by one limit does not count for those before it. Callers give
 * shared limits in the same order, so that two transactions cannot wait for each other.
 * @param db not a transaction: a refusal rolls back
 */
export async function acquirePermits<Limit extends KeyedLimit>(
  db: Db,
  limits: readonly Limit[],
  now: number,
): Promise<Permits<Limit>> {
  let refused: Permits<Limit> | undefined;
  try {
    await inTransaction(db, async (tx) => {
      for (const limit of limits) {
        const permit = await acquirePermit(tx, limit.key, limit, now);
        if (permit.kind === 'granted') continue;
        refused = { ...permit, limit };
        throw new Refusal();
      }
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  return refused ?? { kind: 'granted' };
}

/** Rolls back the permits before a refused one. */
class Refusal extends Error {
  override name = 'Refusal';
}

/** Deletes the rows that no longer limit anything. @returns their number */
export async function deleteExpiredRateLimits(db: Db, now: number): Promise<number> {
  // A transaction that holds one of these rows may want another: waiting for it could be a deadlock.
  const lock = dialectOf(db) === 'postgres' ? sql`for update skip locked` : sql``;
  const { numAffectedRows = 0n } = await sql`
    delete from rate_limits where key in (select key from rate_limits where next_at <= ${now} ${lock})`.execute(db);
  return Number(numAffectedRows);
}

// PostgreSQL would infer an integer for a bare parameter of an expression.
function double(value: number) {
  return sql<number>`cast(${value} as double precision)`;
}

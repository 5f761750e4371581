/**
 * Keeps the state of the rate limiter in the database, under the lock of one row. The instant of the last reservation
 * is stored, too: if it lies in the future, the clock was set back, and all instants are moved by the difference.
 */
import type { Tx } from '../../core/store/store.ts';
import { CLOCK_DIFFERENCE } from '../../lib/clock-watch.ts';
import type { LimiterState } from './reserve-instant.ts';
import { addSubmissions, moveSubmissionsBack, readSubmissionCounts } from './submission-counts.ts';

// Keys of `rate_limits`. A reservation locks the row LATER before any other, until its transaction ends: so there are
// no deadlocks, and an interval is not taken twice.
const LATER = 'delivery later';
const DAY_LATER = 'delivery day-later';
const RESERVED_AT = 'delivery reserved-at';
const BUSY = 'delivery busy ';
const AFTER_BUSY = 'delivery busy!';
const fromOf = (key: string): number => Number(key.slice(BUSY.length));
const domainKey = (domain: string) => `delivery domain ${domain}`;
const domainLaterKey = (domain: string) => `delivery domain-later ${domain}`;

/** Waits for other reservations, then reads the state. @param domains in A-labels, with a limit of their own */
export async function lockState(
  tx: Tx,
  domains: string[],
  days: string[],
  hasDailyLimit: boolean,
  now: number,
): Promise<LimiterState> {
  const later = await tx
    .insertInto('rate_limits')
    .values({ key: LATER, next_at: now })
    .onConflict((conflict) => conflict.column('key').doUpdateSet((e) => ({ next_at: e.ref('rate_limits.next_at') })))
    .returning('next_at')
    .executeTakeFirstOrThrow();
  const movedBy = await followClock(tx, now);
  // Delete past intervals at once: with few messages, each leaves a separate one.
  await tx
    .deleteFrom('rate_limits')
    .where('key', '>', BUSY)
    .where('key', '<', AFTER_BUSY)
    .where('next_at', '<=', now)
    .execute();
  const named = domains.flatMap((domain) => [domainKey(domain), domainLaterKey(domain)]);
  if (hasDailyLimit) named.push(DAY_LATER);
  if (hasDailyLimit && movedBy > 0) await moveSubmissionsBack(tx, now);
  const rows = await tx
    .selectFrom('rate_limits')
    .select(['key', 'next_at'])
    .where('next_at', '>', now)
    .where((e) =>
      e.or([
        e.and([e('key', '>', BUSY), e('key', '<', AFTER_BUSY)]),
        ...(named.length === 0 ? [] : [e('key', 'in', named)]),
      ]),
    )
    .execute();
  const counts =
    days.length === 0
      ? []
      : await tx.selectFrom('warm_up_days').select(['day', 'count']).where('day', 'in', days).execute();
  const at = new Map(rows.map(({ key, next_at }) => [key, next_at]));
  const from = (key: string): number => at.get(key) ?? now;
  return {
    taken: rows
      .filter(({ key }) => key.startsWith(BUSY))
      .map(({ key, next_at }) => ({ from: fromOf(key), until: next_at }))
      .sort((a, b) => a.from - b.from),
    retryAt: later.next_at - movedBy,
    domains: new Map(
      domains.map((domain) => [domain, { next: from(domainKey(domain)), retryAt: from(domainLaterKey(domain)) }]),
    ),
    days: new Map(counts.map(({ day, count }) => [day, count])),
    quarters: hasDailyLimit ? await readSubmissionCounts(tx, now) : [],
    dayRetryAt: from(DAY_LATER),
  };
}

/**
 * Notes the instant of this reservation. If that of the last one lies in the future, the clock was set back: moves all
 * instants. @returns by how many milliseconds
 */
async function followClock(tx: Tx, now: number): Promise<number> {
  const last = await tx.selectFrom('rate_limits').select('next_at').where('key', '=', RESERVED_AT).executeTakeFirst();
  const by = last === undefined ? 0 : last.next_at - now;
  if (by > 0 && by <= CLOCK_DIFFERENCE) return 0;
  await writeRates(tx, [[RESERVED_AT, now]]);
  if (by <= 0) return 0;
  await tx
    .updateTable('rate_limits')
    .set((e) => ({ next_at: e('next_at', '-', by) }))
    .where((e) => e.or([e('key', 'in', [LATER, DAY_LATER]), e('key', 'like', 'delivery domain%')]))
    .execute();
  const busy = await tx
    .deleteFrom('rate_limits')
    .where('key', '>', BUSY)
    .where('key', '<', AFTER_BUSY)
    .returning(['key', 'next_at'])
    .execute();
  const moved = busy.map(({ key, next_at }): [string, number] => [`${BUSY}${fromOf(key) - by}`, next_at - by]);
  await writeRates(tx, moved);
  return by;
}

/** Writes what has changed since `before`. */
export async function saveState(tx: Tx, before: LimiterState, after: LimiterState, now: number): Promise<void> {
  const known = ratesOf(before);
  const rates = ratesOf(after);
  const gone = [...known.keys()].filter((key) => !rates.has(key));
  const changed = [...rates].filter(([key, next_at]) => known.get(key) !== next_at);
  if (gone.length > 0) await tx.deleteFrom('rate_limits').where('key', 'in', gone).execute();
  await writeRates(tx, changed);
  const earlier = new Map(before.quarters.map(({ from, count }) => [from, count]));
  const added = after.quarters
    .map(({ from, count }) => ({ from, count: count - (earlier.get(from) ?? 0) }))
    .filter(({ count }) => count > 0);
  // Increments: service messages are counted without the lock.
  await addSubmissions(tx, added, now);
  const days = [...after.days].filter(([day, count]) => before.days.get(day) !== count);
  if (days.length > 0) {
    await tx
      .insertInto('warm_up_days')
      .values(days.map(([day, count]) => ({ day, count })))
      .onConflict((conflict) => conflict.column('day').doUpdateSet((e) => ({ count: e.ref('excluded.count') })))
      .execute();
  }
}

async function writeRates(tx: Tx, rates: [key: string, nextAt: number][]): Promise<void> {
  if (rates.length === 0) return;
  await tx
    .insertInto('rate_limits')
    .values(rates.map(([key, next_at]) => ({ key, next_at })))
    .onConflict((conflict) => conflict.column('key').doUpdateSet((e) => ({ next_at: e.ref('excluded.next_at') })))
    .execute();
}

function ratesOf({ taken, retryAt, domains, dayRetryAt }: LimiterState): Map<string, number> {
  const rates = new Map([
    [LATER, retryAt],
    [DAY_LATER, dayRetryAt],
  ]);
  for (const { from, until } of taken) rates.set(`${BUSY}${from}`, until);
  for (const [domain, { next, retryAt }] of domains) {
    rates.set(domainKey(domain), next);
    rates.set(domainLaterKey(domain), retryAt);
  }
  return rates;
}

/**
 * Rate limits of submissions: in total, per recipient domain, in 24 hours, and per day while the sender warms up. They
 * are stored in the database, so that all processes share them and a restart does not reset them.
 *
 * With a limit in total, each message takes an interval whose length is the spacing. Taken intervals are stored,
 * because a message for a slow domain takes a later one, and those before it must stay available. For a domain, the
 * instant of its next message is enough.
 *
 * The instant of the last reservation is stored, too: if it lies in the future, the clock was set back, and all
 * instants are moved by the difference.
 */
import { domainToASCII } from 'node:url';
import { Temporal } from 'temporal-polyfill';
import type { Config } from '../../config/config.ts';
import { CLOCK_DIFFERENCE } from '../../lib/clock-watch.ts';
import { localDate, SECOND } from '../../lib/time.ts';
import type { Tx } from '../../store/store.ts';
import { askAgain, editionsPerDay, type QuarterCount, quarterOf, whenAllowed } from './daily-limit.ts';
import { addSubmissions, moveSubmissionsBack, readSubmissionCounts } from './submission-counts.ts';

/**
 * Instants within this many milliseconds are reserved, and the caller waits for them. Later ones are not: they say when
 * to ask again, spread by the same limits, so that not all ask at once.
 */
export const RESERVED_AHEAD = 5 * SECOND;

export interface DeliveryRateLimiter {
  /**
   * Reserves an instant for each row, in order. The spacing is never shorter than the limit: there are no bursts.
   * Unused reservations are lost.
   * @param tx other processes wait for its end, so it should be short
   * @param rows with the recipient's domain, in any spelling
   * @param now epoch milliseconds
   * @returns for each row an instant: reserved if it is at most `now + RESERVED_AHEAD`, otherwise when to ask again
   */
  reserve(tx: Tx, rows: readonly { domain: string }[], now: number): Promise<number[]>;
  /** Whether a domain, in any spelling, has a limit of its own. */
  hasOwnLimit(domain: string): boolean;
}

type RateLimiterConfig = Pick<Config, 'delivery' | 'publication'>;

/** @returns null if nothing is limited */
export function openRateLimiter(config: RateLimiterConfig): DeliveryRateLimiter | null {
  const { perSecond, perDay, domains, warmUp } = config.delivery;
  const isLimited = [perSecond, perDay, warmUp].some((one) => one !== undefined) || Object.keys(domains).length > 0;
  if (!isLimited) return null;
  const spacings = new Map(Object.entries(domains).map(([domain, limit]) => [domain, SECOND / limit.perSecond]));
  const limits: Limits = {
    spacing: perSecond === undefined ? null : SECOND / perSecond,
    spacings,
    perDay: perDay === undefined ? null : editionsPerDay(perDay),
    allowanceOf: (day) => (warmUp === undefined ? null : allowance(warmUp, day)),
    zone: config.publication.zone,
  };
  return {
    async reserve(tx, rows, now) {
      const requested = rows.map(({ domain }) => domainToASCII(domain));
      const limited = [...new Set(requested)].filter((domain) => spacings.has(domain));
      const days = [now, now + RESERVED_AHEAD].map((at) => localDate(at, limits.zone));
      const limitedDays = [...new Set(days)].filter((day) => limits.allowanceOf(day) !== null);
      const isLimitedNow = limits.spacing !== null || limits.perDay !== null;
      if (!isLimitedNow && limited.length === 0 && limitedDays.length === 0) return rows.map(() => now);
      const state = await lockState(tx, limited, limitedDays, limits.perDay !== null, now);
      const before = structuredClone(state);
      const instants = requested.map((domain) => Math.ceil(reserveOne(state, limits, domain, now)));
      await saveState(tx, before, state, now);
      return instants;
    },
    hasOwnLimit: (domain) => spacings.has(domainToASCII(domain)),
  };
}

interface Limits {
  /** Milliseconds from one message to the next; null without a limit in total. */
  spacing: number | null;
  /** The same by domain in A-labels. */
  spacings: ReadonlyMap<string, number>;
  /** Number of messages of editions in 24 hours; null without a limit. */
  perDay: number | null;
  /** Number of messages allowed on a day of the publication's zone; null if that day has no limit. */
  allowanceOf(day: string): number | null;
  zone: string;
}

interface LimiterState {
  taken: Interval[];
  /** When the next message without a reservation should ask again. */
  retryAt: number;
  /** `next`: the instant of the domain's next message. */
  domains: Map<string, { next: number; retryAt: number }>;
  /** Number of reserved messages, by days that have a limit. */
  days: Map<string, number>;
  /** Messages of the last 24 hours, in order; empty without a limit. */
  quarters: QuarterCount[];
  /** When the next message over the limit in 24 hours should ask again. */
  dayRetryAt: number;
}

/** Reserves an instant for one message, in `state`. */
function reserveOne(state: LimiterState, limits: Limits, name: string, now: number): number {
  const { spacing, spacings, perDay, allowanceOf, zone } = limits;
  const horizon = now + RESERVED_AHEAD;
  const domain = state.domains.get(name);
  const domainSpacing = spacings.get(name) ?? 0;
  let earliest = Math.max(now, domain?.next ?? now);
  if (domain !== undefined && earliest > horizon) return nextRetry(domain, earliest, domainSpacing);
  for (;;) {
    const at = spacing === null ? earliest : firstFree(state.taken, earliest, spacing);
    if (at > horizon) return nextRetry(state, at, spacing ?? 0);
    const day = localDate(Math.ceil(at), zone);
    const allowed = allowanceOf(day);
    const count = state.days.get(day) ?? 0;
    if (allowed !== null && count >= allowed) {
      earliest = startOfNextDay(day, zone);
      if (earliest > horizon) return earliest;
      continue;
    }
    const free = perDay === null ? at : whenAllowed(state.quarters, perDay, at);
    if (perDay !== null && free > at) {
      earliest = free;
      if (earliest > horizon) return nextDayRetry(state, earliest, perDay);
      continue;
    }
    if (perDay !== null) addMessage(state.quarters, quarterOf(Math.ceil(at)));
    if (allowed !== null) state.days.set(day, count + 1);
    if (spacing !== null) state.taken = addInterval(state.taken, { from: at, until: at + spacing });
    if (domain !== undefined) domain.next = at + domainSpacing;
    return at;
  }
}

/** When to ask again, not before `earliest`; spread by `spacing`. */
function nextRetry(state: { retryAt: number }, earliest: number, spacing: number): number {
  const at = Math.max(state.retryAt, earliest);
  state.retryAt = at + spacing;
  return at;
}

/** As `nextRetry`, for the limit in 24 hours. */
function nextDayRetry(state: LimiterState, earliest: number, perDay: number): number {
  const { at, spacing } = askAgain(state.quarters, perDay, Math.max(state.dayRetryAt, earliest));
  state.dayRetryAt = at + spacing;
  return at;
}

function addMessage(quarters: QuarterCount[], from: number): void {
  const known = quarters.find((one) => one.from === from);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  quarters.push({ from, count: 1 });
  quarters.sort((a, b) => a.from - b.from);
}

interface Interval {
  from: number;
  /** Exclusive. */
  until: number;
}

/** The first instant, from `earliest` on, at which an interval of that length is free. @param taken in order */
function firstFree(taken: readonly Interval[], earliest: number, length: number): number {
  let at = earliest;
  for (const { from, until } of taken) {
    if (until <= at) continue;
    if (at + length <= from) return at;
    at = until;
  }
  return at;
}

/**
 * Adds a free interval. Gaps that are shorter than it are closed, so that a series of messages is one interval.
 * @param taken in order
 */
function addInterval(taken: readonly Interval[], added: Interval): Interval[] {
  const length = added.until - added.from;
  const before = taken.filter(({ from }) => from < added.from);
  const after = taken.filter(({ from }) => from >= added.from);
  const joined: Interval[] = [];
  for (const interval of [...before, added, ...after]) {
    const last = joined.at(-1);
    if (last !== undefined && interval.from - last.until < length) last.until = interval.until;
    else joined.push({ ...interval });
  }
  return joined;
}

function allowance({ from, perDay }: NonNullable<Config['delivery']['warmUp']>, day: string): number | null {
  const n = Temporal.PlainDate.from(from).until(day, { largestUnit: 'day' }).days;
  return n < 0 ? null : (perDay[n] ?? null);
}

function startOfNextDay(day: string, zone: string): number {
  return Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds;
}

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

async function lockState(
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

async function saveState(tx: Tx, before: LimiterState, after: LimiterState, now: number): Promise<void> {
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

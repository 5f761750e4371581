/**
 * How fast messages may go: in all, to one recipient domain, and in a day while the sender warms up. The limits are kept in the
 * database, so that all processes share them and a restart begins no new allowance.
 *
 * In all, each message takes a stretch of time of its own, as long as the rate says. What is taken is kept as intervals, because a
 * message for a slow domain takes a later stretch, and those before it must still be had. A domain needs but the instant from which
 * its next message may go.
 */
import { domainToASCII } from 'node:url';
import { Temporal } from 'temporal-polyfill';
import type { Config } from '../../config/config.ts';
import { localDate, SECOND } from '../../lib/time.ts';
import type { Db } from '../../store/store.ts';
import { firstFree, type Interval, takeTime } from './busy-time.ts';

/**
 * What may go within so many milliseconds is reserved, for the caller to hold until its instant. What may not has no reservation:
 * its instant is only when to ask again, spread by the same limits so that not all ask at once.
 */
export const RESERVED_AHEAD = 5 * SECOND;

export interface DeliveryRateLimiter {
  /**
   * Reserves for the rows in their order. Two messages never go closer together than the rate says: there is no burst. A reservation
   * that isn't used is lost.
   * @param tx a transaction; other processes wait for its end, so it should be short
   * @param rows by the recipient's domain, in any spelling
   * @param now epoch milliseconds
   * @returns for each row the instant from which it may go: reserved where it's `now + RESERVED_AHEAD` at most, else to be asked for
   *   again then
   */
  reserve(tx: Db, rows: readonly { domain: string }[], now: number): Promise<number[]>;
}

type ThrottleConfig = Pick<Config, 'delivery' | 'publication'>;

/** @returns null where nothing is limited */
export function openRateLimiter(config: ThrottleConfig): DeliveryRateLimiter | null {
  const { perSecond, domains, warmUp } = config.delivery;
  if (perSecond === undefined && warmUp === undefined && Object.keys(domains).length === 0) return null;
  const spacings = new Map(Object.entries(domains).map(([domain, limit]) => [domain, SECOND / limit.perSecond]));
  const limits: Limits = {
    spacing: perSecond === undefined ? null : SECOND / perSecond,
    spacings,
    allowanceOf: (day) => (warmUp === undefined ? null : allowance(warmUp, day)),
    zone: config.publication.zone,
  };
  return {
    async reserve(tx, rows, now) {
      const asked = rows.map(({ domain }) => domainToASCII(domain));
      const limited = [...new Set(asked)].filter((domain) => spacings.has(domain));
      const days = [now, now + RESERVED_AHEAD].map((at) => localDate(at, limits.zone));
      const warming = [...new Set(days)].filter((day) => limits.allowanceOf(day) !== null);
      if (limits.spacing === null && limited.length === 0 && warming.length === 0) return rows.map(() => now);
      const state = await lockState(tx, limited, warming, now);
      const before = structuredClone(state);
      const instants = asked.map((domain) => Math.ceil(reserveOne(state, limits, domain, now)));
      await saveState(tx, before, state);
      return instants;
    },
  };
}

interface Limits {
  /** Milliseconds from one message to the next; null where there is no limit in all. */
  spacing: number | null;
  /** The same by domain, in A-labels. */
  spacings: ReadonlyMap<string, number>;
  /** How many may go on a day of the publication's calendar; null where that day has no limit. */
  allowanceOf(day: string): number | null;
  zone: string;
}

interface State {
  busy: Interval[];
  /** When the next one without a reservation should ask again. */
  later: number;
  domains: Map<string, { next: number; later: number }>;
  /** Messages let go, by the days that have a limit. */
  days: Map<string, number>;
}

/** Reserves for one message, in `state`. @returns its instant */
function reserveOne(state: State, { spacing, spacings, allowanceOf, zone }: Limits, name: string, now: number): number {
  const horizon = now + RESERVED_AHEAD;
  const domain = state.domains.get(name);
  const domainSpacing = spacings.get(name) ?? 0;
  let earliest = Math.max(now, domain?.next ?? now);
  if (domain !== undefined && earliest > horizon) {
    const again = Math.max(domain.later, earliest);
    domain.later = again + domainSpacing;
    return again;
  }
  for (;;) {
    const at = spacing === null ? earliest : firstFree(state.busy, earliest, spacing);
    if (at > horizon) {
      const again = Math.max(state.later, at);
      state.later = again + (spacing ?? 0);
      return again;
    }
    const day = localDate(Math.ceil(at), zone);
    const allowed = allowanceOf(day);
    const count = state.days.get(day) ?? 0;
    if (allowed !== null && count >= allowed) {
      earliest = startOfNextDay(day, zone);
      if (earliest > horizon) return earliest;
      continue;
    }
    if (allowed !== null) state.days.set(day, count + 1);
    if (spacing !== null) state.busy = takeTime(state.busy, { from: at, until: at + spacing });
    if (domain !== undefined) domain.next = at + domainSpacing;
    return at;
  }
}

function allowance({ from, perDay }: NonNullable<Config['delivery']['warmUp']>, day: string): number | null {
  const n = Temporal.PlainDate.from(from).until(day, { largestUnit: 'day' }).days;
  return n < 0 ? null : (perDay[n] ?? null);
}

function startOfNextDay(day: string, zone: string): number {
  return Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds;
}

// Keys of `rate_limits`. Whoever reserves holds the row LATER until its transaction ends, and only then touches the others: no
// deadlock, and no two that count the same stretch as free.
const LATER = 'delivery later';
const BUSY = 'delivery busy ';
const AFTER_BUSY = 'delivery busy!';
const domainKey = (domain: string) => `delivery domain ${domain}`;
const domainLaterKey = (domain: string) => `delivery domain-later ${domain}`;

async function lockState(tx: Db, domains: string[], days: string[], now: number): Promise<State> {
  const later = await tx
    .insertInto('rate_limits')
    .values({ key: LATER, next_at: now })
    .onConflict((conflict) => conflict.column('key').doUpdateSet((e) => ({ next_at: e.ref('rate_limits.next_at') })))
    .returning('next_at')
    .executeTakeFirstOrThrow();
  // What has passed goes at once: where messages are few, each leaves an interval of its own.
  await tx
    .deleteFrom('rate_limits')
    .where('key', '>', BUSY)
    .where('key', '<', AFTER_BUSY)
    .where('next_at', '<=', now)
    .execute();
  const named = domains.flatMap((domain) => [domainKey(domain), domainLaterKey(domain)]);
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
    busy: rows
      .filter(({ key }) => key.startsWith(BUSY))
      .map(({ key, next_at }) => ({ from: Number(key.slice(BUSY.length)), until: next_at }))
      .sort((a, b) => a.from - b.from),
    later: later.next_at,
    domains: new Map(
      domains.map((domain) => [domain, { next: from(domainKey(domain)), later: from(domainLaterKey(domain)) }]),
    ),
    days: new Map(counts.map(({ day, count }) => [day, count])),
  };
}

async function saveState(tx: Db, before: State, after: State): Promise<void> {
  const known = ratesOf(before);
  const rates = ratesOf(after);
  const gone = [...known.keys()].filter((key) => !rates.has(key));
  const changed = [...rates].filter(([key, next_at]) => known.get(key) !== next_at);
  if (gone.length > 0) await tx.deleteFrom('rate_limits').where('key', 'in', gone).execute();
  if (changed.length > 0) {
    await tx
      .insertInto('rate_limits')
      .values(changed.map(([key, next_at]) => ({ key, next_at })))
      .onConflict((conflict) => conflict.column('key').doUpdateSet((e) => ({ next_at: e.ref('excluded.next_at') })))
      .execute();
  }
  const days = [...after.days].filter(([day, count]) => before.days.get(day) !== count);
  if (days.length > 0) {
    await tx
      .insertInto('warm_up_days')
      .values(days.map(([day, count]) => ({ day, count })))
      .onConflict((conflict) => conflict.column('day').doUpdateSet((e) => ({ count: e.ref('excluded.count') })))
      .execute();
  }
}

function ratesOf(state: State): Map<string, number> {
  const rates = new Map([[LATER, state.later]]);
  for (const { from, until } of state.busy) rates.set(`${BUSY}${from}`, until);
  for (const [domain, { next, later }] of state.domains) {
    rates.set(domainKey(domain), next);
    rates.set(domainLaterKey(domain), later);
  }
  return rates;
}

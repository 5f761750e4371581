/**
 * Which instant a message gets under the limits of delivery. Pure.
 *
 * With a limit in total, each message takes an interval whose length is the spacing. Taken intervals are kept, because
 * a message for a slow domain takes a later one, and those before it must stay available. For a domain, the instant of
 * its next message is enough.
 */
import { Temporal } from 'temporal-polyfill';
import { localDate, SECOND } from '../../lib/time.ts';
import { askAgain, type QuarterCount, quarterOf, whenAllowed } from './daily-limit.ts';

/**
 * Instants within this many milliseconds are reserved, and the caller waits for them. Later ones are not: they say when
 * to ask again, spread by the same limits, so that not all ask at once.
 */
export const RESERVED_AHEAD = 5 * SECOND;

export interface SubmissionLimits {
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

export interface LimiterState {
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

interface Interval {
  from: number;
  /** Exclusive. */
  until: number;
}

/** Reserves an instant for one message, in `state`. */
export function reserveInstant(state: LimiterState, limits: SubmissionLimits, name: string, now: number): number {
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

function startOfNextDay(day: string, zone: string): number {
  return Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds;
}

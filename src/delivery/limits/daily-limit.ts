/**
 * The limit of messages in 24 hours, as mail providers count it: over any 24 hours, not by days of a calendar. Messages
 * are counted by quarters of an hour, and a quarter counts until its last message is 24 hours old. So the limit is
 * never exceeded, and a message waits at most a quarter of an hour longer than it must. Pure.
 */
import { DAY, MINUTE } from '../../lib/time.ts';

export const QUARTER = 15 * MINUTE;

/** Messages of the quarter of an hour from an instant on. */
export interface QuarterCount {
  from: number;
  count: number;
}

export function quarterOf(instant: number): number {
  return Math.floor(instant / QUARTER) * QUARTER;
}

/** When a quarter stops to count. */
function endOf(from: number): number {
  return from + QUARTER + DAY;
}

/** Quarters that begin at this instant or earlier do not count any more. */
export function oldestIgnored(now: number): number {
  return now - QUARTER - DAY;
}

/**
 * How many messages of editions are allowed in 24 hours. The rest, 2 %, is for service messages: someone who confirms a
 * subscription does not wait for an edition that used up the limit.
 */
export function editionsPerDay(perDay: number): number {
  return Math.max(1, Math.floor(perDay * 0.98));
}

/**
 * The first instant, from `at` on, at which one more message is allowed.
 * @param counts in order
 */
export function whenAllowed(counts: readonly QuarterCount[], limit: number, at: number): number {
  const counted = counts.filter(({ from }) => endOf(from) > at);
  let total = counted.reduce((sum, { count }) => sum + count, 0);
  let free = at;
  for (const { from, count } of counted) {
    if (total < limit) break;
    total -= count;
    free = endOf(from);
  }
  return free;
}

/**
 * When a message that is not allowed now should ask again: spread as the messages of the last 24 hours were, since
 * their places become free in that order.
 * @param counts in order
 * @param earliest see `whenAllowed`
 * @returns the instant, and the time until that of the next message
 */
export function askAgain(
  counts: readonly QuarterCount[],
  limit: number,
  earliest: number,
): { at: number; spacing: number } {
  const next = counts.find(({ from, count }) => count > 0 && earliest < endOf(from) + QUARTER);
  if (next === undefined) return { at: earliest, spacing: DAY / limit };
  return { at: Math.max(earliest, endOf(next.from)), spacing: QUARTER / next.count };
}

/**
 * Delays between attempts, in milliseconds.
 */
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';

/** 24.6 hours in all: a subscriber that restarts misses nothing, one that is gone is soon given up. */
const DISTRIBUTION_DELAYS = [
  10 * SECOND,
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  4 * HOUR,
  6 * HOUR,
  6 * HOUR,
  6 * HOUR,
];
/** Short, because the subscriber waits for it and repeats its request. */
const VERIFICATION_DELAYS = [5 * SECOND, 30 * SECOND];
/** A ping fails for good this long after its publish. */
export const PING_RETRY_PERIOD = 24 * HOUR;

/** @param failures in a row @returns null after the last attempt */
export function distributionRetryDelay(failures: number): number | null {
  return DISTRIBUTION_DELAYS[failures - 1] ?? null;
}

/** @param failures in a row @returns null after the last attempt */
export function verificationRetryDelay(failures: number): number | null {
  return VERIFICATION_DELAYS[failures - 1] ?? null;
}

/** 5 s, 10 s, 20 s … 10 min. @param failures in a row */
export function pingRetryDelay(failures: number): number {
  return Math.min(5 * SECOND * 2 ** Math.min(failures - 1, 20), 10 * MINUTE);
}

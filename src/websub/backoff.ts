/**
 * How long to wait before something is told again.
 */
import { HOUR, MINUTE, SECOND } from '../lib/time.ts';

/** Content distribution: for about a day in all. A subscriber that was restarted misses nothing; one that is gone is soon let be. */
const DISTRIBUTION = [10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR];
/** Verification of intent: the subscriber waits for it, and asks again by itself. */
const VERIFICATION = [5 * SECOND, 30 * SECOND];
/** After that long without success another hub is told of that publish no more. */
export const PING_FOR = 24 * HOUR;

/** @param failures in a row, the last one included @returns milliseconds, or null where it is given up */
export function distributionWait(failures: number): number | null {
  return DISTRIBUTION[failures - 1] ?? null;
}

/** @param failures in a row, the last one included @returns milliseconds, or null where it is given up */
export function verificationWait(failures: number): number | null {
  return VERIFICATION[failures - 1] ?? null;
}

/** 5 s, 10 s, 20 s … 10 min. @param failures in a row, the last one included @returns milliseconds */
export function pingWait(failures: number): number {
  return Math.min(5 * SECOND * 2 ** Math.min(failures - 1, 20), 10 * MINUTE);
}

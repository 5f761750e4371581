/** How fast an edition is being submitted, and how long that will take. Pure. */
import { SECOND } from '../lib/time.ts';

/** The number of submitted messages of an edition at an instant, in epoch milliseconds. */
export interface RateSample {
  at: number;
  submitted: number;
}

export interface SubmissionRate {
  /** Messages a second; null if it is not known yet. */
  perSecond: number | null;
  /** Milliseconds until nothing is left at this rate; null if it is not known, or nothing is submitted. */
  left: number | null;
}

/** The rate is that of so many milliseconds. */
export const RATE_WINDOW = 10 * SECOND;

/** The shortest time that is measured: in less, a single transaction of marks would decide the rate. */
const SHORTEST = SECOND;

/**
 * The rate between the newest sample and the oldest one of the window before it, or the last one before the window.
 * @param samples oldest first. Samples that are not older than the newest are of a clock that was set back: ignored
 * @param pending messages that are still to be submitted
 */
export function submissionRate(samples: readonly RateSample[], pending: number): SubmissionRate {
  const newest = samples.at(-1);
  if (pending <= 0) return { perSecond: null, left: 0 };
  if (newest === undefined) return UNKNOWN;
  const earlier = samples.filter(({ at }) => newest.at - at >= SHORTEST);
  const first = earlier.find(({ at }) => newest.at - at <= RATE_WINDOW) ?? earlier.at(-1);
  if (first === undefined) return UNKNOWN;
  const over = newest.at - first.at;
  const perSecond = Math.max(0, newest.submitted - first.submitted) / (over / SECOND);
  return { perSecond, left: perSecond > 0 ? (pending / perSecond) * SECOND : null };
}

const UNKNOWN: SubmissionRate = { perSecond: null, left: null };

/** `0.4`, `12.5`, `240`: three digits are enough. */
export function formatRate(perSecond: number): string {
  return perSecond.toLocaleString('en', { maximumSignificantDigits: 3 });
}

/**
 * How old a signed event of a mail provider may be. Within the window, its recorded id makes a replay harmless.
 */
import { DAY, MINUTE } from '../../lib/time.ts';

/** Mail providers repeat an event for one hour (Amazon SNS) to three days at most. */
export const REPLAY_WINDOW = 7 * DAY;

const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;

/** How long the ids of recorded events are kept, from their receipt: longer than a signature of them is accepted. */
export const EVENT_IDS_KEPT = REPLAY_WINDOW + DAY;

/**
 * Checks the instant of a signature.
 * @param signedAt epoch milliseconds
 * @returns why it is refused, or null
 */
export function whyUntimely(signedAt: number, now: number): string | null {
  if (!(signedAt - now <= MAX_CLOCK_DIFFERENCE)) return 'its signature is dated more than five minutes in the future';
  if (!(now - signedAt <= REPLAY_WINDOW)) return 'its signature is older than seven days, so it may be a replay';
  return null;
}

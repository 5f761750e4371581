/** When the feed of an outlet is polled next. Pure. */
import { DAY, HOUR, MINUTE } from '../../lib/time.ts';
import type { PollHints } from '../../sources/feed/poll-hints.ts';
import { JITTER } from '../../sources/polling/poll-state.ts';

/** How a feed behaves, as far as its polls have shown. Milliseconds. */
export interface FeedRhythm {
  /** The median time between two items; null while it is not known. */
  itemGap: number | null;
  /** For how long the last response counts as fresh (`max-age`, RFC 9111 §5.2.2.1); null if it does not say. */
  maxAge: number | null;
  hints: PollHints;
  /** Whether its responses have an ETag or Last-Modified. Without them each poll transfers all of it. */
  hasValidators: boolean;
}

const SHORTEST = 15 * MINUTE;
const LONGEST = 6 * HOUR;
/** Where nothing is known of the items. */
const UNKNOWN = HOUR;
const SHORTEST_WITHOUT_VALIDATORS = HOUR;
/** The longest interval that a feed can ask for. */
const MAX_ASKED = DAY;
/** Spreads the polls that a skipped hour has put off. */
const SPREAD = 5 * MINUTE;

/**
 * The instant of the next poll of a feed that was read: after half the median gap between items, 15 minutes to 6 hours;
 * later if the feed asks for that, by up to a day.
 * @param jitter from -1 to 1: polls are up to 10 % earlier or later, but never earlier than the feed asks for
 */
export function nextPoll(now: number, { itemGap, maxAge, hints, hasValidators }: FeedRhythm, jitter: number): number {
  const half = itemGap === null ? UNKNOWN : Math.min(Math.max(itemGap / 2, SHORTEST), LONGEST);
  const asked = Math.max(maxAge ?? 0, hints.intervalMs ?? 0, hasValidators ? 0 : SHORTEST_WITHOUT_VALIDATORS);
  const least = Math.min(Math.max(asked, SHORTEST), MAX_ASKED);
  const later = (jitter + 1) / 2;
  const interval = Math.max(half * (1 + JITTER * jitter), least * (1 + JITTER * later));
  const at = Math.round(now + interval);
  const open = endOfSkipped(at, hints);
  if (open === at) return at;
  // A feed that skips a whole weekend is polled once a day.
  return Math.max(at, Math.min(Math.round(open + SPREAD * later), now + MAX_ASKED));
}

/** The first instant, from `at` on, in an hour and on a day (UTC) that the feed does not skip. */
function endOfSkipped(at: number, { skipHours, skipDays }: PollHints): number {
  let instant = at;
  // Hours with news exist, and days: at most a week passes until both meet.
  for (let step = 0; step < 8 * 24; step++) {
    const date = new Date(instant);
    if (!skipDays.includes(date.getUTCDay()) && !skipHours.includes(date.getUTCHours())) return instant;
    instant = (Math.floor(instant / HOUR) + 1) * HOUR;
  }
  return instant;
}

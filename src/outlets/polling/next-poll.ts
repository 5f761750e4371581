/** When the feed of an outlet is polled next. Pure. */
import { DAY, HOUR, MINUTE } from '../../lib/time.ts';
import { JITTER } from '../../sources/polling/poll-state.ts';

/** How a feed behaves, as far as its polls have shown. Milliseconds. */
export interface FeedRhythm {
  /** The median time between two items; null while it is not known. */
  itemGap: number | null;
  /** For how long the last response counts as fresh (`max-age`, RFC 9111 §5.2.2.1); null if it does not say. */
  maxAge: number | null;
  /** Whether its responses have an ETag or Last-Modified. Without them each poll transfers all of it. */
  hasValidators: boolean;
}

const SHORTEST = 15 * MINUTE;
const LONGEST = 6 * HOUR;
/** Where nothing is known of the items. */
const UNKNOWN = HOUR;
const SHORTEST_WITHOUT_VALIDATORS = HOUR;
/** The longest interval that a response can ask for. */
const MAX_ASKED = DAY;

/**
 * The instant of the next poll of a feed that was read: after half the median gap between items, 15 minutes to 6 hours;
 * later if its response is fresh for longer, by up to a day.
 * @param jitter from -1 to 1: polls are up to 10 % earlier or later, but never earlier than the response asks for
 */
export function nextPoll(now: number, { itemGap, maxAge, hasValidators }: FeedRhythm, jitter: number): number {
  const half = itemGap === null ? UNKNOWN : Math.min(Math.max(itemGap / 2, SHORTEST), LONGEST);
  const asked = Math.max(maxAge ?? 0, hasValidators ? 0 : SHORTEST_WITHOUT_VALIDATORS);
  const least = Math.min(Math.max(asked, SHORTEST), MAX_ASKED);
  const later = (jitter + 1) / 2;
  const interval = Math.max(half * (1 + JITTER * jitter), least * (1 + JITTER * later));
  return Math.round(now + interval);
}

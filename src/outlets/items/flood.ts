/**
 * How many new items of a feed are too many at once. A feed whose identities have all changed, as after a migration,
 * brings its archive as news; so does one that a stranger has taken over. Pure.
 */
import { DAY, MINUTE } from '../../lib/time.ts';

/** Fewer are never a flood. */
const LEAST = 20;
const FACTOR = 5;
/** The time without polls that counts. */
const MOST_MISSED = 7 * DAY;
/** Of what was missed, for days with more news than others. */
const MISSED_FACTOR = 2;
/** The weight of one poll. The figure follows a change of habits within about ten polls that bring news. */
const WEIGHT = 0.2;
/** A shorter gap between two items says that the dates of a feed are of no use. */
const SHORTEST_GAP = 5 * MINUTE;

export interface FeedHabit {
  /** `nextUsual` of the polls so far; null before the first. */
  usualNew: number | null;
  /** The median time between two items; null if it is not known. Milliseconds. */
  itemGap: number | null;
  /** Since the previous document was read. Milliseconds. */
  sinceRead: number;
}

/**
 * More new items than this are held: five times what polls usually bring, at least 20. After a time without polls, up
 * to a week, also twice what the outlet reports in such a time.
 */
export function floodLimit({ usualNew, itemGap, sinceRead }: FeedHabit): number {
  const missed = itemGap === null ? 0 : Math.min(sinceRead, MOST_MISSED) / Math.max(itemGap, SHORTEST_GAP);
  return Math.max(LEAST, FACTOR * (usualNew ?? 0), MISSED_FACTOR * missed);
}

/**
 * The usual number of new items, after a poll that brought `added`: a moving average over polls that brought any, since
 * most bring none. Floods and the first document do not count.
 */
export function nextUsual(usualNew: number | null, added: number): number | null {
  if (added === 0) return usualNew;
  return usualNew === null ? added : usualNew + WEIGHT * (added - usualNew);
}

/** How many new items of a feed at once are a flood, which waits for the operator. Pure. */
import { DAY, MINUTE } from '../../lib/time.ts';

/** What is known of a feed before its document is recorded. */
export interface FeedMemory {
  /** When its last document was recorded; null before the first. */
  readAt: number | null;
  /** `nextUsual` of the polls so far; null before the first. */
  usualNew: number | null;
  /** The median time between two items, in milliseconds; null if it is not known. */
  itemGap: number | null;
  /** Items that wait for the operator. */
  held: number;
}

/** While items are held, new ones are held too. The first document is mostly archive: it is no flood. */
export function floods({ readAt, held, ...habit }: FeedMemory, added: number, now: number): boolean {
  if (readAt === null) return false;
  return held > 0 || added > floodLimit({ ...habit, sinceRead: now - readAt });
}

/** Fewer are never a flood. */
export const LEAST_FLOOD = 20;
const FACTOR = 5;
/** The time without polls that counts. */
const MOST_MISSED = 7 * DAY;
/** Factor for the items that were missed, since some days have more news than others. */
const MISSED_FACTOR = 2;
/** The weight of one poll. The figure follows a change of habits within about ten polls that bring news. */
const WEIGHT = 0.2;
/** A shorter gap between two items says that the dates of a feed are of no use. */
const SHORTEST_GAP = 5 * MINUTE;

/**
 * More new items than this are held: five times what polls usually bring, at least 20. After a time without polls, up
 * to a week, also twice what the feed brings in such a time.
 * @param feed.sinceRead milliseconds since the previous document was read
 */
export function floodLimit({
  usualNew,
  itemGap,
  sinceRead,
}: Pick<FeedMemory, 'usualNew' | 'itemGap'> & { sinceRead: number }): number {
  const missed = itemGap === null ? 0 : Math.min(sinceRead, MOST_MISSED) / Math.max(itemGap, SHORTEST_GAP);
  return Math.max(LEAST_FLOOD, FACTOR * (usualNew ?? 0), MISSED_FACTOR * missed);
}

/**
 * The usual number of new items, after a poll that brought `added`: a moving average over polls that brought any, since
 * most bring none. Floods and the first document do not count.
 */
export function nextUsual(usualNew: number | null, added: number): number | null {
  if (added === 0) return usualNew;
  return usualNew === null ? added : usualNew + WEIGHT * (added - usualNew);
}

/** Gaps that are measured: those of the newest items. */
const MAX_GAPS = 50;

/**
 * The median time between two items of a feed, in milliseconds.
 * @param instants of its items, in any order; several at one instant count once
 * @returns null for fewer than three
 */
export function medianGap(instants: readonly number[]): number | null {
  const newestFirst = [...new Set(instants)].sort((one, other) => other - one).slice(0, MAX_GAPS + 1);
  if (newestFirst.length < 3) return null;
  const gaps = newestFirst.slice(1).map((instant, index) => (newestFirst[index] as number) - instant);
  gaps.sort((one, other) => one - other);
  const middle = Math.floor(gaps.length / 2);
  const upper = gaps[middle] as number;
  return gaps.length % 2 === 1 ? upper : Math.round(((gaps[middle - 1] as number) + upper) / 2);
}

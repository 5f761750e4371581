/** What becomes of the items of a page: how each is dated, and which ones wait for the operator. Pure. */
import { DAY, SECOND } from '../lib/time.ts';
import { CLOCK_SKEW } from '../sources/feed/dates-ahead.ts';
import type { SourceItemRow } from '../sources/item-state.ts';
import { type FeedMemory, floods, LEAST_FLOOD } from '../sources/polling/flood.ts';

export interface IdentifiedItem {
  /** Null for one that is no item, or repeats another. */
  item: string | null;
  publishedAt: number | null;
  isLeftOut: boolean;
}

export interface PlannedItem {
  item: string;
  publishedAt: number;
  /** Whether `publishedAt` is daywire's, since the source has none that can be true. */
  isDateInvented: boolean;
  isNew: boolean;
  isOnHold: boolean;
}

/** What no source has dated until its first poll is as old as its oldest item, and older than any newsletter's news. */
const LEAST_AGE = 31 * DAY;

/**
 * - An item has the date that its source gives. A feed's date that is ahead of the moment at which the item was first
 *   seen is wrong, also once that date has passed: such an item, and one without a date, is from when it was first
 *   seen. What has no date in the first poll is old, and in the order of the document.
 * - New items of a feed wait where they are a flood, and so do those of any site that would make more than 20 articles
 *   of the first poll today's news. While some wait, later ones do.
 * @param known rows of the items that are stored, by item
 * @param memory.readAt null until a poll has read all of the site
 */
export function planItems(
  items: readonly IdentifiedItem[],
  known: ReadonlyMap<string, SourceItemRow>,
  memory: FeedMemory & { isFeed: boolean },
  now: number,
): (PlannedItem | null)[] {
  const isFirst = memory.readAt === null;
  const oldest = items.reduce((least, { publishedAt }) => Math.min(least, publishedAt ?? least), now - LEAST_AGE);
  const plan = items.map(({ item, publishedAt: written, isLeftOut }, index) => {
    if (item === null) return null;
    const row = known.get(item);
    const latest = memory.isFeed ? (row?.first_seen_at ?? now) + CLOCK_SKEW : Number.POSITIVE_INFINITY;
    // Rows from before items had keys may be dated ahead.
    const invented = Math.min(row?.published_at ?? (written === null && isFirst ? oldest - index * SECOND : now), now);
    const isDateInvented = written === null || written > latest;
    const publishedAt = isDateInvented ? invented : written;
    const isNew = row === undefined && !isLeftOut;
    return { item, publishedAt, isDateInvented, isNew, isOnHold: row?.hold === 'held' || row?.hold === 'ignored' };
  });
  const isFlood = ({ length }: PlannedItem[]): boolean =>
    memory.held > 0 || (isFirst ? length > LEAST_FLOOD : memory.isFeed && floods(memory, length, now));
  const added = plan.filter((planned) => planned !== null).filter(({ isNew }) => isNew);
  const suspects = isFirst || !memory.isFeed ? added.filter(({ publishedAt }) => publishedAt > now - DAY) : added;
  if (isFlood(suspects)) for (const suspect of suspects) suspect.isOnHold = true;
  return plan;
}

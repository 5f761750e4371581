/**
 * The time windows from which an edition takes its stories. No story falls between two editions, and an old archive
 * that is imported does not flood one.
 */
import type { NewsletterConfig } from '../../core/config/config.ts';
import { DAY, HOUR } from '../../lib/time.ts';

/** The age limit of a story; longer where the last edition was closed longer ago. */
const USUAL_WINDOW_HOURS = 48;

/** How long before the last edition's cut-off a story may be dated that was stored too late for that edition. */
const LATENESS_LIMIT = DAY;

export interface EditionWindow {
  /** Stories published at or after this instant are eligible. */
  from: number;
  /**
   * So are stories published at or after this instant that the last edition has not seen: imported or back-dated since.
   */
  unseenFrom: number;
  /** The cut-off: stories published at or after it wait for the next edition. */
  until: number;
  /** Start of the news. */
  newsFrom: number;
  /** Hours that the window has at least, and hours that count as news. */
  windowHours: number;
  newsHours: number;
}

/**
 * Computes the half-open windows of an edition. The age limit is the longest of 48 hours, `newsHours` and the time since the
 * last edition's cut-off: a week in which the clocks go back has 169 hours. The closing instant would not do: a story
 * published between cut-off and closing would be in neither edition.
 * @param lastCutoffAt of the newsletter's last edition, or null before its first
 */
export function editionWindow(
  cutoffAt: number,
  lastCutoffAt: number | null,
  { newsHours }: Pick<NewsletterConfig, 'newsHours'>,
): EditionWindow {
  const windowHours = Math.max(USUAL_WINDOW_HOURS, newsHours);
  const from = Math.min(cutoffAt - windowHours * HOUR, lastCutoffAt ?? Number.POSITIVE_INFINITY);
  const unseenFrom = lastCutoffAt === null ? from : Math.min(from, lastCutoffAt - LATENESS_LIMIT);
  return { from, unseenFrom, until: cutoffAt, newsFrom: cutoffAt - newsHours * HOUR, windowHours, newsHours };
}

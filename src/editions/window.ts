/**
 * Which instants an edition takes its stories from. Nothing falls between two editions, and no old archive floods one.
 */
import { DAY, HOUR } from '../lib/time.ts';

/** How old a story may be at least, and still enter. */
const MINIMUM_AGE_LIMIT = 48 * HOUR;

/** A story that came in too late for an edition may be older than that edition's cut-off by so much, and enters the next. */
const LATENESS_LIMIT = DAY;

export interface EditionWindow {
  /** A story published at or after this instant may enter. */
  from: number;
  /** So may one published at or after this instant that the last edition has not seen: imported or back-dated since. */
  unseenFrom: number;
  /** The cut-off: a story published at or after it waits for the next edition. */
  until: number;
  /** The 24-hour news begins here. */
  newsFrom: number;
}

/**
 * The half-open windows of an edition. The age limit is the longer of 48 hours and the time since the last edition's
 * cut-off; the cut-off and not the moment of closing, since what was published between the two was in neither edition.
 * @param lastCutoffAt of the newsletter's last edition, or null before its first
 */
export function editionWindow(cutoffAt: number, lastCutoffAt: number | null): EditionWindow {
  const from = Math.min(cutoffAt - MINIMUM_AGE_LIMIT, lastCutoffAt ?? Number.POSITIVE_INFINITY);
  const unseenFrom = lastCutoffAt === null ? from : Math.min(from, lastCutoffAt - LATENESS_LIMIT);
  return { from, unseenFrom, until: cutoffAt, newsFrom: cutoffAt - DAY };
}

/**
 * The form of a reader's preferences: what was chosen, and what is wrong with it.
 */
import { Temporal } from 'temporal-polyfill';
import { wallClock } from '../../lib/time.ts';
import type { WebContext } from '../server/web-context.ts';
import { chosenNewsletters } from './newsletter-choice.ts';
import { isOffered } from './time-zones.ts';

export interface PreferencesFields {
  /** Ids. */
  newsletters: string[];
  /** IANA; empty for the publication's. */
  zone: string;
  /** The day on which mail comes again, as `2026-12-01`; empty for no pause. */
  paused: string;
}

export interface PreferencesErrors {
  zone: string | null;
  paused: string | null;
}

export type ReadPreferences =
  | { kind: 'good'; fields: PreferencesFields; pausedUntil: number | null }
  | { kind: 'wrong'; fields: PreferencesFields; errors: PreferencesErrors };

/** Longer than that, a reader who leaves is served better. */
const LONGEST_PAUSE = { years: 1 };

/** The days that a pause may end on, `2026-11-25` to `2027-11-24`, by the calendar of `zone`. */
export function pauseDays(now: number, zone: string): { tomorrow: string; latest: string } {
  const today = wallClock(now, zone).toPlainDate();
  return { tomorrow: today.add({ days: 1 }).toString(), latest: today.add(LONGEST_PAUSE).toString() };
}

/**
 * Reads what was posted.
 * @param own the zone that the reader has, which is good even where the list does not offer it
 * @returns where it is good, also the first instant of the day on which the pause ends, by the calendar of the chosen zone
 */
export function readPreferencesForm(
  web: WebContext,
  posted: URLSearchParams,
  own: string | null,
  now: number,
): ReadPreferences {
  const fields = {
    newsletters: chosenNewsletters(web, posted),
    zone: posted.get('zone') ?? '',
    paused: (posted.get('paused') ?? '').trim().slice(0, 20),
  };
  const isKnownZone = fields.zone === '' || fields.zone === own || isOffered(fields.zone);
  const zone = isKnownZone && fields.zone !== '' ? fields.zone : web.view.zone;
  const pausedUntil = fields.paused === '' ? null : startOfDay(fields.paused, zone, now);
  if (isKnownZone && !Number.isNaN(pausedUntil)) return { kind: 'good', fields, pausedUntil };
  const { tomorrow, latest } = pauseDays(now, zone);
  return {
    kind: 'wrong',
    fields,
    errors: {
      zone: isKnownZone ? null : 'Choose a time zone of the list.',
      paused: Number.isNaN(pausedUntil)
        ? `Choose a day from ${inWords(tomorrow)} to ${inWords(latest)}, such as ${tomorrow}.`
        : null,
    },
  };
}

/** The first instant of a day that a pause may end on; of anything else NaN. */
function startOfDay(text: string, zone: string, now: number): number {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return Number.NaN;
  const { tomorrow, latest } = pauseDays(now, zone);
  // Dates of this form compare as text.
  if (text < tomorrow || text > latest) return Number.NaN;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toZonedDateTime({ timeZone: zone }).epochMilliseconds;
  } catch {
    return Number.NaN;
  }
}

/** `2026-11-25` is November 25, 2026. */
function inWords(day: string): string {
  return Temporal.PlainDate.from(day).toLocaleString('en-US', { dateStyle: 'long' });
}

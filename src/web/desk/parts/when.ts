/** Instants in the publication's zone. */
import { html } from 'hono/html';
import { formatDuration, localDate, localDateTime, localDay, rfc3339 } from '../../../lib/time.ts';
import type { DeskRequest, Html } from '../desk-request.ts';

/** `today 07:30`, `tomorrow 07:30`, `yesterday 07:30`, else `2026-11-24 07:30`; 24 hours. Pure. */
export function whenText(instant: number, now: number, zone: string): string {
  return relativeToDay(localDateTime(instant, zone), now, zone);
}

/** @param local an instant as `2026-11-24 07:30` in the zone */
function relativeToDay(local: string, now: number, zone: string): string {
  const [date = '', time = ''] = local.split(' ');
  const day = daysAround(now, zone).names.get(date);
  return day === undefined ? local : `${day} ${time}`;
}

interface DaysAround {
  /** The day of `now`, half-open, epoch milliseconds. */
  from: number;
  until: number;
  /** By date. */
  names: ReadonlyMap<string, string>;
}

// A page shows up to 200 instants, and each calculation with a zone takes 0.1 ms.
const known = new Map<string, DaysAround>();

function daysAround(now: number, zone: string): DaysAround {
  let days = known.get(zone);
  if (days === undefined || now < days.from || now >= days.until) {
    const { from, until, date } = localDay(now, zone);
    const names = new Map([
      [localDate(from - 1, zone), 'yesterday'],
      [date, 'today'],
      [localDate(until, zone), 'tomorrow'],
    ]);
    days = { from, until, names };
    known.set(zone, days);
  }
  return days;
}

/** `<time>`, with the whole instant as its title. */
export function when({ desk, at }: DeskRequest, instant: number): Html {
  const { zone } = desk.app.config.publication;
  const local = localDateTime(instant, zone);
  const text = relativeToDay(local, at, zone);
  return html`<time datetime="${rfc3339(instant)}" title="${local} ${zone}">${text}</time>`;
}

/** `in 2 h 05 min`, which the script keeps up to date, or `3 min ago`. */
export function fromNow({ at }: DeskRequest, instant: number): Html {
  const text = instant > at ? `in ${formatDuration(instant - at)}` : `${formatDuration(at - instant)} ago`;
  return html`<time datetime="${rfc3339(instant)}" data-from-now>${text}</time>`;
}

/** Instants in the publication's zone. */
import { html } from 'hono/html';
import { DAY, formatDuration, localDate, localDateTime, rfc3339 } from '../../../lib/time.ts';
import type { DeskRequest, Html } from '../desk-request.ts';

/** `today 07:30`, `tomorrow 07:30`, `yesterday 07:30`, else `2026-11-24 07:30`; 24 hours. Pure. */
export function whenText(instant: number, now: number, zone: string): string {
  return relativeToDay(localDateTime(instant, zone), now, zone);
}

const DAYS = ['yesterday', 'today', 'tomorrow'];

/** @param local an instant as `2026-11-24 07:30` in the zone */
function relativeToDay(local: string, now: number, zone: string): string {
  const [date = '', time = ''] = local.split(' ');
  const day = DAYS[1 + (Date.parse(date) - Date.parse(localDate(now, zone))) / DAY];
  return day === undefined ? local : `${day} ${time}`;
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

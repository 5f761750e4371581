/**
 * Instants in the publication's zone.
 */
import { html } from 'hono/html';
import { formatDuration, localDate, localDateTime, rfc3339, wallClock } from '../../lib/time.ts';
import type { DeskRequest, Html } from '../desk-request.ts';

/** `today 07:30`, `tomorrow 07:30`, `yesterday 07:30`, else `2026-11-24 07:30`. Pure. */
export function whenText(instant: number, now: number, zone: string): string {
  const [day, today] = [localDate(instant, zone), localDate(now, zone)];
  const time = clock(instant, zone);
  if (day === today) return `today ${time}`;
  if (day === wallClock(now, zone).add({ days: 1 }).toPlainDate().toString()) return `tomorrow ${time}`;
  if (day === wallClock(now, zone).subtract({ days: 1 }).toPlainDate().toString()) return `yesterday ${time}`;
  return `${day} ${time}`;
}

/** `07:30`, 24 hours. */
function clock(instant: number, zone: string): string {
  return wallClock(instant, zone).toPlainTime().toString({ smallestUnit: 'minute' });
}

/** `<time>`, with the whole instant as its title. */
export function when({ desk, at }: DeskRequest, instant: number): Html {
  const { zone } = desk.app.config.publication;
  return html`<time datetime="${rfc3339(instant)}" title="${localDateTime(instant, zone)} ${zone}">${whenText(
    instant,
    at,
    zone,
  )}</time>`;
}

/** `in 2 h 05 min`, which the script keeps up to date, or `3 min ago`. */
export function fromNow({ at }: DeskRequest, instant: number): Html {
  const text = instant > at ? `in ${formatDuration(instant - at)}` : `${formatDuration(at - instant)} ago`;
  return html`<time datetime="${rfc3339(instant)}" data-from-now>${text}</time>`;
}

/**
 * Instants are epoch milliseconds (UTC). Wall-clock time is used only where people read or write it, in an IANA zone.
 */
import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

/** Returns the current instant in epoch milliseconds. Pure code takes `now` as an argument instead. */
export type Clock = () => number;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** More than the clocks of machines that share a store differ, in milliseconds. */
export const CLOCK_DIFFERENCE = 60 * SECOND;

/** Whether `zone` is an IANA time zone that this system knows, such as `Asia/Shanghai`. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The wall clock of `zone` at an instant. */
export function wallClock(instant: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
}

/** The local date of an instant in `zone`, as `2026-11-24`. */
export function localDate(instant: number, zone: string): string {
  return localText(instant, zone).split('T', 1)[0] as string;
}

/** The local date and time of an instant in `zone`, to the minute, as `2026-11-24 07:30`. */
export function localDateTime(instant: number, zone: string): string {
  return localText(instant, zone).slice(0, -':00.000Z'.length).replace('T', ' ');
}

/** The wall clock of `zone`, as `2026-11-24T07:30:12.345Z`, although it is not UTC. */
function localText(instant: number, zone: string): string {
  return localFields(instant, zone).toISOString();
}

/** The wall clock of `zone` in the UTC fields of a date. */
function localFields(instant: number, zone: string): Date {
  return new Date(instant + offsetAt(instant, zone));
}

// A page shows hundreds of instants, and Temporal takes 0.1 ms for each.
const offsets = new LRUCache<string, number | 'changes'>({ max: 2_000 });

/** How far the wall clock of `zone` is ahead of UTC, in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const from = Math.floor(instant / DAY) * DAY;
  const key = `${zone} ${from}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    const [first, last] = [readOffset(from, zone), readOffset(from + DAY - 1, zone)];
    // No zone ever changed twice within a day: the least were four days, in Freetown in 1939.
    offset = first === last ? first : 'changes';
    offsets.set(key, offset);
  }
  return offset === 'changes' ? readOffset(instant, zone) : offset;
}

function readOffset(instant: number, zone: string): number {
  return wallClock(instant, zone).offsetNanoseconds / 1e6;
}

/** The calendar day of `zone` that contains an instant: its date, its start, and the start of the next day. */
export function localDay(instant: number, zone: string): { date: string; from: number; until: number } {
  const from = wallClock(instant, zone).startOfDay();
  const until = from.add({ days: 1 }).startOfDay();
  return { date: from.toPlainDate().toString(), from: from.epochMilliseconds, until: until.epochMilliseconds };
}

/** The portal's timestamp, `Nov 24, 2026 08:43 PM`, in `zone`. */
export function datelineTime(instant: number, zone: string): string {
  const local = localFields(instant, zone);
  const date = `${MONTHS[local.getUTCMonth()]} ${two(local.getUTCDate())}, ${local.getUTCFullYear()}`;
  return `${date} ${clockText(local, two)}`;
}

/** `8:43 PM` in `zone`. */
export function clockTime(instant: number, zone: string): string {
  return clockText(localFields(instant, zone), String);
}

function clockText(local: Date, showHour: (hour: number) => string): string {
  const hour = local.getUTCHours();
  return `${showHour(hour % 12 === 0 ? 12 : hour % 12)}:${two(local.getUTCMinutes())} ${hour < 12 ? 'AM' : 'PM'}`;
}

/** An instant as RFC 3339 in UTC, `2026-11-24T12:43:00Z`; whole seconds, as feeds and logs show them. */
export function rfc3339(instant: number): string {
  return `${new Date(Math.floor(instant / SECOND) * SECOND).toISOString().slice(0, 19)}Z`;
}

/** `5 d 3 h` from two days on, `26 h 5 min`, `12 min`, `40 s`; rounded down. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  const hours = Math.floor(milliseconds / HOUR);
  if (hours >= 48) return `${Math.floor(hours / 24)} d${hours % 24 > 0 ? ` ${hours % 24} h` : ''}`;
  const minutes = Math.floor((milliseconds % HOUR) / MINUTE);
  return [hours > 0 ? `${hours} h` : '', minutes > 0 ? `${minutes} min` : ''].filter(Boolean).join(' ');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(n: number): string {
  return String(n).padStart(2, '0');
}

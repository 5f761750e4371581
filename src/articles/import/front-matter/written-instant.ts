/** Dates and times as people write them. Pure. */
import { Temporal } from 'temporal-polyfill';

/** `until`: the end of the day, if a day was written without a time; else null. Epoch milliseconds. */
export type WrittenInstant = { kind: 'instant'; at: number; until: number | null } | { kind: 'unclear'; rule: string };

// RFC 822 dates and RFC 3339 have years of four digits.
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(9999, 11, 31);

/** The longest date is `Wednesday, 24 September 2026 09:30:00.123456789 +0000`. */
const MAX_LENGTH = 64;

/**
 * Parses RFC 3339, RFC 822, and dates with or without a time, which are local time in `zone`:
 * `2026-11-24 7:30`, `2026/11/24`, `24.11.2026`, `24 Nov 2026 7:30 pm`, `November 24, 2026`. A date without a time is
 * the start of that day. A local time that the clock skips moves forward by as much; of one that it repeats, the first
 * is meant.
 * @param zone IANA time zone
 * @returns epoch milliseconds between the years 1900 and 9999, or a rule that says what would be right
 */
export function parseWrittenInstant(written: string, zone: string): WrittenInstant {
  const text = written.trim();
  if (text.length > MAX_LENGTH) return unclear(zone);
  const at = readRfc3339(text);
  if (at !== null) return { kind: 'instant', at, until: null };
  if (CLOCK.test(text))
    return { kind: 'unclear', rule: 'has a time but no date: write both, such as 2026-11-24 07:30' };
  const date = readDate(text);
  if (date.kind === 'unclear') return date;
  const time = date.rest === '' ? START_OF_DAY : readTime(date.rest);
  if (time === null) return unclear(zone);
  try {
    const { year, month, day } = date;
    const { offset, ...clock } = time;
    const local = Temporal.PlainDateTime.from({ year, month, day, ...clock }, { overflow: 'reject' });
    const at = local.toZonedDateTime(offset ?? zone).epochMilliseconds;
    if (at < EARLIEST || at > LATEST) return unclear(zone);
    const next = local.toPlainDate().add({ days: 1 });
    return { kind: 'instant', at, until: date.rest === '' ? next.toZonedDateTime(zone).epochMilliseconds : null };
  } catch {
    return { kind: 'unclear', rule: `is not a day or time that exists: must be like 2026-11-24 07:30` };
  }
}

/** As `parseWrittenInstant`. @returns epoch milliseconds, or null where it is unclear */
export function parseInstant(text: string, zone: string): number | null {
  const parsed = parseWrittenInstant(text, zone);
  return parsed.kind === 'instant' ? parsed.at : null;
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/**
 * The form that programs write (RFC 3339 §5.6), without the calendar: an import reads a date in each article.
 * @returns null for every other form, and for what the calendar has to judge
 */
function readRfc3339(text: string): number | null {
  const match = RFC_3339.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match;
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  // Date.UTC takes years before 100 for those of the 20th century.
  if (
    Number(year) < 1_900 ||
    hours > 23 ||
    minutes > 59 ||
    seconds > 59 ||
    Number(offsetHour) > 23 ||
    Number(offsetMinute) > 59
  )
    return null;
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (midnight.getUTCMonth() !== Number(month) - 1 || midnight.getUTCDate() !== Number(day)) return null;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const ofDay = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  const at = midnight.getTime() + ofDay - (sign === '-' ? -offset : offset);
  return at < EARLIEST || at > LATEST ? null : at;
}

function unclear(zone: string): WrittenInstant & { kind: 'unclear' } {
  return { kind: 'unclear', rule: `must be like 2026-11-24 07:30 (local time, ${zone}), or 2026-11-24T07:30:00+08:00` };
}

interface WrittenDate {
  kind: 'date';
  year: number;
  month: number;
  day: number;
  /** What follows the date. */
  rest: string;
}

const YEAR_FIRST = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[Tt]|,?\s+|$)(.*)$/;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{2}|\d{4})(?:,?\s+|$)(.*)$/;
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+/i;
const DAY_MONTH =
  /^(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?:of\s+)?([a-z]{3,9})\.?,?[\s-]+(\d{4})(?:,?\s+|$)(?:at\s+)?(.*)$/i;
const MONTH_DAY = /^([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:,?\s+|$)(?:at\s+)?(.*)$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH_NAMES = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november'],
  'december',
];

function readDate(text: string): WrittenDate | { kind: 'unclear'; rule: string } {
  const [, year, , month, day, rest] = YEAR_FIRST.exec(text) ?? [];
  if (rest !== undefined) return { kind: 'date', year: Number(year), month: Number(month), day: Number(day), rest };
  const last = YEAR_LAST.exec(text);
  if (last !== null) return readYearLast(last.slice(1) as [string, string, string, string, string]);
  const words = text.replace(WEEKDAY, '');
  const [, dayBefore, nameAfter, yearAfter, restAfter] = DAY_MONTH.exec(words) ?? [];
  const [, nameBefore, dayAfter, yearLast, restLast] = MONTH_DAY.exec(words) ?? [];
  const name = (nameAfter ?? nameBefore ?? '').toLowerCase();
  const index = MONTHS.findIndex((one, at) => name === one || name === MONTH_NAMES[at] || name === SEPT[at]);
  if (index === -1)
    return { kind: 'unclear', rule: 'must be a date such as 2026-11-24, or with a time 2026-11-24 07:30' };
  return {
    kind: 'date',
    year: Number(yearAfter ?? yearLast),
    month: index + 1,
    day: Number(dayBefore ?? dayAfter),
    rest: restAfter ?? restLast ?? '',
  };
}

const SEPT: Readonly<Record<number, string>> = { 8: 'sept' };

/** `24.11.2026` begins with the day. `11/24/2026` and `24/11/2026` are clear, and `11/12/2026` is not. */
function readYearLast([first, separator, second, year, rest]: [string, string, string, string, string]) {
  const [a, b] = [Number(first), Number(second)];
  if (year.length < 4) {
    return { kind: 'unclear', rule: 'has a year of two digits: write it with four, such as 2026-11-24' } as const;
  }
  const isDayFirst = separator === '.' || a > 12 || a === b;
  if (!isDayFirst && b <= 12) {
    const dates = [`${year}-${two(a)}-${two(b)}`, `${year}-${two(b)}-${two(a)}`];
    const rule = `can be ${dates.join(' or ')}: write the one that is meant, with the year first`;
    return { kind: 'unclear', rule } as const;
  }
  const [day, month] = isDayFirst ? [a, b] : [b, a];
  return { kind: 'date', year: Number(year), month, day, rest } as const;
}

interface WrittenTime {
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  /** `+08:00`; null for local time. */
  offset: string | null;
}

const START_OF_DAY: WrittenTime = { hour: 0, minute: 0, second: 0, millisecond: 0, offset: null };
const CLOCK = /^\d{1,2}(?:[:.]\d\d)?(?::\d\d(?:\.\d{1,9})?)?\s?(?:[ap]\.?m\.?)?$/i;
const TIME =
  /^(\d{1,2})(?:[:.](\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s?([ap]\.?m\.?)?\s?(z|utc|gmt|[+-]\d\d(?::?\d\d)?)?$/i;

function readTime(text: string): WrittenTime | null {
  const [whole, hours, minute, second = '0', fraction = '', half, zone] = TIME.exec(text) ?? [];
  if (whole === undefined || (minute === undefined && half === undefined)) return null;
  const isAfternoon = /^p/i.test(half ?? '');
  const hour = half === undefined ? Number(hours) : toHour(Number(hours), isAfternoon);
  if (hour === null) return null;
  return {
    hour,
    minute: Number(minute ?? 0),
    second: Number(second),
    millisecond: Number(fraction.padEnd(3, '0').slice(0, 3)),
    offset: zone === undefined ? null : toOffset(zone),
  };
}

function toHour(hour: number, isAfternoon: boolean): number | null {
  return hour < 1 || hour > 12 ? null : (hour % 12) + (isAfternoon ? 12 : 0);
}

function toOffset(zone: string): string {
  if (/^[a-z]/i.test(zone)) return '+00:00';
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

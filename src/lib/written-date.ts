/** Dates and times as people and programs write them, and not only as they should be. Pure. */
import { Temporal } from 'temporal-polyfill';
import { DAY, HOUR, MINUTE, SECOND } from './time.ts';

/** `until`: the end of the day, if a day was written without a time; else null. Epoch milliseconds. */
export type WrittenInstant = { kind: 'instant'; at: number; until: number | null } | { kind: 'unclear'; rule: string };

interface WrittenDate {
  /** The start of the day in UTC. */
  midnight: number;
  /** Milliseconds from the start of the day; null without a time. */
  time: number | null;
  /** Milliseconds east of UTC; null without a zone, NaN for an unknown one. */
  offset: number | null;
  /** Whether day, month and year are written in full, without other words. */
  isClear: boolean;
}

/** Characters. */
const MAX_LENGTH = 100;

/** Seconds since 1970, from 1973 on, and milliseconds. */
const UNIX_TIME = /^\s*(\d{9,10}(?:\.\d{1,9})?|\d{13})\s*$/;

/**
 * Reads a date of a program. With an unknown zone it is in UTC (RFC 5322 §4.3).
 * @param zone of a date and time without one, as an IANA zone; a day without a time begins in UTC
 * @returns epoch milliseconds, or null if the text is no date, or one before 1970-01-02, as programs write for "none"
 */
export function parseWrittenDate(text: string, zone = 'UTC'): number | null {
  const [, unix] = UNIX_TIME.exec(text) ?? [];
  if (unix !== undefined) return Math.floor(Number(unix) * (/^\d{13}/.test(unix) ? 1 : SECOND));
  const written = readWritten(text);
  if (written === null) return null;
  const asUtc = written.midnight + (written.time ?? 0);
  const isLocal = written.offset === null && written.time !== null && zone !== 'UTC';
  const at = isLocal ? localInstant(asUtc, zone) : asUtc - (written.offset || 0);
  return at < DAY ? null : at;
}

const LATEST = Date.UTC(9999, 11, 31);
const TIME_ALONE = /^\d{1,2}(?:[:.]\d\d)?(?::\d\d(?:\.\d{1,9})?)?\s?(?:[ap]\.?m\.?)?$/i;

/**
 * Reads a date that a person wrote. Without a zone it is local time in `zone`; without a time it is the start of that
 * day. A local time that the clock skips moves forward by as much; one that it repeats means the first. The rule that
 * is returned tells the person what is unclear.
 * @param zone IANA time zone
 * @returns epoch milliseconds between the years 1970 and 9999, or a rule that says what would be right
 */
export function parseWrittenInstant(text: string, zone: string): WrittenInstant {
  const rule = `must be a date that exists, like 2026-11-24 07:30 (local time, ${zone}) or 2026-11-24T07:30:00+08:00`;
  if (TIME_ALONE.test(text.trim())) {
    return { kind: 'unclear', rule: 'has a time but no date: write both, such as 2026-11-24 07:30' };
  }
  const dates = readYearLast(text.trim())?.dates ?? [];
  if (dates.length > 1) {
    return { kind: 'unclear', rule: `can be ${dates.join(' or ')}: write the one that is meant, with the year first` };
  }
  const written = readWritten(text);
  if (written === null || !written.isClear || Number.isNaN(written.offset)) return { kind: 'unclear', rule };
  const { midnight, time, offset } = written;
  const at = offset === null ? localInstant(midnight + (time ?? 0), zone) : midnight + (time ?? 0) - offset;
  if (at < 0) return { kind: 'unclear', rule: 'is before 1970: feeds, pages and mail have no earlier dates' };
  if (at > LATEST) return { kind: 'unclear', rule };
  return { kind: 'instant', at, until: time === null ? localInstant(midnight + DAY, zone) : null };
}

/** @param asUtc the instant at which a clock of UTC shows the same */
function localInstant(asUtc: number, zone: string): number {
  return Temporal.PlainDateTime.from(new Date(asUtc).toISOString().slice(0, -1)).toZonedDateTime(zone)
    .epochMilliseconds;
}

/**
 * Dates of RFC 3339, of RFC 822 (with two-digit years, without weekday, seconds or zone, in another order), of W3CDTF
 * (with reduced precision, or as in ISO 8601 §5.2.1: `20261124`, `2026-328`), of `asctime`, and `24.11.2026`.
 */
function readWritten(text: string): WrittenDate | null {
  const written = text.trim();
  if (written.length > MAX_LENGTH) return null;
  const last = readYearLast(written);
  if (last === null) return readIsoDate(written) ?? readNamedMonth(written);
  const [date, other] = last.dates;
  return other === undefined ? readIsoDate(`${date} ${last.rest}`.trim()) : null;
}

const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:,?\s+|$)(.*)$/;

/** `24.11.2026` begins with the day. `11/24/2026` and `24/11/2026` are clear, and `11/12/2026` can be two dates. */
function readYearLast(text: string): { dates: [string, string?]; rest: string } | null {
  const found = YEAR_LAST.exec(text);
  if (found === null) return null;
  const [, first = '', separator, second = '', year = '', rest = ''] = found;
  const isoDate = (month: string, day: string): string => `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const dayFirst = isoDate(second, first);
  const monthFirst = isoDate(first, second);
  if (separator === '.' || Number(first) > 12 || first === second) return { dates: [dayFirst], rest };
  return { dates: Number(second) > 12 ? [monthFirst] : [monthFirst, dayFirst], rest };
}

/** One digit is enough after a separator. */
const MONTH_OR_DAY = /(\d{2}|(?<=[-/.])\d)/.source;
const ISO = new RegExp(
  `^(\\d{4})(?:([-/.]?)(?:(\\d{3})(?!\\d)|${MONTH_OR_DAY}(?:\\2${MONTH_OR_DAY})?))?(?:(?:\\s*T\\s*|,?\\s+|:)(\\d.*))?$`,
  'i',
);

function readIsoDate(written: string): WrittenDate | null {
  const found = ISO.exec(written);
  if (found === null) return null;
  const [, year, , dayOfYear, month = '1', day, time] = found;
  const midnight =
    dayOfYear === undefined
      ? dateOf(Number(year), Number(month), Number(day ?? 1))
      : ordinalDateOf(Number(year), Number(dayOfYear));
  return withTime(midnight, time, day !== undefined);
}

/** By the first letters of their names. RSS requires English ones, but programs write the language of their system. */
const MONTHS: Record<string, number> = {
  ...{ jan: 1, feb: 2, mar: 3, apr: 4, may: 5, jun: 6, jul: 7, aug: 8, sep: 9, oct: 10, nov: 11, dec: 12 },
  ...{ ene: 1, gen: 1, fev: 2, fév: 2, mär: 3, mrz: 3, mrt: 3, maa: 3, abr: 4, avr: 4, mai: 5, mei: 5, mag: 5, maj: 5 },
  ...{ juin: 6, giu: 6, juil: 7, lug: 7, ago: 8, aoû: 8, aou: 8, set: 9, okt: 10, out: 10, ott: 10, dez: 12, déc: 12 },
  dic: 12,
};
/** Before the time: `Tue, 24 Nov 2026`, `24-Nov-26`, `November 24th, 2026`, `Tue Nov 24`. */
const DATE_PART = /\p{L}+|\d+/gu;
const OTHER_WORD = /^(?:st|nd|rd|th|of|at|(?:mon|tue|wed|thu|fri|sat|sun)\p{L}*)$/u;
const TIME = /(?:^|[\s,T])(\d{1,2}:\d{1,2}(?::.*)?.*)$/;
/** `asctime` has the year after the time. */
const YEAR_AT_END = /\s(\d{4})$/;

function readNamedMonth(written: string): WrittenDate | null {
  const text = written.replace(/\([^()]*\)/g, ' ').trim();
  const found = TIME.exec(text);
  const date = found === null ? text : text.slice(0, found.index);
  let time = found?.[1];
  const numbers: string[] = [];
  let month: number | null = null;
  let isClear = true;
  for (const [part] of date.matchAll(DATE_PART)) {
    if (/^\d/.test(part)) {
      numbers.push(part);
      continue;
    }
    const name = part.toLowerCase();
    // The last one: `mar` is also a Tuesday.
    const named = MONTHS[name.slice(0, 4)] ?? MONTHS[name.slice(0, 3)];
    isClear &&= named !== undefined || OTHER_WORD.test(name);
    month = named ?? month;
  }
  if (numbers.length === 1 && time !== undefined) {
    const year = YEAR_AT_END.exec(time);
    if (year !== null) {
      numbers.push(year[1] as string);
      time = time.slice(0, year.index);
    }
  }
  if (month === null || numbers.length !== 2) return null;
  const [first = '', second = ''] = numbers;
  const [day, year] = first.length > 2 ? [second, first] : [first, second];
  return withTime(dateOf(fullYear(year), month, Number(day)), time, isClear && year.length === 4);
}

/** RFC 5322 §4.3: two digits are from 1950 to 2049, three from 1900 on. */
function fullYear(written: string): number {
  const year = Number(written);
  if (written.length === 2) return year < 50 ? 2_000 + year : 1_900 + year;
  return written.length === 3 ? 1_900 + year : year;
}

function dateOf(year: number, month: number, day: number): number | null {
  if (year < 1_000 || year > 9_999 || month < 1 || month > 12 || day < 1) return null;
  const at = Date.UTC(year, month - 1, day);
  return new Date(at).getUTCDate() === day ? at : null;
}

function ordinalDateOf(year: number, day: number): number | null {
  const start = dateOf(year, 1, 1);
  return start === null || day < 1 || day > 366 ? null : start + (day - 1) * DAY;
}

const CLOCK = /^(\d{1,2})(?:[:.]?(\d{2}|(?<=:)\d)(?::?(\d{2})(?:[.,](\d+))?)?)?\s*([ap]\.?m\b\.?)?\s*(.*)$/i;

function withTime(midnight: number | null, written: string | undefined, isClear: boolean): WrittenDate | null {
  if (midnight === null) return null;
  if (written === undefined) return { midnight, time: null, offset: null, isClear };
  const [whole, hours, minutes, seconds = '0', fraction = '', half, zone = ''] = CLOCK.exec(written) ?? [];
  if (whole === undefined) return null;
  let hour = Number(hours);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half[0]?.toLowerCase() === 'p' ? 12 : 0);
  }
  // 24:00 is the end of the day (ISO 8601), and 60 a leap second.
  if (hour > 24 || Number(minutes ?? 0) > 59 || Number(seconds) > 60) return null;
  const offset = readZone(zone);
  if (offset === undefined) return null;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const time = hour * HOUR + Number(minutes ?? 0) * MINUTE + Number(seconds) * SECOND + milliseconds;
  return { midnight, time, offset, isClear: isClear && (minutes ?? half) !== undefined };
}

const ZONE = /^([a-z]{0,5})\s*(?:([+-])\s*(\d{1,2}):?(\d{2})?)?$/i;

/** @returns milliseconds east of UTC, null without a zone, NaN for an unknown name, undefined for what is no zone */
function readZone(written: string): number | null | undefined {
  if (written === '') return null;
  // Some write both: `-0500 EST`.
  const found = ZONE.exec(written.replace(/^([+-]\d{2}:?\d{2})\s+[a-z]+$/i, '$1'));
  if (found === null) return /^[a-z]+\/[a-z_/]+$/i.test(written) ? Number.NaN : undefined;
  const [, name = '', sign, hours = '0', minutes = '0'] = found;
  if (sign === undefined) return (ZONES[name.toUpperCase()] ?? Number.NaN) * HOUR;
  if (Number(hours) > 24 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
}

/** Hours east of UTC. Those of RFC 822, and abbreviations that mean one zone among newsrooms. */
const ZONES: Record<string, number> = {
  ...{ Z: 0, UT: 0, UTC: 0, GMT: 0 },
  ...{ AST: -4, ADT: -3, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
  ...{ ET: -5, CT: -6, MT: -7, PT: -8, AKST: -9, AKDT: -8, HST: -10, NST: -3.5, NDT: -2.5, BRT: -3, ART: -3 },
  ...{ WET: 0, WEST: 1, BST: 1, CET: 1, CEST: 2, MET: 1, MEST: 2, EET: 2, EEST: 3, MSK: 3, SAST: 2, EAT: 3, WAT: 1 },
  ...{ IST: 5.5, PKT: 5, WIB: 7, ICT: 7, HKT: 8, SGT: 8, MYT: 8, PHT: 8, AWST: 8, JST: 9, KST: 9, ACST: 9.5 },
  ...{ ACDT: 10.5, AEST: 10, AEDT: 11, NZST: 12, NZDT: 13 },
};

/** The dates of feeds, as they are written and not only as they should be. */
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/time.ts';

/** Characters. */
const MAX_LENGTH = 100;

/**
 * Reads a date of RFC 822 (with two-digit years, without weekday, seconds or zone, in another order), of W3CDTF (with
 * reduced precision, or as in ISO 8601 §5.2.1: `20261124`, `2026-328`) or of `asctime`. Without a zone, or with an
 * unknown one, it is in UTC.
 * @returns epoch milliseconds, or null if the text is no date, or one before 1970-01-02, as programs write for "none"
 */
export function parseFeedDate(text: string): number | null {
  const written = text.trim();
  if (written.length > MAX_LENGTH) return null;
  const at = readIsoDate(written) ?? readRfcDate(written);
  return at === null || at < DAY ? null : at;
}

/** One digit is enough after a separator. */
const MONTH_OR_DAY = /(\d{2}|(?<=[-/.])\d)/.source;
const ISO = new RegExp(
  `^(\\d{4})(?:([-/.]?)(?:(\\d{3})(?!\\d)|${MONTH_OR_DAY}(?:\\2${MONTH_OR_DAY})?))?(?:(?:\\s*T\\s*|\\s+|:)(\\d.*))?$`,
  'i',
);

function readIsoDate(written: string): number | null {
  const found = ISO.exec(written);
  if (found === null) return null;
  const [, year, , dayOfYear, month = '1', day = '1', time] = found;
  const date =
    dayOfYear === undefined
      ? dateOf(Number(year), Number(month), Number(day))
      : ordinalDateOf(Number(year), Number(dayOfYear));
  if (date === null || time === undefined) return date;
  const clock = readTime(time);
  return clock === null ? null : date + clock;
}

/** By the first letters of their names. RSS requires English ones, but programs write the language of their system. */
const MONTHS: Record<string, number> = {
  ...{ jan: 1, feb: 2, mar: 3, apr: 4, may: 5, jun: 6, jul: 7, aug: 8, sep: 9, oct: 10, nov: 11, dec: 12 },
  ...{ ene: 1, gen: 1, fev: 2, fév: 2, mär: 3, mrz: 3, mrt: 3, maa: 3, abr: 4, avr: 4, mai: 5, mei: 5, mag: 5, maj: 5 },
  ...{ juin: 6, giu: 6, juil: 7, lug: 7, ago: 8, aoû: 8, aou: 8, set: 9, okt: 10, out: 10, ott: 10, dez: 12, déc: 12 },
  dic: 12,
};
/** Before the time: `Tue, 24 Nov 2026`, `24-Nov-26`, `Nov 24, 2026`, `Tue Nov 24`. */
const DATE_PART = /\p{L}+|\d+/gu;
const TIME = /(?:^|[\s,T])(\d{1,2}:\d{1,2}(?::.*)?.*)$/;
/** `asctime` has the year after the time. */
const YEAR_AT_END = /\s(\d{4})$/;

function readRfcDate(written: string): number | null {
  const text = written.replace(/\([^()]*\)/g, ' ').trim();
  const found = TIME.exec(text);
  const date = found === null ? text : text.slice(0, found.index);
  let time = found?.[1] ?? null;
  const numbers: string[] = [];
  let month: number | null = null;
  for (const [part] of date.matchAll(DATE_PART)) {
    if (/^\d/.test(part)) {
      numbers.push(part);
      continue;
    }
    const name = part.toLowerCase();
    // The last one: `mar` is also a Tuesday.
    month = MONTHS[name.slice(0, 4)] ?? MONTHS[name.slice(0, 3)] ?? month;
  }
  if (numbers.length === 1 && time !== null) {
    const year = YEAR_AT_END.exec(time);
    if (year !== null) {
      numbers.push(year[1] as string);
      time = time.slice(0, year.index);
    }
  }
  if (month === null || numbers.length !== 2) return null;
  const [first = '', second = ''] = numbers;
  const [day, year] = first.length > 2 ? [second, first] : [first, second];
  const start = dateOf(fullYear(year), month, Number(day));
  if (start === null || time === null) return start;
  const clock = readTime(time);
  return clock === null ? null : start + clock;
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

const CLOCK = /^(\d{1,2})(?::?(\d{2}|(?<=:)\d)(?::?(\d{2})(?:[.,]\d+)?)?)?\s*([ap]\.?m\b\.?)?\s*(.*)$/i;

/** @returns milliseconds from the start of the day in UTC */
function readTime(written: string): number | null {
  const found = CLOCK.exec(written);
  if (found === null) return null;
  const [, hours, minutes = '0', seconds = '0', half, zone = ''] = found;
  let hour = Number(hours);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half[0]?.toLowerCase() === 'p' ? 12 : 0);
  }
  // 24:00 is the end of the day (ISO 8601), and 60 a leap second.
  if (hour > 24 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  const offset = readZone(zone);
  return offset === null ? null : hour * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND - offset;
}

const ZONE = /^([a-z]{0,5})\s*(?:([+-])\s*(\d{1,2}):?(\d{2})?)?$/i;

/** @returns milliseconds east of UTC, 0 if the name is unknown (RFC 5322 §4.3), null for what is no zone */
function readZone(written: string): number | null {
  // Some write both: `-0500 EST`.
  const found = ZONE.exec(written.replace(/^([+-]\d{2}:?\d{2})\s+[a-z]+$/i, '$1'));
  if (found === null) return /^[a-z]+\/[a-z_/]+$/i.test(written) ? 0 : null;
  const [, name = '', sign, hours = '0', minutes = '0'] = found;
  if (sign === undefined) return (ZONES[name.toUpperCase()] ?? 0) * HOUR;
  if (Number(hours) > 24 || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
}

/** Hours east of UTC. Those of RFC 822, and abbreviations that mean one zone among newsrooms. */
const ZONES: Record<string, number> = {
  ...{ AST: -4, ADT: -3, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
  ...{ ET: -5, CT: -6, MT: -7, PT: -8, AKST: -9, AKDT: -8, HST: -10, NST: -3.5, NDT: -2.5, BRT: -3, ART: -3 },
  ...{ WET: 0, WEST: 1, BST: 1, CET: 1, CEST: 2, MET: 1, MEST: 2, EET: 2, EEST: 3, MSK: 3, SAST: 2, EAT: 3, WAT: 1 },
  ...{ IST: 5.5, PKT: 5, WIB: 7, ICT: 7, HKT: 8, SGT: 8, MYT: 8, PHT: 8, AWST: 8, JST: 9, KST: 9, ACST: 9.5 },
  ...{ ACDT: 10.5, AEST: 10, AEDT: 11, NZST: 12, NZDT: 13 },
};

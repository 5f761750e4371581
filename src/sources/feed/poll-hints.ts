/** How often a feed asks to be polled, and when not. */
import { DAY, HOUR, MINUTE } from '../../lib/time.ts';
import { elementsOf, textOf, type XmlElement } from './xml-element.ts';

export interface PollHints {
  /** Milliseconds between polls: the longer of `ttl` and the update period. At most a year; null without either. */
  intervalMs: number | null;
  /** Hours of the day without news, 0 to 23, UTC, ascending. Never all of them. */
  skipHours: number[];
  /** Days of the week without news, 0 (Sunday) to 6, UTC, ascending. Never all of them. */
  skipDays: number[];
}

export const NO_HINTS: PollHints = { intervalMs: null, skipHours: [], skipDays: [] };

const PERIODS = new Map([
  ['hourly', HOUR],
  ['daily', DAY],
  ['weekly', 7 * DAY],
  ['monthly', 30 * DAY],
  ['yearly', 365 * DAY],
]);
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MAX_INTERVAL = 365 * DAY;
/** Entries of a list that are read: more than a day has hours. */
const MAX_ENTRIES = 100;

/**
 * @param head elements of the channel or feed: `ttl`, `skipHours` and `skipDays` of RSS 2.0, `updatePeriod` and
 *   `updateFrequency` of the syndication module of RSS 1.0, in any format
 */
export function readPollHints(head: XmlElement[]): PollHints {
  const find = (wanted: string): XmlElement | undefined => head.find(({ name }) => name === wanted);
  const ttl = countIn(find('rss:ttl'));
  const intervals = [ttl === null ? null : ttl * MINUTE, updateInterval(find('sy:updateperiod'), find(FREQUENCY))];
  const longest = Math.max(...intervals.map((interval) => interval ?? 0));
  return {
    intervalMs: longest === 0 ? null : Math.min(Math.round(longest), MAX_INTERVAL),
    skipHours: entriesIn(find('rss:skiphours'), hourOf, 24),
    skipDays: entriesIn(find('rss:skipdays'), dayOf, 7),
  };
}

const FREQUENCY = 'sy:updatefrequency';

/** The period defaults to a day, and the frequency to once in a period. */
function updateInterval(period: XmlElement | undefined, frequency: XmlElement | undefined): number | null {
  if (period === undefined && frequency === undefined) return null;
  const length = period === undefined ? DAY : PERIODS.get(textOf(period).trim().toLowerCase());
  return length === undefined ? null : length / (countIn(frequency) ?? 1);
}

/** A whole number above 0, of at most nine digits. */
function countIn(element: XmlElement | undefined): number | null {
  const digits = element === undefined ? undefined : /^\s*(\d{1,9})\s*$/.exec(textOf(element).slice(0, 100))?.[1];
  return digits === undefined || Number(digits) === 0 ? null : Number(digits);
}

/** A list that leaves nothing of the day or the week says nothing. */
function entriesIn(list: XmlElement | undefined, read: (text: string) => number | null, all: number): number[] {
  if (list === undefined) return [];
  const entries = elementsOf(list).slice(0, MAX_ENTRIES);
  const numbers = new Set(entries.flatMap((entry) => read(textOf(entry).slice(0, 100).trim()) ?? []));
  return numbers.size === all ? [] : [...numbers].sort((one, other) => one - other);
}

/** Midnight is 0, and in older feeds 24. */
function hourOf(text: string): number | null {
  return /^(?:[01]?\d|2[0-4])$/.test(text) ? Number(text) % 24 : null;
}

function dayOf(text: string): number | null {
  const day = DAYS.indexOf(text.toLowerCase());
  return day === -1 ? null : day;
}

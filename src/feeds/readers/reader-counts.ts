/**
 * Counts who reads the feeds, in memory first: answering a request never waits for the store. What is counted is a day, a document, a
 * reader's name and a number, and nothing of a person.
 */
import { createHash } from 'node:crypto';
import { type Clock, localDay } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { HEADER_LIMIT, isKnownReader, OTHER, type ReaderName, readerName } from './reader-name.ts';
import { addRequests, type ReportRow, type RequestRow, saveReports } from './reader-rows.ts';

/** How a request of a feed was answered: with all of it (200), or that nothing is new (304). */
export type FeedAnswer = 'full' | 'unchanged';

export interface ReaderCounter {
  /**
   * Counts one answer. Quick (some 0.2 µs where the header is known), and never throws.
   * @param path of a document that exists, below feeds/
   */
  count(path: string, userAgent: string | null | undefined, answer: FeedAnswer): void;
  /**
   * Adds what was counted to the store. What could not be added is kept for the next time.
   * @throws what the store throws
   */
  flush(): Promise<void>;
}

/** Names a day that are no program's we know: anybody can make one up. */
const STRANGERS = 300;
/** Pairs of a document and a reader a day; a large newsroom has a tenth of them. */
const PAIRS = 20_000;
/** An aggregator's own feeds of one document, and all such reports of a day. */
const FEEDS = 16;
const REPORTS = 20_000;
/** Days that wait for a store that is away; then the oldest is given up. */
const DAYS = 7;
/** User-Agent headers that are remembered, twice. */
const HEADERS = 1_000;
/** Rows in one statement: a few milliseconds' writing. */
const AT_ONCE = 1_000;

/** What has not been added to the store yet. */
interface ReaderTally extends RequestRow {
  /** By the reader's own feed. */
  reports: Map<string, Report> | null;
}

interface Report extends ReportRow {
  isSaved: boolean;
}

/** A day's counts so far. Pairs stay when they have been added, so that their number bounds the day's rows. */
interface Day {
  date: string;
  from: number;
  until: number;
  documents: Map<string, Map<string, ReaderTally>>;
  pairs: number;
  strangers: Set<string>;
  reports: number;
}

/** @param where.zone the publication's, whose midnight ends a day */
export function openReaderCounter(where: { store: Store; clock: Clock; zone: string }): ReaderCounter {
  const { store, clock, zone } = where;
  const days = new Map<string, Day>();
  let nameOf = rememberNames();
  let today = dayOf(clock());
  let flushing: Promise<void> = Promise.resolve();

  function dayOf(now: number): Day {
    const { date, from, until } = localDay(now, zone);
    const known = days.get(date);
    if (known !== undefined) return known;
    // Headers of other days are not remembered.
    nameOf = rememberNames();
    const day = { date, from, until, documents: new Map(), pairs: 0, strangers: new Set<string>(), reports: 0 };
    days.set(date, day);
    for (const oldest of days.keys()) if (days.size > DAYS) days.delete(oldest);
    return day;
  }

  async function write(): Promise<void> {
    for (const day of [...days.values()]) {
      const tallies = talliesOf(day).sort(byKey);
      const counted = tallies.filter((tally) => tally.requests > 0);
      for (let at = 0; at < counted.length; at += AT_ONCE) {
        const some = counted.slice(at, at + AT_ONCE);
        const rows = some.map(({ reports: _, ...row }) => row);
        await addRequests(store, day.date, rows);
        // Only now, and only that: meanwhile more may have been counted.
        for (const [n, row] of rows.entries()) subtract(some[n] as ReaderTally, row);
      }
      const reports = tallies
        .flatMap((tally) => [...(tally.reports?.values() ?? [])].sort(byFeed))
        .filter((report) => !report.isSaved);
      for (let at = 0; at < reports.length; at += AT_ONCE) {
        const some = reports.slice(at, at + AT_ONCE);
        await saveReports(store, day.date, some);
        for (const report of some) report.isSaved = true;
      }
      if (day !== today && !hasUnsaved(day)) days.delete(day.date);
    }
  }

  return {
    count(path, userAgent, answer) {
      const now = clock();
      if (now < today.from || now >= today.until) today = dayOf(now);
      const name = nameOf(userAgent);
      const tally = tallyOf(today, foldPath(path), name.reader);
      tally.requests++;
      if (answer === 'unchanged') tally.unchanged++;
      if (name.subscribers !== null && tally.reader !== OTHER) report(today, tally, name, now);
    },
    flush() {
      const mine = flushing.then(write);
      flushing = mine.catch(() => {});
      return mine;
    },
  };
}

/**
 * The name in the statistics: archives and combined feeds, of which there is no end, go by their kind.
 */
function foldPath(path: string): string {
  if (path.startsWith('custom')) return /^custom(?:[./]|$)/.test(path) ? 'custom' : path;
  if (!path.startsWith('archive/')) return path;
  const [, feed, document] = path.split('/', 3);
  return document === undefined ? 'archive' : `archive/${feed}`;
}

function tallyOf(day: Day, path: string, reader: string): ReaderTally {
  return day.documents.get(path)?.get(reader) ?? newTally(day, path, nameWithin(day, reader));
}

function nameWithin({ strangers }: Day, reader: string): string {
  if (isKnownReader(reader) || strangers.has(reader)) return reader;
  if (strangers.size >= STRANGERS) return OTHER;
  strangers.add(reader);
  return reader;
}

function newTally(day: Day, path: string, reader: string): ReaderTally {
  // A stranger beyond the limit may have been counted as another before.
  const known = day.documents.get(path)?.get(reader);
  if (known !== undefined) return known;
  if (day.pairs >= PAIRS && path !== OTHER) return newTally(day, OTHER, OTHER);
  const tally: ReaderTally = { path, reader, requests: 0, unchanged: 0, reports: null };
  let byReader = day.documents.get(path);
  if (byReader === undefined) {
    byReader = new Map();
    day.documents.set(path, byReader);
  }
  byReader.set(reader, tally);
  day.pairs++;
  return tally;
}

function report(day: Day, tally: ReaderTally, name: ReaderName, now: number): void {
  const { path, reader } = tally;
  const feed = name.id ?? '';
  tally.reports ??= new Map();
  if (!tally.reports.has(feed)) {
    if (tally.reports.size >= FEEDS || day.reports >= REPORTS) return;
    day.reports++;
  }
  // A new object: the one before may be on its way to the store.
  const subscribers = name.subscribers as number;
  tally.reports.set(feed, { path, reader, feed, subscribers, reportedAt: now, isSaved: false });
}

function subtract(tally: ReaderTally, added: RequestRow): void {
  tally.requests -= added.requests;
  tally.unchanged -= added.unchanged;
}

function hasUnsaved(day: Day): boolean {
  return talliesOf(day).some(({ requests, reports }) => {
    return requests > 0 || (reports !== null && [...reports.values()].some((one) => !one.isSaved));
  });
}

function talliesOf({ documents }: Day): ReaderTally[] {
  return [...documents.values()].flatMap((byReader) => [...byReader.values()]);
}

/**
 * Names by their headers, the least recently asked for forgotten first: two generations, of which the older is dropped when the younger
 * is full. A hit in the younger one moves nothing.
 */
function rememberNames(): (userAgent: string | null | undefined) => ReaderName {
  let young = new Map<string, ReaderName>();
  let old = new Map<string, ReaderName>();
  return (userAgent) => {
    if (!userAgent || userAgent.length > HEADER_LIMIT) return withDigest(readerName(userAgent));
    let name = young.get(userAgent);
    if (name !== undefined) return name;
    name = old.get(userAgent) ?? withDigest(readerName(userAgent));
    if (young.size >= HEADERS) {
      old = young;
      young = new Map();
    }
    young.set(userAgent, name);
    return name;
  };
}

/** An id may be any text that a header holds: only a digest of it is kept. */
function withDigest(name: ReaderName): ReaderName {
  if (name.id === null) return name;
  return { ...name, id: createHash('sha256').update(name.id).digest('hex').slice(0, 12) };
}

function byKey(a: RequestRow, b: RequestRow): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.reader < b.reader ? -1 : 1;
}

function byFeed(a: ReportRow, b: ReportRow): number {
  return a.feed < b.feed ? -1 : 1;
}

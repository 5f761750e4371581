/**
 * Counts requests by feed readers, in memory first: a response never waits for the store. A count consists of a day, a
 * document, the name of a program and numbers: no personal data.
 */
import type { Store } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type Clock, localDay } from '../../lib/time.ts';
import { OTHER, type ReaderName, readerName } from './reader-name.ts';
import { addRequests, type ReportRow, type RequestRow, saveReports } from './reader-rows.ts';

/** The response to a request: full (200), or not modified (304). */
export type FeedAnswer = 'full' | 'unchanged';

export interface ReaderCounter {
  /**
   * Counts a response. Takes some 4 µs, most of it for the header, and never throws.
   * @param path of a document that exists, below feeds/
   */
  count(path: string, userAgent: string | null | undefined, answer: FeedAnswer): void;
  /**
   * Adds the counts to the store. Counts that could not be added are kept for the next flush.
   * @throws the store's error
   */
  flush(): Promise<void>;
}

/** Pairs of a document and a reader per day; a large newsroom has a tenth of them. */
const MAX_PAIRS = 20_000;
/** Feeds of an aggregator for one document, and reports per day. */
const MAX_FEEDS = 16;
const MAX_REPORTS = 20_000;
/** Days that are kept while the store is unavailable; then the oldest is dropped. */
const MAX_DAYS = 7;
/** One statement takes a few milliseconds. */
const ROWS_PER_STATEMENT = 1_000;

/** Counts that have not been added to the store yet. */
interface ReaderTally extends RequestRow {
  /** By feed of the reader. */
  reports: Map<string, Report> | null;
}

interface Report extends ReportRow {
  isSaved: boolean;
}

/** The counts of a day. Pairs are kept after a flush, so that their number bounds the rows of the day. */
interface DayCounts {
  date: string;
  from: number;
  until: number;
  documents: Map<string, Map<string, ReaderTally>>;
  pairs: number;
  reports: number;
}

/** @param where.zone the publication's, in which days end at midnight */
export function openReaderCounter(where: { store: Store; clock: Clock; zone: string }): ReaderCounter {
  const { store, clock, zone } = where;
  const days = new Map<string, DayCounts>();
  let today = dayOf(clock());
  const flushes = new ConcurrencyLimit(1);

  function dayOf(now: number): DayCounts {
    const { date, from, until } = localDay(now, zone);
    const known = days.get(date);
    if (known !== undefined) return known;
    const day = { date, from, until, documents: new Map(), pairs: 0, reports: 0 };
    days.set(date, day);
    for (const oldest of days.keys()) if (days.size > MAX_DAYS) days.delete(oldest);
    return day;
  }

  async function write(): Promise<void> {
    for (const day of [...days.values()]) {
      const tallies = talliesOf(day).sort(byKey);
      await writeRequests(store, day.date, tallies);
      await writeReports(store, day.date, tallies);
      if (day !== today && !hasUnsaved(day)) days.delete(day.date);
    }
  }

  return {
    count(path, userAgent, answer) {
      const now = clock();
      if (now < today.from || now >= today.until) today = dayOf(now);
      const name = nameFrom(userAgent);
      const tally = tallyOf(today, foldPath(path), name.reader);
      tally.requests++;
      if (answer === 'unchanged') tally.unchanged++;
      if (name.subscribers !== null && tally.reader !== OTHER) addReport(today, tally, name, now);
    },
    flush: () => flushes.run(write),
  };
}

async function writeRequests(store: Store, date: string, tallies: ReaderTally[]): Promise<void> {
  const counted = tallies.filter((tally) => tally.requests > 0);
  for (const some of chunks(counted, ROWS_PER_STATEMENT)) {
    const rows = some.map(({ reports: _, ...row }) => row);
    await addRequests(store, date, rows);
    // More requests may have been counted meanwhile.
    for (const [n, row] of rows.entries()) subtract(some[n] as ReaderTally, row);
  }
}

async function writeReports(store: Store, date: string, tallies: ReaderTally[]): Promise<void> {
  const reports = tallies
    .flatMap((tally) => [...(tally.reports?.values() ?? [])].sort((a, b) => (a.feed < b.feed ? -1 : 1)))
    .filter((report) => !report.isSaved);
  for (const some of chunks(reports, ROWS_PER_STATEMENT)) {
    await saveReports(store, date, some);
    for (const report of some) report.isSaved = true;
  }
}

/** The name in the statistics: there is no limit to combined feeds, so they are counted together. */
function foldPath(path: string): string {
  return /^custom(?:[./]|$)/.test(path) ? 'custom' : path;
}

function tallyOf(day: DayCounts, path: string, reader: string): ReaderTally {
  const known = day.documents.get(path)?.get(reader);
  if (known !== undefined) return known;
  if (day.pairs >= MAX_PAIRS && path !== OTHER) return tallyOf(day, OTHER, OTHER);
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

function addReport(day: DayCounts, tally: ReaderTally, name: ReaderName, now: number): void {
  const { path, reader } = tally;
  const feed = name.id ?? '';
  tally.reports ??= new Map();
  if (!tally.reports.has(feed)) {
    if (tally.reports.size >= MAX_FEEDS || day.reports >= MAX_REPORTS) return;
    day.reports++;
  }
  // A new object, because the previous one may be in a running flush.
  const subscribers = name.subscribers as number;
  tally.reports.set(feed, { path, reader, feed, subscribers, reportedAt: now, isSaved: false });
}

function subtract(tally: ReaderTally, added: RequestRow): void {
  tally.requests -= added.requests;
  tally.unchanged -= added.unchanged;
}

function hasUnsaved(day: DayCounts): boolean {
  return talliesOf(day).some(({ requests, reports }) => {
    return requests > 0 || (reports !== null && [...reports.values()].some((one) => !one.isSaved));
  });
}

function talliesOf({ documents }: DayCounts): ReaderTally[] {
  return [...documents.values()].flatMap((byReader) => [...byReader.values()]);
}

/** An id may be any text of a header: only its digest is stored. */
function nameFrom(userAgent: string | null | undefined): ReaderName {
  const name = readerName(userAgent);
  if (name.id === null) return name;
  return { ...name, id: sha256(name.id).slice(0, 12) };
}

function byKey(a: RequestRow, b: RequestRow): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.reader < b.reader ? -1 : 1;
}

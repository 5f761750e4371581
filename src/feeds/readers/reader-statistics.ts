/** Statistics of feed readers over the last days. */
import { sql } from 'kysely';
import { readStateCounts } from '../../core/store/counts.ts';
import type { Db } from '../../core/store/store.ts';
import { DAY, localDay } from '../../lib/time.ts';

interface ReaderRequests {
  reader: string;
  requests: number;
  /** Number of requests answered with 304. */
  unchanged: number;
  /** Number of different documents. */
  documents: number;
}

/** `subscribers`: the sum of its reports for all documents, or null without a report. */
export interface ReaderLine extends ReaderRequests {
  subscribers: number | null;
}

export type ReaderStatistics = Awaited<ReturnType<typeof readReaderStatistics>>;

/** Number of days that are counted, including today. */
export const READER_DAYS = 7;

/** @param options.zone the publication's */
export async function readReaderStatistics(db: Db, { now, zone }: { now: number; zone: string }) {
  const today = localDay(now, zone);
  const start = Date.parse(today.date) - (READER_DAYS - 1) * DAY;
  const { first } = await db
    .selectFrom('feed_readers')
    .select((e) => e.fn.min('day').as('first'))
    .where('day', '>=', new Date(start).toISOString().slice(0, 10))
    .executeTakeFirstOrThrow();
  const from = first ?? today.date;
  const ofToday = (now - today.from) / (today.until - today.from);
  const requests = await countRequests(db, from);
  const subscribers = await countSubscribers(db, from);
  return {
    /** The first day with counts, and the last day, in the publication's zone. */
    ...{ from, until: today.date },
    /** Days from the start of the first day until now, at least 1: the basis of daily averages. */
    days: Math.max(1, (Date.parse(today.date) - Date.parse(from)) / DAY + ofToday),
    /** Busiest first. */
    readers: requests.map((one): ReaderLine => ({ ...one, subscribers: subscribers.get(one.reader) ?? null })),
  };
}

export function totalOf(readers: readonly ReaderLine[]): Pick<ReaderRequests, 'requests' | 'unchanged'> & {
  subscribers: number;
} {
  const total = { requests: 0, unchanged: 0, subscribers: 0 };
  for (const { requests, unchanged, subscribers } of readers) {
    total.requests += requests;
    total.unchanged += unchanged;
    total.subscribers += subscribers ?? 0;
  }
  return total;
}

/** Percentage of requests that were answered with 304. */
export function unchangedPercent({ requests, unchanged }: Pick<ReaderRequests, 'requests' | 'unchanged'>): number {
  return Math.round((100 * unchanged) / Math.max(1, requests));
}

/** Requests since the start of a day, by reader, busiest first. */
async function countRequests(db: Db, from: string): Promise<ReaderRequests[]> {
  return db
    .selectFrom('feed_readers')
    .select((e) => [
      'reader',
      sum('requests').as('requests'),
      sum('unchanged').as('unchanged'),
      e.fn.count<number>('path').distinct().as('documents'),
    ])
    .where('day', '>=', from)
    .groupBy('reader')
    .orderBy('requests', 'desc')
    .orderBy('reader')
    .execute();
}

/** All requests ever, by reader. Never decreases. */
export async function countAllRequests(
  db: Db,
): Promise<{ reader: string; answer: 'full' | 'unchanged'; requests: number }[]> {
  const totals = await readStateCounts(db, 'feed_requests');
  return totals.map(({ scope, state, entered }) => ({
    reader: scope,
    answer: state as 'full' | 'unchanged',
    requests: entered,
  }));
}

/** The last report of a feed counts for this time: an aggregator may merge two of its feeds and drop one. */
const REPORT_EXPIRES_AFTER = 2 * DAY;

/**
 * Subscribers by reader: the sum of the newest reports of all its feeds, for all documents.
 * @param from the first day whose reports count
 */
export async function countSubscribers(db: Db, from: string): Promise<Map<string, number>> {
  const { rows } = await sql<{ reader: string; subscribers: number }>`
    select reader, cast(sum(subscribers) as bigint) as subscribers from (
      select reader, subscribers, reported_at,
        row_number() over (partition by path, reader, feed order by reported_at desc, day desc) as age,
        max(reported_at) over (partition by path, reader) as last_at
      from feed_reader_reports where day >= ${from}
    ) as reports
    where age = 1 and reported_at >= last_at - ${REPORT_EXPIRES_AFTER}
    group by reader order by reader`.execute(db);
  return new Map(rows.map(({ reader, subscribers }) => [reader, subscribers]));
}

function sum(column: 'requests' | 'unchanged') {
  return sql<number>`cast(sum(${sql.ref(column)}) as bigint)`;
}

/**
 * What the counts of readers say, over a number of days.
 */
import { sql } from 'kysely';
import { DAY, localDay } from '../../lib/time.ts';
import type { Db } from '../../store/store.ts';

/** How often one reader asked, and what it was answered. */
interface ReaderRequests {
  reader: string;
  requests: number;
  /** Of them: answered that nothing is new (304). */
  unchanged: number;
  /** How many documents it asked for; archives of one feed count as one. */
  documents: number;
}

/** With what it reports, over all documents; null where it reports nothing. */
export interface ReaderLine extends ReaderRequests {
  subscribers: number | null;
}

export interface ReaderStatistics {
  /** The first day that has counts, and the last one, in the publication's calendar. */
  from: string;
  until: string;
  /** From the beginning of the first day until now, but one at least: what "a day" is reckoned by. */
  days: number;
  /** The busiest first. */
  readers: ReaderLine[];
}

/** The statistics of today and the days before it. @param days how many in all, today included; `zone` the publication's */
export async function readReaderStatistics(
  db: Db,
  { days, now, zone }: { days: number; now: number; zone: string },
): Promise<ReaderStatistics> {
  const today = localDay(now, zone);
  const asked = dateBefore(today.date, days - 1);
  const { first } = await db
    .selectFrom('feed_readers')
    .select((e) => e.fn.min('day').as('first'))
    .where('day', '>=', asked)
    .executeTakeFirstOrThrow();
  const from = first ?? today.date;
  const ofToday = (now - today.from) / (today.until - today.from);
  const requests = await countRequests(db, from);
  const subscribers = await countSubscribers(db, from);
  return {
    from,
    until: today.date,
    days: Math.max(1, (Date.parse(today.date) - Date.parse(from)) / DAY + ofToday),
    readers: requests.map((one) => ({ ...one, subscribers: subscribers.get(one.reader) ?? null })),
  };
}

/** All readers together. `subscribers`: the sum of what is reported. */
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

/** The requests since the beginning of that day, by reader, the busiest first. */
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

/**
 * The requests of the newest day that has any. They grow for a day and then begin anew, which is what Prometheus expects of a counter; a
 * sum over all days would fall whenever an old one is deleted.
 */
export async function countNewestRequests(db: Db): Promise<ReaderRequests[]> {
  const { day } = await db
    .selectFrom('feed_readers')
    .select((e) => e.fn.max('day').as('day'))
    .executeTakeFirstOrThrow();
  return day === null ? [] : countRequests(db, day);
}

/** An aggregator that merges two of its feeds goes on with one of them: the other's last report counts for so long. */
const FORGOTTEN_AFTER = 2 * DAY;

/**
 * What each reader reports: for each document the newest number of each of the reader's own feeds, all added up.
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
    where age = 1 and reported_at >= last_at - ${FORGOTTEN_AFTER}
    group by reader order by reader`.execute(db);
  return new Map(rows.map(({ reader, subscribers }) => [reader, subscribers]));
}

/** The date so many days before, as `2026-11-24`. */
function dateBefore(date: string, days: number): string {
  return new Date(Date.parse(date) - days * DAY).toISOString().slice(0, 10);
}

function sum(column: 'requests' | 'unchanged') {
  return sql<number>`cast(sum(${sql.ref(column)}) as bigint)`;
}

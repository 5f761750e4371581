/** The counts of feed readers in the store. Several processes add to the same rows. */
import { type RawBuilder, sql } from 'kysely';
import { addToTotals } from '../../core/store/counts.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import type { Db, Store } from '../../core/store/store.ts';

/** Requests of one document by one reader. */
export interface RequestRow {
  path: string;
  reader: string;
  requests: number;
  unchanged: number;
}

/** The last report of a reader for one of its feeds. */
export interface ReportRow {
  path: string;
  reader: string;
  /** Distinguishes its feeds; may be empty. */
  feed: string;
  subscribers: number;
  /** Epoch milliseconds. */
  reportedAt: number;
}

/**
 * Adds to the counts of the day, and to the totals, which retention does not reduce.
 * @param day `2026-11-24`
 * @param rows one for each document and reader; sorted, so that two processes never wait for each other's rows
 */
export async function addRequests({ db, dialect }: Store, day: string, rows: readonly RequestRow[]): Promise<void> {
  const values = rows.map(({ path, reader, requests, unchanged }) => [path, reader, requests, unchanged]);
  const given = jsonRows(dialect, values, { path: 'text', reader: 'text', requests: 'int', unchanged: 'int' });
  // SQLite's parser needs "where true" between the select and the conflict clause.
  await db.transaction().execute(async (tx) => {
    await sql`
    insert into feed_readers (day, path, reader, requests, unchanged)
    select ${text(day)}, path, reader, requests, unchanged from ${given} r where true
    on conflict (day, path, reader) do update set
      requests = feed_readers.requests + excluded.requests,
      unchanged = feed_readers.unchanged + excluded.unchanged`.execute(tx);
    await addToTotals(tx, 'feed_requests', totalsOf(rows));
  });
}

function totalsOf(rows: readonly RequestRow[]): { scope: string; state: 'full' | 'unchanged'; count: number }[] {
  const byReader = Map.groupBy(rows, ({ reader }) => reader);
  return [...byReader].flatMap(([scope, some]) => {
    const requests = some.reduce((sum, row) => sum + row.requests, 0);
    const unchanged = some.reduce((sum, row) => sum + row.unchanged, 0);
    return [
      { scope, state: 'full', count: requests - unchanged },
      { scope, state: 'unchanged', count: unchanged },
    ];
  });
}

/** Stores reports unless a later one is stored, in one statement. @param rows as for `addRequests` */
export async function saveReports({ db, dialect }: Store, day: string, rows: readonly ReportRow[]): Promise<void> {
  const values = rows.map((row) => [row.path, row.reader, row.feed, row.subscribers, row.reportedAt]);
  const columns = { path: 'text', reader: 'text', feed: 'text', subscribers: 'int', reported_at: 'int' } as const;
  const given = jsonRows(dialect, values, columns);
  await sql`
    insert into feed_reader_reports (day, path, reader, feed, subscribers, reported_at)
    select ${text(day)}, path, reader, feed, subscribers, reported_at from ${given} r where true
    on conflict (day, path, reader, feed) do update set
      subscribers = excluded.subscribers, reported_at = excluded.reported_at
    where excluded.reported_at >= feed_reader_reports.reported_at`.execute(db);
}

/** Deletes the counts and reports of days before a day. @returns number of deleted counts */
export async function deleteReaderCounts(db: Db, before: string): Promise<number> {
  await db.deleteFrom('feed_reader_reports').where('day', '<', before).execute();
  const { numDeletedRows } = await db.deleteFrom('feed_readers').where('day', '<', before).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

// PostgreSQL does not infer the type of a parameter in a select.
function text(value: string): RawBuilder<string> {
  return sql<string>`cast(${value} as text)`;
}

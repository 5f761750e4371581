/** Visits of the pages of past editions in the store. Several processes add to the same rows. */
import { sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, inTransaction, type Store } from '../../core/store/store.ts';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import { type Clock, localDay } from '../../lib/time.ts';

interface VisitRow {
  /** `2026-11-24`, in the publication's zone. */
  day: string;
  newsletter: string;
  slot: string;
  visits: number;
}

/** The row of an edition into which retention has folded its older days. */
const EARLIER = '';

/** Adds to the counts. */
async function addVisits(db: Db, rows: readonly VisitRow[]): Promise<void> {
  // Sorted, so that two processes never wait for each other's rows.
  const sorted = rows.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const values = sorted.map(({ newsletter, slot, day, visits }) => [newsletter, slot, day, visits]);
  const given = jsonRows(dialectOf(db), values, { newsletter: 'text', slot: 'text', day: 'text', visits: 'int' });
  // SQLite's parser needs "where true" between the select and the conflict clause.
  await sql`insert into edition_visits (newsletter, slot, day, visits)
    select newsletter, slot, day, visits from ${given} r where true
    on conflict (newsletter, slot, day) do update set visits = edition_visits.visits + excluded.visits`.execute(db);
}

function sortKey({ newsletter, slot, day }: VisitRow): string {
  return `${newsletter} ${slot} ${day}`;
}

export interface EditionVisits {
  /** All visits ever. */
  total: number;
  /** Those of the days that are kept, in order. */
  days: { day: string; visits: number }[];
}

/** The visits of the page of an edition, in all its revisions. */
export async function readVisits(db: Db, newsletter: string, slot: string): Promise<EditionVisits> {
  const rows = await db
    .selectFrom('edition_visits')
    .select(['day', 'visits'])
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .orderBy('day')
    .execute();
  return {
    total: rows.reduce((sum, { visits }) => sum + visits, 0),
    days: rows.filter(({ day }) => day !== EARLIER),
  };
}

/**
 * Folds the days before a day into one row for each edition, so that the total stays.
 * @returns number of deleted rows
 */
export function foldVisits(db: Db, before: string): Promise<number> {
  return inTransaction(db, async (tx) => {
    const { rows } = await sql<Omit<VisitRow, 'day'>>`delete from edition_visits
      where day > ${EARLIER} and day < ${before} returning newsletter, slot, visits`.execute(tx);
    const byEdition = Map.groupBy(rows, ({ newsletter, slot }) => `${newsletter}/${slot}`);
    const sums = [...byEdition.values()].map(([first, ...others]) => ({
      ...(first as Omit<VisitRow, 'day'>),
      day: EARLIER,
      visits: others.reduce((sum, { visits }) => sum + visits, (first as VisitRow).visits),
    }));
    if (sums.length > 0) await addVisits(tx, sums);
    return rows.length;
  });
}

export interface VisitCounter {
  /** Counts a visit of an edition that exists. Never throws. */
  count(newsletter: string, slot: string): void;
  /** Adds the counts to the store. Those that could not be added are kept. @throws the store's error */
  flush(): Promise<void>;
}

/** Editions and days that are kept while the store is unavailable. */
const MAX_ROWS = 20_000;

/** @param where.zone the publication's, in which days end at midnight */
export function openVisitCounter(where: { store: Store; clock: Clock; zone: string }): VisitCounter {
  const { store, clock, zone } = where;
  const rows = new Map<string, VisitRow>();
  let today = localDay(clock(), zone);
  const flushes = new ConcurrencyLimit(1);

  async function write(): Promise<void> {
    const written = [...rows.values()].map((row) => ({ ...row }));
    if (written.length === 0) return;
    await addVisits(store.db, written);
    for (const { day, newsletter, slot, visits } of written) {
      const key = keyOf(day, newsletter, slot);
      const row = rows.get(key) as VisitRow;
      // More may have been counted meanwhile.
      row.visits -= visits;
      if (row.visits === 0) rows.delete(key);
    }
  }

  return {
    count(newsletter, slot) {
      const now = clock();
      if (now < today.from || now >= today.until) today = localDay(now, zone);
      const day = today.date;
      const key = keyOf(day, newsletter, slot);
      const row = rows.get(key);
      if (row !== undefined) row.visits += 1;
      else if (rows.size < MAX_ROWS) rows.set(key, { day, newsletter, slot, visits: 1 });
    },
    flush: () => flushes.run(write),
  };
}

function keyOf(...parts: [day: string, newsletter: string, slot: string]): string {
  return parts.join('/');
}

/**
 * Visits of the pages of past editions in the store. Several processes add to the same rows.
 */
import { sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, inTransaction } from '../../core/store/store.ts';

export interface VisitRow {
  /** `2026-11-24`, in the publication's zone. */
  day: string;
  newsletter: string;
  slot: string;
  visits: number;
}

/** The row of an edition into which retention has folded its older days. */
const EARLIER = '';

/** Adds to the counts. */
export async function addVisits(db: Db, rows: readonly VisitRow[]): Promise<void> {
  // Sorted, so that two processes never wait for each other's rows.
  const sorted = rows.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const given = jsonRows(
    dialectOf(db),
    sorted.map(({ newsletter, slot, day, visits }) => [newsletter, slot, day, visits]),
    { newsletter: 'text', slot: 'text', day: 'text', visits: 'int' },
  );
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

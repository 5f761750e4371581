/** Calendar months with articles, for the archive of the site. */
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';
import type { Db } from '../core/store/store.ts';
import { wallClock } from '../lib/time.ts';
import { isOneOf, PUBLIC_STATES } from './selection.ts';

export interface Month {
  /** `2026-11` */
  id: string;
  year: number;
  /** Half-open, epoch milliseconds. */
  from: number;
  until: number;
}

/** The month in `zone`, or null if the id is not one. @param id such as `2026-11` */
export function parseMonth(id: string, zone: string): Month | null {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(id);
  return match === null ? null : monthOf(new Temporal.PlainYearMonth(Number(match[1]), Number(match[2])), zone);
}

/** The months with public articles, newest first, of at most a hundred years. */
export async function findMonths(db: Db, now: number, zone: string): Promise<Month[]> {
  const [first, last] = [await findEnd(db, now, 'asc'), await findEnd(db, now, 'desc')];
  if (first === null || last === null) return [];
  const months = monthsBetween(first, last, zone);
  // One index lookup for each month: counting a million articles would read them all.
  const spans = sql.join(
    months.map((m) => sql`(${m.id}, cast(${m.from} as bigint), cast(${Math.min(m.until, now + 1)} as bigint))`),
  );
  const { rows } = await sql<{ id: string }>`
    with months(id, from_at, until_at) as (values ${spans})
    select months.id from months where exists (
      select 1 from articles
      where published_at >= from_at and published_at < until_at
        and ${isOneOf('state', PUBLIC_STATES)}
    )`.execute(db);
  const found = new Set(rows.map((row) => row.id));
  return months.filter((month) => found.has(month.id));
}

/** When the first or the last public article was published. Asked for both at once, SQLite reads the whole index. */
async function findEnd(db: Db, now: number, order: 'asc' | 'desc'): Promise<number | null> {
  const row = await db
    .selectFrom('articles')
    .select('published_at')
    .where('state', 'in', PUBLIC_STATES)
    .where('published_at', '<=', now)
    .orderBy('published_at', order)
    .orderBy('id', order)
    .limit(1)
    .executeTakeFirst();
  return row?.published_at ?? null;
}

const MAX_MONTHS = 1_200;

function monthsBetween(first: number, last: number, zone: string): Month[] {
  const oldest = wallClock(first, zone).toPlainDate().toPlainYearMonth();
  const months: Month[] = [];
  let month = wallClock(last, zone).toPlainDate().toPlainYearMonth();
  while (months.length < MAX_MONTHS && Temporal.PlainYearMonth.compare(month, oldest) >= 0) {
    months.push(monthOf(month, zone));
    month = month.subtract({ months: 1 });
  }
  return months;
}

// Temporal takes 0.5 ms for one, and the archive lists all.
const months = new LRUCache<string, Month>({ max: 2 * MAX_MONTHS });

function monthOf(month: Temporal.PlainYearMonth, zone: string): Month {
  const id = month.toString();
  const key = `${zone} ${id}`;
  let known = months.get(key);
  if (known === undefined) {
    const startOf = (m: Temporal.PlainYearMonth): number =>
      m.toPlainDate({ day: 1 }).toZonedDateTime(zone).epochMilliseconds;
    known = { id, year: month.year, from: startOf(month), until: startOf(month.add({ months: 1 })) };
    months.set(key, known);
  }
  return known;
}

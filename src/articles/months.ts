/** Calendar months with articles, for the archive of the site. */
import { sql } from 'kysely';
import { Temporal } from 'temporal-polyfill';
import { wallClock } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import { isOneOf, PUBLIC_STATES } from './selection.ts';

export interface Month {
  /** `2026-11` */
  id: string;
  /** `November 2026` */
  title: string;
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
  const ends = await db
    .selectFrom('articles')
    .select((e) => [e.fn.min('published_at').as('first'), e.fn.max('published_at').as('last')])
    .where('state', 'in', PUBLIC_STATES)
    .where('published_at', '<=', now)
    .executeTakeFirstOrThrow();
  if (ends.first === null || ends.last === null) return [];
  const months = monthsBetween(ends.first, ends.last, zone);
  // One index lookup for each month: counting a million articles would read them all.
  const spans = sql.join(months.map((m) => sql`(${m.id}, cast(${m.from} as bigint), cast(${m.until} as bigint))`));
  const { rows } = await sql<{ id: string }>`
    with months(id, from_at, until_at) as (values ${spans})
    select months.id from months where exists (
      select 1 from articles
      where published_at >= from_at and published_at < until_at and published_at <= ${now}
        and ${isOneOf('state', PUBLIC_STATES)}
    )`.execute(db);
  const found = new Set(rows.map((row) => row.id));
  return months.filter((month) => found.has(month.id));
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

function monthOf(month: Temporal.PlainYearMonth, zone: string): Month {
  const startOf = (m: Temporal.PlainYearMonth): number =>
    m.toPlainDate({ day: 1 }).toZonedDateTime(zone).epochMilliseconds;
  return {
    id: month.toString(),
    title: month.toPlainDate({ day: 1 }).toLocaleString('en-US', { month: 'long', year: 'numeric' }),
    year: month.year,
    from: startOf(month),
    until: startOf(month.add({ months: 1 })),
  };
}

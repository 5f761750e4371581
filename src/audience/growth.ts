/**
 * How newsletters grow: subscriptions that were confirmed and that ended, in periods. Read from counts that triggers
 * keep, so that it takes the same time for ten subscribers and for a million.
 */
import { sql } from 'kysely';
import { jsonRows } from '../core/store/json-rows.ts';
import { type Db, dialectOf } from '../core/store/store.ts';
import { wallClock } from '../lib/time.ts';

/** Half-open: `[from, until)`, epoch milliseconds. */
export interface GrowthPeriod {
  /** Its first day in the zone, `2026-11-24`. */
  date: string;
  from: number;
  until: number;
}

export interface PeriodGrowth extends GrowthPeriod {
  /** Subscriptions that were confirmed: by the subscriber, an operator or an import. */
  joined: number;
  /** Confirmed subscriptions that ended: unsubscribed, complained or erased. */
  left: number;
}

/**
 * The last days or weeks in a zone, oldest first; the last one is not over. Weeks begin on Monday (ISO 8601).
 * @param now epoch milliseconds
 */
export function growthPeriods(by: 'day' | 'week', count: number, now: number, zone: string): GrowthPeriod[] {
  const today = wallClock(now, zone).startOfDay();
  const last = by === 'day' ? today : today.subtract({ days: today.dayOfWeek - 1 });
  return Array.from({ length: count }, (_, index) => {
    const back = count - 1 - index;
    const start = last.subtract(by === 'day' ? { days: back } : { weeks: back });
    const end = start.add(by === 'day' ? { days: 1 } : { weeks: 1 });
    // A day without midnight begins later.
    return {
      date: start.toPlainDate().toString(),
      from: start.startOfDay().epochMilliseconds,
      until: end.startOfDay().epochMilliseconds,
    };
  });
}

/** The growth in periods that do not overlap, for each newsletter that changed in one of them. */
export async function readGrowth(db: Db, periods: readonly GrowthPeriod[]): Promise<Map<string, PeriodGrowth[]>> {
  const values = periods.map(({ from, until }, index) => [index, from, until]);
  const given = jsonRows(dialectOf(db), values, { position: 'int', starts: 'int', ends: 'int' });
  const { rows } = await sql<{ position: number; newsletter: string; change: 'joined' | 'left'; count: number }>`
    select p.position, g.newsletter, g.change, cast(sum(g.count) as bigint) as count
    from ${given} p cross join growth_counts g
    where g.quarter >= p.starts and g.quarter < p.ends
    group by p.position, g.newsletter, g.change`.execute(db);
  const growth = new Map<string, PeriodGrowth[]>();
  for (const { position, newsletter, change, count } of rows) {
    const of = growth.get(newsletter) ?? periods.map((period) => ({ ...period, joined: 0, left: 0 }));
    growth.set(newsletter, of);
    const period = of[position];
    if (period !== undefined) period[change] += count;
  }
  return growth;
}

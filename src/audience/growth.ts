/**
 * How newsletters grow: subscriptions that were confirmed and that ended, in periods. Read from counts that triggers
 * keep, so that it takes the same time for ten subscribers and for a million.
 */
import { sql } from 'kysely';
import { jsonRows } from '../core/store/json-rows.ts';
import { type Db, dialectOf, inTransaction } from '../core/store/store.ts';
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

/** Days whose quarters of an hour are kept: today and yesterday. */
const KEPT_DAYS = 2;
/** Days that are looked at: a process that was stopped for longer leaves quarters behind, which do no harm. */
const FOLDED_DAYS = 400;

/**
 * Adds the counts of each older day of the zone up in its first quarter: half a year then has about a
 * thousand counts instead of a hundred thousand. If the zone changes later, days that were folded keep the old one.
 * @param now epoch milliseconds
 */
export async function foldGrowth(db: Db, now: number, zone: string): Promise<void> {
  const days = growthPeriods('day', KEPT_DAYS + FOLDED_DAYS, now, zone).slice(0, FOLDED_DAYS);
  const given = jsonRows(
    dialectOf(db),
    days.map(({ from, until }) => [from, until]),
    { starts: 'int', ends: 'int' },
  );
  const { rows } = await sql<{ starts: number; ends: number }>`
    select distinct p.starts, p.ends from ${given} p cross join growth_counts g
    where g.quarter > p.starts and g.quarter < p.ends order by p.starts`.execute(db);
  for (const { starts, ends } of rows) {
    await inTransaction(db, async (tx) => {
      const gone = await tx
        .deleteFrom('growth_counts')
        .where('quarter', '>', starts)
        .where('quarter', '<', ends)
        .returning(['newsletter', 'change', 'count'])
        .execute();
      const sums = Map.groupBy(gone, ({ newsletter, change }) => JSON.stringify([newsletter, change]));
      for (const rows of sums.values()) {
        const [{ newsletter, change }] = rows as [(typeof gone)[number]];
        const count = rows.reduce((total, one) => total + one.count, 0);
        await tx
          .insertInto('growth_counts')
          .values({ quarter: starts, newsletter, change, slot: 0, count })
          .onConflict((conflict) =>
            conflict
              .columns(['quarter', 'newsletter', 'change', 'slot'])
              .doUpdateSet({ count: sql<number>`growth_counts.count + excluded.count` }),
          )
          .execute();
      }
    });
  }
}

/** The growth in periods that do not overlap, for each newsletter that changed in one of them. */
export async function readGrowth(db: Db, periods: readonly GrowthPeriod[]): Promise<Map<string, PeriodGrowth[]>> {
  const given = jsonRows(
    dialectOf(db),
    periods.map(({ from, until }, index) => [index, from, until]),
    { position: 'int', starts: 'int', ends: 'int' },
  );
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

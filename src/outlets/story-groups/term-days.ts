/**
 * Document frequencies of past days. A day is counted once, when the window of grouping has left it behind: its groups
 * are final then, and no event counts towards the rarity of its own words. Days are those of UTC.
 */
import type { Db } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { DAY } from '../../lib/time.ts';
import { type Frequencies, sumFrequencies } from '../grouping/term-frequencies.ts';
import { startOfDay } from '../items/plan-recording.ts';

/** Days whose frequencies are summed. */
const DAYS = 30;
/** The mark of a counted day, which may have no items. */
const COUNTED = '';
const ROWS_PER_STATEMENT = 100;

/** The past days that have not been counted yet, oldest first: epoch milliseconds of their beginning. */
export async function listUncountedDays(db: Db, now: number, windowMs: number): Promise<number[]> {
  const first = await db
    .selectFrom('outlet_items')
    .select('first_seen_at')
    .where('state', '=', 'open')
    .orderBy('first_seen_at')
    .limit(1)
    .executeTakeFirst();
  if (first === undefined) return [];
  const counted = await db.selectFrom('grouping_terms').select('day').where('language', '=', COUNTED).execute();
  const known = new Set(counted.map(({ day }) => day));
  const days: number[] = [];
  const until = startOfDay(now - windowMs);
  for (let day = Math.max(until - DAYS * DAY, startOfDay(first.first_seen_at)); day < until; day += DAY) {
    if (!known.has(nameOfDay(day))) days.push(day);
  }
  return days;
}

/** Records the frequencies of a day. Another process may have done so. */
export async function writeTermDay(db: Db, day: number, frequencies: Frequencies): Promise<void> {
  const rows = [...frequencies].map(([language, { groups, terms }]) => ({
    ...{ day: nameOfDay(day), language, group_count: groups },
    terms: JSON.stringify(Object.fromEntries(terms)),
  }));
  const mark = { day: nameOfDay(day), language: COUNTED, group_count: 0, terms: '{}' };
  for (const some of chunks([...rows, mark], ROWS_PER_STATEMENT)) {
    await db
      .insertInto('grouping_terms')
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** Sums the frequencies of the counted days, and deletes those that have become too old. */
export async function readFrequencies(db: Db, now: number, windowMs: number): Promise<Frequencies> {
  const oldest = nameOfDay(startOfDay(now - windowMs) - DAYS * DAY);
  await db.deleteFrom('grouping_terms').where('day', '<', oldest).execute();
  const rows = await db.selectFrom('grouping_terms').selectAll().where('language', '<>', COUNTED).execute();
  return sumFrequencies(
    rows.map(({ language, group_count, terms }) => {
      const counts = Object.entries(JSON.parse(terms) as Record<string, number>);
      return new Map([[language, { groups: group_count, terms: new Map(counts) }]]);
    }),
  );
}

function nameOfDay(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

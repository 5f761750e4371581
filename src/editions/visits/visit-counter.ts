/**
 * Counts visits of the pages of past editions, in memory first: a response never waits for the store. A count consists
 * of a day, an edition and a number: no cookie, no address, nothing of a person.
 */
import type { Store } from '../../core/store/store.ts';
import { type Clock, localDay } from '../../lib/time.ts';
import { addVisits, type VisitRow } from './visit-rows.ts';

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
  let flushing: Promise<void> = Promise.resolve();

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
    flush() {
      const mine = flushing.then(write);
      flushing = mine.catch(() => {});
      return mine;
    },
  };
}

function keyOf(...parts: [day: string, newsletter: string, slot: string]): string {
  return parts.join('/');
}

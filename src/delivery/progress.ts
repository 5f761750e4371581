/**
 * How far the delivery of each edition was, minute by minute. It is looked up in the counters from time to time:
 * counting in the transactions of deliveries would cost throughput, and reading it from a million deliveries a second.
 */
import type { Db } from '../core/store/store.ts';
import { MINUTE } from '../lib/time.ts';
import { countAllDeliveries } from './queue/queries.ts';

export interface EditionProgress {
  /** Epoch milliseconds. */
  at: number;
  submitted: number;
  failed: number;
}

/** Records how far editions are now. The last record of a minute stays; without any change, none is written. */
export async function recordEditionProgress(db: Db, editionIds: number[], now: number): Promise<void> {
  const counts = await countAllDeliveries(db, editionIds);
  for (const [edition_id, { submitted, failed }] of counts) {
    const [last] = await listProgress(db, edition_id, 1);
    if (last !== undefined && last.submitted === submitted && last.failed === failed) continue;
    const row = { at: now, submitted, failed };
    await db
      .insertInto('edition_progress')
      .values({ edition_id, minute: Math.floor(now / MINUTE), ...row })
      .onConflict((conflict) => conflict.columns(['edition_id', 'minute']).doUpdateSet(row))
      .execute();
  }
}

/** The last records of an edition, the newest first. */
export function listProgress(db: Db, editionId: number, limit: number): Promise<EditionProgress[]> {
  return db
    .selectFrom('edition_progress')
    .select(['at', 'submitted', 'failed'])
    .where('edition_id', '=', editionId)
    .orderBy('minute', 'desc')
    .limit(limit)
    .execute();
}

/** Deletes the records from before an instant. @returns their number */
export async function deleteProgress(db: Db, before: number): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('edition_progress').where('at', '<', before).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

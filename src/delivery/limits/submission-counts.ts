/**
 * How many messages were submitted, or may be in the next seconds, by quarters of an hour: for the limit in 24 hours.
 */
import type { Db, Tx } from '../../core/store/store.ts';
import { oldestIgnored, QUARTER, type QuarterCount, quarterOf } from './daily-limit.ts';

/** The counts of the last 24 hours, in order. */
export async function readSubmissionCounts(db: Db | Tx, now: number): Promise<QuarterCount[]> {
  return db
    .selectFrom('submission_counts')
    .select(['quarter as from', 'count'])
    .where('quarter', '>', oldestIgnored(now))
    .orderBy('quarter')
    .execute();
}

/** Number of messages that count towards the limit in 24 hours. */
export async function countSubmissions(db: Db, now: number): Promise<number> {
  return (await readSubmissionCounts(db, now)).reduce((sum, { count }) => sum + count, 0);
}

/** Adds messages, and deletes counts that do not count any more. @param added may be empty */
export async function addSubmissions(tx: Tx, added: readonly QuarterCount[], now: number): Promise<void> {
  if (added.length === 0) return;
  await tx
    .insertInto('submission_counts')
    .values(added.map(({ from, count }) => ({ quarter: from, count })))
    .onConflict((conflict) =>
      conflict
        .column('quarter')
        .doUpdateSet((e) => ({ count: e('submission_counts.count', '+', e.ref('excluded.count')) })),
    )
    .execute();
  await tx.deleteFrom('submission_counts').where('quarter', '<=', oldestIgnored(now)).execute();
}

/** Counts one service message. */
export function countServiceSubmission(tx: Tx, now: number): Promise<void> {
  return addSubmissions(tx, [{ from: quarterOf(now), count: 1 }], now);
}

/** Moves counts that lie in the future to the present: the clock was set back. */
export async function moveSubmissionsBack(tx: Tx, now: number): Promise<void> {
  const future = await tx
    .deleteFrom('submission_counts')
    .where('quarter', '>', quarterOf(now) + QUARTER)
    .returning('count')
    .execute();
  const count = future.reduce((sum, one) => sum + one.count, 0);
  if (count > 0) await addSubmissions(tx, [{ from: quarterOf(now), count }], now);
}

/**
 * The outbox from articles to feeds. A row stays until the feeds that show it have been published, so that a crash in between
 * loses nothing, and a publish done twice is harmless.
 */
import type { Db } from '../store/store.ts';

export interface PendingChanges {
  count: number;
  /** The earliest instant at which one of them became due. */
  oldestDueAt: number;
}

/** The changes due at `now` (embargoes that end later are not), or null. */
export async function findDueChanges(db: Db, now: number): Promise<PendingChanges | null> {
  const row = await db
    .selectFrom('pending_changes')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.min('due_at').as('oldestDueAt')])
    .where('due_at', '<=', now)
    .executeTakeFirstOrThrow();
  return row.count === 0 ? null : { count: row.count, oldestDueAt: row.oldestDueAt };
}

/**
 * Forgets the changes that a publish which began at `startedAt` has taken up. A change made since stays.
 */
export async function forgetPublishedChanges(db: Db, startedAt: number): Promise<void> {
  await db.deleteFrom('pending_changes').where('due_at', '<=', startedAt).where('changed_at', '<', startedAt).execute();
}

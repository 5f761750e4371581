/**
 * The outbox from articles to feeds. A row stays until the feeds that show it have been published, so that a crash in between
 * loses nothing, and a publish done twice is harmless.
 */
import type { Db } from '../store/store.ts';

export interface DueChanges {
  count: number;
  /** The earliest instant at which one of them became due. */
  oldestDueAt: number;
}

/** A change as it stood when a publish began. */
export interface DueChange {
  articleId: string;
  changedAt: number;
}

/** Notes that the feeds which show these articles must be published from `dueAt` on. @param db the transaction that changes them */
export async function recordPendingChanges(
  db: Db,
  changes: { articleId: string; dueAt: number }[],
  now: number,
): Promise<void> {
  if (changes.length === 0) return;
  await db
    .insertInto('pending_changes')
    .values(changes.map(({ articleId, dueAt }) => ({ article_id: articleId, due_at: dueAt, changed_at: now })))
    .onConflict((conflict) =>
      conflict.column('article_id').doUpdateSet((e) => ({
        due_at: e.ref('excluded.due_at'),
        // Two changes of one article never look alike, even within a millisecond or when the clock steps back.
        changed_at: e
          .case()
          .when('pending_changes.changed_at', '<', e.ref('excluded.changed_at'))
          .then(e.ref('excluded.changed_at'))
          .else(e('pending_changes.changed_at', '+', 1))
          .end(),
      })),
    )
    .execute();
}

/** The changes due at `now` (embargoes that end later are not), or null. */
export async function countDueChanges(db: Db, now: number): Promise<DueChanges | null> {
  const row = await db
    .selectFrom('pending_changes')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.min('due_at').as('oldestDueAt')])
    .where('due_at', '<=', now)
    .executeTakeFirstOrThrow();
  return row.count === 0 ? null : { count: row.count, oldestDueAt: row.oldestDueAt };
}

/** Whether a change made after `since` is due at `now` and has not been published. */
export async function hasChangesSince(db: Db, since: number, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('pending_changes')
    .select('article_id')
    .where('due_at', '<=', now)
    .where('changed_at', '>', since)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * The due changes one by one. A publish takes them before it reads any article, and forgets exactly these when it is done. One due
 * at `now` itself is left for the next publish: a feed's window, `[from, now)`, does not hold it yet.
 */
export async function readDueChanges(db: Db, now: number, limit: number): Promise<DueChange[]> {
  const rows = await db
    .selectFrom('pending_changes')
    .select(['article_id', 'changed_at'])
    .where('due_at', '<', now)
    .orderBy('changed_at')
    .orderBy('article_id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ articleId: row.article_id, changedAt: row.changed_at }));
}

/**
 * Forgets the changes that a publish has taken up. A change made since stays, and so does one that began before the publish and
 * was committed after it had read: which of them came first, clocks cannot tell.
 */
export async function deletePublishedChanges(db: Db, taken: DueChange[]): Promise<void> {
  const byInstant = Map.groupBy(taken, (change) => change.changedAt);
  for (const [changedAt, changes] of byInstant) {
    // An import writes some hundred rows with one instant; one statement each keeps the event loop free.
    for (let from = 0; from < changes.length; from += 500) {
      const ids = changes.slice(from, from + 500).map((change) => change.articleId);
      await db
        .deleteFrom('pending_changes')
        .where('changed_at', '=', changedAt)
        .where('article_id', 'in', ids)
        .execute();
    }
  }
}

/**
 * The outbox from articles to feeds. A row stays until the feeds with its article have been published: a crash in
 * between loses nothing, and publishing twice is harmless.
 */
import { chunks } from '../lib/chunks.ts';
import type { Db, Tx } from '../store/store.ts';

export interface DueChanges {
  count: number;
  /** The earliest instant at which one of them became due. */
  oldestDueAt: number;
}

/** A pending change, as it was when a publish began. */
export interface DueChange {
  articleId: string;
  changedAt: number;
}

/** Records that the feeds with these articles must be published from `dueAt` on. */
export async function recordPendingChanges(
  tx: Tx,
  changes: { articleId: string; dueAt: number }[],
  now: number,
): Promise<void> {
  if (changes.length === 0) return;
  await tx
    .insertInto('pending_changes')
    .values(changes.map(({ articleId, dueAt }) => ({ article_id: articleId, due_at: dueAt, changed_at: now })))
    .onConflict((conflict) =>
      conflict.column('article_id').doUpdateSet((e) => ({
        due_at: e.ref('excluded.due_at'),
        // Two changes of an article always differ, even within a millisecond or when the clock is set back.
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

/** Counts the changes due at `now`; null if there are none. */
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
 * Reads due changes. A publish reads them before any article, and deletes exactly these when it is done. A change due
 * at `now` itself is left for the next publish: a feed's window, `[from, now)`, does not contain it yet.
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
 * Deletes the changes that a publish has read. A change made since stays, and so does one that began before the publish
 * and was committed after it had read: clocks cannot tell which of the two came first.
 */
export async function deletePublishedChanges(db: Db, changes: DueChange[]): Promise<void> {
  for (const [changedAt, sameInstant] of Map.groupBy(changes, (change) => change.changedAt)) {
    // An import writes about a hundred rows with one instant; short statements keep the event loop responsive.
    for (const some of chunks(sameInstant, 500)) {
      const ids = some.map((change) => change.articleId);
      await db
        .deleteFrom('pending_changes')
        .where('changed_at', '=', changedAt)
        .where('article_id', 'in', ids)
        .execute();
    }
  }
}

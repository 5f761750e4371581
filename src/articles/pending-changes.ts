/**
 * The outbox from articles to feeds. A row stays until the feeds with its article have been published: a crash in
 * between loses nothing, and publishing twice is harmless.
 */
import { sql } from 'kysely';
import { jsonRows } from '../core/store/json-rows.ts';
import { type Db, dialectOf, type Tx } from '../core/store/store.ts';

/** A pending change, as it was when a publish began. */
export interface DueChange {
  articleId: string;
  dueAt: number;
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
        changed_at: sql`case when pending_changes.changed_at < excluded.changed_at then excluded.changed_at
          else pending_changes.changed_at + 1 end`,
      })),
    )
    .execute();
}

/** Counts the changes due at `now`, the first of which became due at `oldestDueAt`; null if there are none. */
export async function countDueChanges(db: Db, now: number): Promise<{ count: number; oldestDueAt: number } | null> {
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

/** Whether a change is due at `now`. */
export async function hasDueChanges(db: Db, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('pending_changes')
    .select('due_at')
    .where('due_at', '<', now)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Reads due changes, those that became due last first: a new change overtakes a backlog. A publish reads them before
 * any article, and deletes exactly these when it is done. A change due at `now` itself is left for the next publish: a
 * feed's window, `[from, now)`, does not contain it yet.
 * @param options.after the last one that was read
 * @param options.since reads only those that became due at this instant, or later
 */
export async function readDueChanges(
  db: Db,
  now: number,
  { limit, after, since = 0 }: { limit: number; after?: DueChange | undefined; since?: number | undefined },
): Promise<DueChange[]> {
  const rows = await db
    .selectFrom('pending_changes')
    .select(['article_id as articleId', 'due_at as dueAt', 'changed_at as changedAt'])
    .where('due_at', '<', now)
    .where('due_at', '>=', since)
    .$if(after !== undefined, (query) => {
      const { dueAt = 0, articleId = '' } = after ?? {};
      return query.where(sql<boolean>`(due_at, article_id) < (cast(${dueAt} as bigint), cast(${articleId} as text))`);
    })
    .orderBy('due_at', 'desc')
    .orderBy('article_id', 'desc')
    .limit(limit)
    .execute();
  // A publish collects tens of thousands. Rows of node:sqlite take three times the memory of such objects.
  return rows.map(({ articleId, dueAt, changedAt }) => ({ articleId, dueAt, changedAt }));
}

/**
 * Deletes the changes that a publish has read. A change made since stays, and so does one that began before the publish
 * and was committed after it had read: clocks cannot tell which of the two came first.
 */
export async function deletePublishedChanges(db: Db, changes: readonly DueChange[]): Promise<void> {
  if (changes.length === 0) return;
  const values = changes.map(({ articleId, changedAt }) => [articleId, changedAt]);
  const published = jsonRows(dialectOf(db), values, { id: 'text', at: 'int' });
  // Compared in the row itself: PostgreSQL looks at it again after it has waited for another transaction.
  await sql`delete from pending_changes
    where (article_id, changed_at) in (select id, at from ${published} as published)`.execute(db);
}

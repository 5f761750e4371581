/**
 * When feeds last changed: one row, whose lock lets publishes take turns. They change at most once a second, because HTTP dates
 * have no fractions: Last-Modified must move with every change (newsboat drops new items where it does not), and may not lie in the future.
 */
import { sql } from 'kysely';
import { MINUTE, SECOND } from '../lib/time.ts';
import type { Db } from '../store/store.ts';

export interface FeedVersion {
  /** Grows by one with every publish that changed anything. */
  version: number;
  /** When that was, whole seconds in epoch milliseconds; 0 where nothing has been published. */
  modifiedAt: number;
}

/** Clocks that share the work differ by less. A stamp further ahead is from a clock that has been set back since. */
const CLOCKS_DIFFER_BY = MINUTE;

/** The stamp as it stands. */
export async function readFeedVersion(db: Db): Promise<FeedVersion> {
  const row = await db.selectFrom('feed_version').selectAll().where('id', '=', 1).executeTakeFirst();
  return { version: row?.version ?? 0, modifiedAt: row?.modified_at ?? 0 };
}

/** Reads the stamp's version again and again: the query is built once, for under load that takes longer than the answer. */
export function openVersionReader(db: Db): () => Promise<number> {
  const query = db.selectFrom('feed_version').select('version').where('id', '=', 1).compile();
  return async () => {
    const { rows } = await db.executeQuery(query);
    return rows[0]?.version ?? 0;
  };
}

/** The stamp, locked until the transaction ends. @param db a transaction */
export async function lockFeedVersion(db: Db): Promise<FeedVersion> {
  const row = await db
    .insertInto('feed_version')
    .values({ id: 1, version: 0, modified_at: 0 })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ version: sql<number>`feed_version.version` }))
    .returning(['version', 'modified_at'])
    .executeTakeFirstOrThrow();
  return { version: row.version, modifiedAt: row.modified_at };
}

/** The instant from which feeds may change again, in epoch milliseconds; null where they may at `now`. */
export function mustWaitUntil({ modifiedAt }: FeedVersion, now: number): number | null {
  const isWaiting = modifiedAt + SECOND > now && modifiedAt <= now + CLOCKS_DIFFER_BY;
  return isWaiting ? modifiedAt + SECOND : null;
}

/** Notes that feeds change in this second. @param db the transaction that holds its lock. @returns the second */
export async function advanceFeedVersion(db: Db, now: number): Promise<number> {
  const modifiedAt = Math.floor(now / SECOND) * SECOND;
  await db
    .updateTable('feed_version')
    .set((e) => ({ version: e('version', '+', 1), modified_at: modifiedAt }))
    .where('id', '=', 1)
    .execute();
  return modifiedAt;
}

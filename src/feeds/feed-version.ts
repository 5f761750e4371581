/**
 * The feed version: one row that says when feeds last changed, and whose lock serialises publishes. Feeds change at
 * most once a second, because HTTP dates have no fractions: Last-Modified must move with every change (newsboat drops
 * new items otherwise), and it must not be in the future.
 */
import { sql } from 'kysely';
import type { Db, Tx } from '../core/store/store.ts';
import { CLOCK_DIFFERENCE, SECOND } from '../lib/time.ts';

export interface FeedVersion {
  /** Grows by one with each publish that changes a document. */
  version: number;
  /** Time of the last change, whole seconds in epoch milliseconds; 0 before the first publish. */
  modifiedAt: number;
}

export async function readFeedVersion(db: Db): Promise<FeedVersion> {
  const row = await db.selectFrom('feed_version').selectAll().where('id', '=', 1).executeTakeFirst();
  return { version: row?.version ?? 0, modifiedAt: row?.modified_at ?? 0 };
}

/** Prepares a reader of the version: under load, building the query takes longer than running it. */
export function openVersionReader(db: Db): () => Promise<number> {
  const query = db.selectFrom('feed_version').select('version').where('id', '=', 1).compile();
  return async () => {
    const { rows } = await db.executeQuery(query);
    return rows[0]?.version ?? 0;
  };
}

/** Reads the version, and locks it until the transaction ends. */
export async function lockFeedVersion(tx: Tx): Promise<FeedVersion> {
  const row = await tx
    .insertInto('feed_version')
    .values({ id: 1, version: 0, modified_at: 0 })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ version: sql<number>`feed_version.version` }))
    .returning(['version', 'modified_at'])
    .executeTakeFirstOrThrow();
  return { version: row.version, modifiedAt: row.modified_at };
}

/** The instant from which feeds may change again, in epoch milliseconds; null if they may at `now`. */
export function mustWaitUntil({ modifiedAt }: FeedVersion, now: number): number | null {
  // An instant further ahead is from a clock that has been set back since.
  const isWaiting = modifiedAt + SECOND > now && modifiedAt <= now + CLOCK_DIFFERENCE;
  return isWaiting ? modifiedAt + SECOND : null;
}

/** Advances the version, under its lock. @returns the second in which feeds change, in epoch milliseconds */
export async function advanceFeedVersion(tx: Tx, now: number): Promise<number> {
  const modifiedAt = Math.floor(now / SECOND) * SECOND;
  await tx
    .updateTable('feed_version')
    .set((e) => ({ version: e('version', '+', 1), modified_at: modifiedAt }))
    .where('id', '=', 1)
    .execute();
  return modifiedAt;
}

const BUILD_KEY = 'feed-published:';

/**
 * Claims feeds for a build of what was public at `now`, unless a build of a later instant has claimed them: of two
 * processes that publish a feed at once, the one that read the articles first may write last. Each claim locks its row
 * until the transaction ends.
 * @returns ids of the feeds that were claimed
 */
export async function claimFeeds(tx: Tx, feeds: string[], now: number): Promise<Set<string>> {
  if (feeds.length === 0) return new Set();
  const rows = await tx
    .insertInto('meta')
    // Sorted, so that two transactions never wait for each other; padded, so that instants compare as text.
    .values([...feeds].sort().map((feed) => ({ key: BUILD_KEY + feed, value: padded(now) })))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ value: sql`excluded.value` })
        .where(sql<boolean>`meta.value <= excluded.value or meta.value > ${padded(now + CLOCK_DIFFERENCE)}`),
    )
    .returning('key')
    .execute();
  return new Set(rows.map(({ key }) => key.slice(BUILD_KEY.length)));
}

function padded(instant: number): string {
  return String(instant).padStart(16, '0');
}

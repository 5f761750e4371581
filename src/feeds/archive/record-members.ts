/**
 * Records which articles a feed has published, and when: the members of its archive. Each is recorded once; until it is
 * on a closed page, the feed itself holds it.
 */
import { type RawBuilder, sql } from 'kysely';
import { matchesSelection, PUBLIC_STATES } from '../../articles/selection.ts';
import type { Config, FeedConfig } from '../../config/config.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Db, Store } from '../../store/store.ts';
import { lockFeedVersion } from '../feed-version.ts';
import { feedsWithArchive } from './archives.ts';

/** Both databases limit the values that one statement binds: 32,766 and 65,535. */
export const IDS_PER_STATEMENT = 5_000;

/**
 * Records which of these articles each feed publishes from `now` on, before any feed is built: a publish that fails
 * later loses nothing. Unarchived articles that are no longer public or selected are removed. Idempotent.
 * @param changed ids of articles
 */
export async function recordMembers(
  store: Store,
  config: Config,
  { now, changed }: { now: number; changed: readonly string[] },
): Promise<void> {
  if (changed.length === 0) return;
  const rows = await store.db.selectFrom('archive_feeds').select('feed').where('backfilled_to', 'is', null).execute();
  const backfilled = new Set(rows.map(({ feed }) => feed));
  const feeds = feedsWithArchive(config);
  for (const ids of chunks(changed, IDS_PER_STATEMENT)) {
    for (const feed of feeds) await deleteDeselected(store.db, feed, ids);
    // One batch, so that the disk syncs once.
    await store.batch(
      feeds.map((feed) => {
        // During a backfill, an article may have been public before this change.
        const at = backfilled.has(feed.id) ? sql<number>`cast(${now} as bigint)` : PUBLIC_SINCE;
        return insertion(store.db, feed, { now, at, among: sql.join(ids) }).compile();
      }),
    );
  }
}

/** The earliest instant at which an older article can have been public here. */
const PUBLIC_SINCE = sql<number>`case when articles.created_at > articles.published_at
  then articles.created_at else articles.published_at end`;

/** One statement for any number of articles. @param among their ids, as a list or a subquery */
function insertion(
  db: Db,
  { id, select }: FeedConfig,
  { now, at, among }: { now: number; at: RawBuilder<number>; among: RawBuilder<unknown> },
) {
  return db
    .insertInto('archive_members')
    .columns(['feed', 'article_id', 'recorded_at'])
    .expression(
      db
        .selectFrom('articles')
        .where(matchesSelection(select))
        .where('articles.state', 'in', PUBLIC_STATES)
        .where('articles.published_at', '<=', now)
        .where(sql<boolean>`articles.id in (${among})`)
        .select([sql<string>`cast(${id} as text)`.as('feed'), 'articles.id', at.as('recorded_at')])
        // Sorted, so that two processes never wait for each other's rows.
        .orderBy('articles.id'),
    )
    .onConflict((conflict) => conflict.columns(['feed', 'article_id']).doNothing());
}

/** Deletes unarchived articles that are no longer public or selected. @param among ids, or null for all */
async function deleteDeselected(db: Db, { id, select }: FeedConfig, among: string[] | null): Promise<void> {
  const isSelected = db
    .selectFrom('articles')
    .where(matchesSelection(select))
    .where('articles.state', 'in', PUBLIC_STATES)
    .where(sql<boolean>`articles.id = archive_members.article_id`)
    .select('articles.id');
  const deselected = await db
    .selectFrom('archive_members')
    .select('article_id')
    .where('feed', '=', id)
    .where('page', 'is', null)
    .$if(among !== null, (q) => q.where('article_id', 'in', among as string[]))
    .where((e) => e.not(e.exists(isSelected)))
    .execute();
  await deleteUnarchived(
    db,
    id,
    deselected.map((row) => row.article_id),
  );
}

/** Deletes articles of a feed, unless they are on a closed page. */
export async function deleteUnarchived(db: Db, feed: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.transaction().execute(async (tx) => {
    // A process that closes a page holds the same lock.
    await lockFeedVersion(tx);
    for (const some of chunks(ids, IDS_PER_STATEMENT)) {
      await tx
        .deleteFrom('archive_members')
        .where('feed', '=', feed)
        .where('page', 'is', null)
        .where('article_id', 'in', some)
        .execute();
    }
  });
}

/** Number of articles that one statement examines. */
const BACKFILL_STEP = 20_000;
const START: [createdAt: number, id: string] = [0, ''];

/** Whether a feed's archive knows all articles that are older than the archive. */
export async function isBackfilled(db: Db, feed: FeedConfig): Promise<boolean> {
  const row = await findArchive(db, feed);
  return row?.selection === selectionOf(feed) && row.backfilled_to === null;
}

/** Records the next 20,000 of the articles that are older than a feed's archive, or than its selection. */
export async function backfill(db: Db, feed: FeedConfig, now: number): Promise<void> {
  const row = await findArchive(db, feed);
  const selection = selectionOf(feed);
  let [at, id] = START;
  if (row?.selection === selection) {
    if (row.backfilled_to === null) return;
    [at, id] = JSON.parse(row.backfilled_to) as typeof START;
  } else {
    const archive = { selection, backfilled_to: JSON.stringify(START) };
    await db
      .insertInto('archive_feeds')
      .values({ feed: feed.id, ...archive })
      .onConflict((conflict) => conflict.column('feed').doUpdateSet(archive))
      .execute();
    await deleteDeselected(db, feed, null);
  }
  const next = sql`select id from articles as older where (older.created_at, older.id) > (${at}, ${id})
    order by older.created_at, older.id limit ${BACKFILL_STEP}`;
  const last = await db
    .selectFrom('articles')
    .select(['created_at', 'id'])
    .where(sql<boolean>`(created_at, id) > (${at}, ${id})`)
    .orderBy('created_at')
    .orderBy('id')
    .offset(BACKFILL_STEP - 1)
    .limit(1)
    .executeTakeFirst();
  await insertion(db, feed, { now, at: PUBLIC_SINCE, among: next }).execute();
  await db
    .updateTable('archive_feeds')
    .set({ backfilled_to: last === undefined ? null : JSON.stringify([last.created_at, last.id]) })
    .where('feed', '=', feed.id)
    .where('selection', '=', selection)
    .execute();
}

function findArchive(db: Db, { id }: FeedConfig) {
  return db.selectFrom('archive_feeds').selectAll().where('feed', '=', id).executeTakeFirst();
}

function selectionOf({ select }: FeedConfig): string {
  return JSON.stringify(select);
}

/** Finds the articles of a feed that are on no page yet, the most recent first. @returns ids */
export async function findUnarchived(db: Db, feed: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('archive_members')
    .select('article_id')
    .where('feed', '=', feed)
    .where('page', 'is', null)
    .orderBy('recorded_at', 'desc')
    .orderBy('article_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => row.article_id);
}

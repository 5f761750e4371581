/**
 * Which articles a feed has published, and since when: what its archive is made of. Noted once for each feed and article; what is
 * not in a closed part yet waits for one, and stands in the feed itself meanwhile.
 */
import { type RawBuilder, sql } from 'kysely';
import { matchesSelection, PUBLIC_STATES } from '../../articles/selection.ts';
import type { Config, FeedConfig } from '../../config/config.ts';
import type { Db, Store } from '../../store/store.ts';
import { lockFeedVersion } from '../feed-version.ts';

/** Whether a feed has an archive. That of a window would be no more than the archive of the same feed without one. */
function hasArchive({ windowHours }: Pick<FeedConfig, 'windowHours'>): boolean {
  return windowHours === undefined;
}

/** The feeds that have an archive. */
export function feedsWithArchive(config: Pick<Config, 'feeds'>): FeedConfig[] {
  return config.feeds.filter(hasArchive);
}

/** Both databases limit how many values one statement binds: 32,766 and 65,535. */
const IDS_AT_ONCE = 5_000;

/** Any number of ids, in pieces that one statement takes. */
export function* inPieces(ids: readonly string[]): Generator<string[]> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) yield ids.slice(from, from + IDS_AT_ONCE);
}

/**
 * Notes which of these articles each feed publishes from `now` on, before any feed is built: a publish that dies later loses
 * nothing. What waits and is no longer public, or not selected any more, leaves. Doing it twice is harmless.
 * @param changed ids of articles
 */
export async function recordMembers(
  store: Store,
  config: Config,
  { now, changed }: { now: number; changed: readonly string[] },
): Promise<void> {
  if (changed.length === 0) return;
  const rows = await store.db.selectFrom('archive_feeds').select('feed').where('backfilled_to', 'is', null).execute();
  const whole = new Set(rows.map(({ feed }) => feed));
  const feeds = feedsWithArchive(config);
  for (const ids of inPieces(changed)) {
    for (const feed of feeds) await deleteDeselected(store.db, feed, ids);
    // Together, for the disk is waited for once.
    await store.batch(
      feeds.map((feed) => {
        // Until the older ones are in, nobody knows which of these had been public before.
        const at = whole.has(feed.id) ? sql<number>`cast(${now} as bigint)` : FIRST_SEEN;
        return insertion(store.db, feed, { now, at, among: sql.join(ids) }).compile();
      }),
    );
  }
}

/** The instant from which an older article was most likely public here. */
const FIRST_SEEN = sql<number>`case when articles.created_at > articles.published_at
  then articles.created_at else articles.published_at end`;

/** One statement for any number of articles. @param among the ids, as a list or a subquery */
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
        // In one order, so that two processes never wait for each other.
        .orderBy('articles.id'),
    )
    .onConflict((conflict) => conflict.columns(['feed', 'article_id']).doNothing());
}

/** @param among ids; null looks at all that wait */
async function deleteDeselected(db: Db, { id, select }: FeedConfig, among: string[] | null): Promise<void> {
  const fit = db
    .selectFrom('articles')
    .where(matchesSelection(select))
    .where('articles.state', 'in', PUBLIC_STATES)
    .where(sql<boolean>`articles.id = archive_members.article_id`)
    .select('articles.id');
  const unfit = await db
    .selectFrom('archive_members')
    .select('article_id')
    .where('feed', '=', id)
    .where('page', 'is', null)
    .$if(among !== null, (q) => q.where('article_id', 'in', among as string[]))
    .where((e) => e.not(e.exists(fit)))
    .execute();
  await deleteUnarchived(
    db,
    id,
    unfit.map((row) => row.article_id),
  );
}

/** Takes those out that wait. */
export async function deleteUnarchived(db: Db, feed: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.transaction().execute(async (tx) => {
    // Who closes a part locks the same rows.
    await lockFeedVersion(tx);
    for (const piece of inPieces(ids)) {
      await tx
        .deleteFrom('archive_members')
        .where('feed', '=', feed)
        .where('page', 'is', null)
        .where('article_id', 'in', piece)
        .execute();
    }
  });
}

/** How many articles one statement looks through. */
const LOOKED_THROUGH = 20_000;
const BEGINNING: [createdAt: number, id: string] = [0, ''];

/** Whether a feed's archive knows of all articles that the store held before it. */
export async function isBackfilled(db: Db, feed: FeedConfig): Promise<boolean> {
  const row = await findArchive(db, feed);
  return row?.selection === selectionOf(feed) && row.backfilled_to === null;
}

/** Takes in some thousand of the articles that the store held before the feed had an archive, or before it selected them. */
export async function backfill(db: Db, feed: FeedConfig, now: number): Promise<void> {
  const row = await findArchive(db, feed);
  const selection = selectionOf(feed);
  let [at, id] = BEGINNING;
  if (row?.selection === selection) {
    if (row.backfilled_to === null) return;
    [at, id] = JSON.parse(row.backfilled_to) as typeof BEGINNING;
  } else {
    const begun = { selection, backfilled_to: JSON.stringify(BEGINNING) };
    await db
      .insertInto('archive_feeds')
      .values({ feed: feed.id, ...begun })
      .onConflict((conflict) => conflict.column('feed').doUpdateSet(begun))
      .execute();
    await deleteDeselected(db, feed, null);
  }
  const next = sql`select id from articles as older where (older.created_at, older.id) > (${at}, ${id})
    order by older.created_at, older.id limit ${LOOKED_THROUGH}`;
  const last = await db
    .selectFrom('articles')
    .select(['created_at', 'id'])
    .where(sql<boolean>`(created_at, id) > (${at}, ${id})`)
    .orderBy('created_at')
    .orderBy('id')
    .offset(LOOKED_THROUGH - 1)
    .limit(1)
    .executeTakeFirst();
  await insertion(db, feed, { now, at: FIRST_SEEN, among: next }).execute();
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

/** The ids of the articles that wait, those that came last first. */
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

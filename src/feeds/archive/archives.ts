/** The archives of feeds (RFC 5005 §4) as a whole: which feeds have one, how far it has come, and its withdrawal. */
import { sql } from 'kysely';
import { PUBLIC_STATES } from '../../articles/selection.ts';
import type { Config, FeedConfig } from '../../core/config/config.ts';
import { readMeta, writeMeta } from '../../core/store/meta.ts';
import type { Db, Tx } from '../../core/store/store.ts';
import { findNewestPage } from './archive-page.ts';

/** The feeds with an archive. A feed with a window has none: it would equal that of the same feed without a window. */
export function feedsWithArchive(config: Pick<Config, 'feeds'>): FeedConfig[] {
  return config.feeds.filter(({ windowHours }) => windowHours === undefined);
}

/** The archive of a feed, as it is stored. */
export interface Archive {
  feed: FeedConfig;
  /** Names it in `archive_places`. */
  number: number;
  /** The last of the older articles that was added; null when all are. */
  backfilledTo: BackfillPosition | null;
}

/** The order in which older articles are added. */
export type BackfillPosition = [createdAt: number, id: string];

/** Before all articles. */
const BEGINNING: BackfillPosition = [0, ''];

/** The archives of the feeds that have one, in the order of the configuration. Those of new feeds are created. */
export async function openArchives(tx: Tx, config: Pick<Config, 'feeds'>): Promise<Archive[]> {
  const feeds = feedsWithArchive(config);
  const rows = new Map((await tx.selectFrom('archive_feeds').selectAll().execute()).map((row) => [row.feed, row]));
  if (feeds.some(({ id }) => !rows.has(id))) {
    // Where no public article has been published before, there are no older ones.
    const backfilled_to = (await hasPublishedArticles(tx)) ? JSON.stringify(BEGINNING) : null;
    let number = await lastNumber(tx);
    for (const feed of feeds.filter(({ id }) => !rows.has(id))) {
      number += 1;
      const row = { feed: feed.id, selection: selectionOf(feed), backfilled_to, number, waiting_version: 0 };
      await tx.insertInto('archive_feeds').values(row).execute();
      rows.set(feed.id, row);
    }
  }
  return feeds.map((feed) => {
    const { number = 0, backfilled_to = null } = rows.get(feed.id) ?? {};
    const backfilledTo = backfilled_to === null ? null : (JSON.parse(backfilled_to) as BackfillPosition);
    return { feed, number, backfilledTo };
  });
}

/** Starts the archive's backfill again, if the feed's selection is not the one with which it began. */
export async function followSelection(tx: Tx, { feed }: Archive): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('archive_feeds')
    .set({ selection: selectionOf(feed), backfilled_to: JSON.stringify(BEGINNING) })
    .where('feed', '=', feed.id)
    .where('selection', '<>', selectionOf(feed))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Whether a feed's archive knows all articles that are older than the archive. */
export async function isBackfilled(db: Db, feed: FeedConfig): Promise<boolean> {
  const row = await db.selectFrom('archive_feeds').selectAll().where('feed', '=', feed.id).executeTakeFirst();
  return row?.selection === selectionOf(feed) && row.backfilled_to === null;
}

/** @param position null: all older articles have been added */
export async function saveBackfillPosition(tx: Tx, feed: string, position: BackfillPosition | null): Promise<void> {
  const backfilled_to = position === null ? null : JSON.stringify(position);
  await tx.updateTable('archive_feeds').set({ backfilled_to }).where('feed', '=', feed).execute();
}

function selectionOf({ select }: FeedConfig): string {
  return JSON.stringify(select);
}

async function hasPublishedArticles(db: Db): Promise<boolean> {
  const { rows } = await sql`select 1 from articles where state in (${sql.join(PUBLIC_STATES)})
    and not exists (select 1 from pending_changes where article_id = articles.id) limit 1`.execute(db);
  return rows.length > 0;
}

const LAST_NUMBER = 'archives.last-number';

/** The highest number that an archive has, or a deleted one had. */
async function lastNumber(tx: Tx): Promise<number> {
  const { highest } = await tx
    .selectFrom('archive_feeds')
    .select((e) => e.fn.max('number').as('highest'))
    .executeTakeFirstOrThrow();
  return Math.max(highest ?? 0, Number((await readMeta(tx, LAST_NUMBER)) ?? 0));
}

export interface ArchiveSummary {
  feed: string;
  /** Number of closed pages. */
  pages: number;
  /** Path of the newest page, or null. */
  newest: string | null;
  /** Articles that are on no page yet. */
  unarchived: number;
  /** Whether all older articles have been added. */
  complete: boolean;
}

/** Summarises the archives, by feed. */
export async function summariseArchives(db: Db): Promise<ArchiveSummary[]> {
  const feeds = await db.selectFrom('archive_feeds').select(['feed', 'backfilled_to']).orderBy('feed').execute();
  const waiting = await db
    .selectFrom('archive_waiting')
    .select((e) => ['feed', e.fn.countAll<number>().as('count')])
    .groupBy('feed')
    .execute();
  const counts = new Map(waiting.map(({ feed, count }) => [feed, count]));
  return Promise.all(
    feeds.map(async ({ feed, backfilled_to }) => {
      const newest = await findNewestPage(db, feed);
      return {
        feed,
        // Pages are numbered from 1, without gaps.
        pages: newest?.page ?? 0,
        newest: newest?.path ?? null,
        unarchived: counts.get(feed) ?? 0,
        complete: backfilled_to === null,
      };
    }),
  );
}

/** Finds stored archives of feeds that no longer have one: the configuration omits the feed, or gives it a window. */
export async function findObsoleteArchives(db: Db, config: Config): Promise<string[]> {
  const kept = new Set(feedsWithArchive(config).map(({ id }) => id));
  const rows = await db.selectFrom('archive_feeds').select('feed').orderBy('feed').execute();
  return rows.map(({ feed }) => feed).filter((feed) => !kept.has(feed));
}

/** Deletes the archives of feeds. */
export async function deleteArchives(tx: Tx, feeds: string[]): Promise<void> {
  if (feeds.length === 0) return;
  // Places of these archives stay behind, so their numbers are not given again.
  await writeMeta(tx, LAST_NUMBER, String(await lastNumber(tx)));
  for (const feed of feeds) {
    for (const table of ['archive_pages', 'archive_waiting', 'archive_feeds'] as const) {
      await tx.deleteFrom(table).where('feed', '=', feed).execute();
    }
  }
}

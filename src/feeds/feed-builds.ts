/**
 * What the published documents of each feed show, so that a change concerns only the feeds that it touches. Recorded in
 * the transaction that stores the documents.
 */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Config, FeedConfig } from '../core/config/config.ts';
import type { Db, Tx } from '../core/store/store.ts';
import { oncePer } from '../lib/once-per.ts';
import { HOUR } from '../lib/time.ts';
import { VERSION } from '../lib/version.ts';
import { type ChangedArticle, isPublicAt } from './changed-articles.ts';

/** Content of a build. */
export interface FeedContent {
  /** Its articles, and the versions that were read of them, or earlier ones. */
  versions: readonly (readonly [id: string, version: number])[];
  /** Ids of the articles that it reports as retracted. */
  retracted: readonly string[];
  /** An article that was published before this instant does not enter the feed. */
  entersFrom: number;
  /** The archive page that it links to; 0 for none. */
  page: number;
}

/** A stored version is never this one, so that each change of the article touches the feed. */
const ANY_CHANGE = 0;

export async function saveFeedBuild(tx: Tx, config: Config, feed: FeedConfig, content: FeedContent): Promise<void> {
  const { versions, retracted, entersFrom, page } = content;
  const items = JSON.stringify([...versions, ...retracted.map((id) => [id, ANY_CHANGE])]);
  const fingerprint = fingerprintOf(config, feed);
  const row = { fingerprint, items, enters_from: entersFrom, page, waiting_version: 0 };
  await tx
    .insertInto('feed_builds')
    .values({ feed: feed.id, ...row })
    .onConflict((conflict) => conflict.column('feed').doUpdateSet(row))
    .execute();
}

/** Deletes what is known of feeds that are not configured. */
export async function deleteOtherBuilds(tx: Tx, configured: readonly string[]): Promise<void> {
  await tx
    .deleteFrom('feed_builds')
    .where('feed', 'not in', [...configured])
    .execute();
}

/**
 * Finds the feeds that changed articles touch: those that show one, or that one enters. Also those that were never
 * built, or by another configuration or version.
 */
export async function findTouchedFeeds(
  db: Db,
  config: Config,
  articles: readonly ChangedArticle[],
  now: number,
): Promise<string[]> {
  const builds = new Map((await db.selectFrom('feed_builds').selectAll().execute()).map((row) => [row.feed, row]));
  return config.feeds
    .filter((feed) => {
      const build = builds.get(feed.id);
      if (build === undefined || build.fingerprint !== fingerprintOf(config, feed)) return true;
      const shown = new Map(JSON.parse(build.items) as [string, number][]);
      const from = feed.windowHours === undefined ? build.enters_from : now - feed.windowHours * HOUR;
      return articles.some((article) => isTouched(article, feed.id, shown, from, now));
    })
    .map(({ id }) => id);
}

/** Pure. @param from an article that was published before this instant does not enter the feed */
function isTouched(
  article: ChangedArticle,
  feed: string,
  shown: ReadonlyMap<string, number>,
  from: number,
  now: number,
): boolean {
  const version = shown.get(article.id);
  if (version !== undefined) return version !== article.version;
  if (!article.selectedBy.has(feed)) return false;
  return article.state === 'retracted' || (isPublicAt(article, now) && article.publishedAt >= from);
}

/** Finds the feeds that do not link to the newest page of their archive. */
export async function findFeedsBehindArchive(db: Db, config: Pick<Config, 'feeds'>): Promise<string[]> {
  const newest = sql<number | null>`(select max(page) from archive_pages where feed = feed_builds.feed)`;
  const rows = await db
    .selectFrom('feed_builds')
    .select(['feed', 'page', newest.as('newest')])
    .execute();
  const behind = new Set(rows.filter(({ page, newest }) => page !== (newest ?? 0)).map(({ feed }) => feed));
  return config.feeds.map(({ id }) => id).filter((id) => behind.has(id));
}

const fingerprintsOf = oncePer(({ feeds, publication, sections, hub, ownMessages, paths }: Config) => {
  const hasMedia = paths.media !== undefined;
  const content = (feed: FeedConfig): string =>
    JSON.stringify([VERSION, feed, publication, sections, hub, ownMessages, hasMedia]);
  return new Map(feeds.map((feed) => [feed.id, createHash('sha256').update(content(feed)).digest('base64url')]));
});

/** Hash of what a feed depends on beside its articles. */
function fingerprintOf(config: Config, { id }: FeedConfig): string {
  return fingerprintsOf(config).get(id) ?? '';
}

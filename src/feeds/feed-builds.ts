/**
 * What the published documents of each feed show, so that a change concerns only the feeds that it touches. Recorded in
 * the transaction that stores the documents.
 */
import { createHash } from 'node:crypto';
import type { Config, FeedConfig } from '../config/config.ts';
import { HOUR } from '../lib/time.ts';
import { VERSION } from '../lib/version.ts';
import type { Db, Tx } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type ChangedArticle, isPublicAt } from './changed-articles.ts';

/** What a build shows. */
export interface FeedContent {
  /** Its articles, and the versions that were read of them, or earlier ones. */
  versions: readonly (readonly [id: string, version: number])[];
  /** Ids of the articles that it reports as retracted. */
  retracted: readonly string[];
  /** An article that was published before this instant enters the feed only while it waits for an archive page. */
  entersFrom: number;
  /** The archive page that it links to; 0 for none. */
  page: number;
}

/** Instead of a page: the feed is to be built when the archive's pages are closed. */
const OUTDATED = -1;

/** A stored version is never this one, so that each change of the article touches the feed. */
const ANY_CHANGE = 0;

export async function saveFeedBuild(tx: Tx, config: Config, feed: FeedConfig, content: FeedContent): Promise<void> {
  const { versions, retracted, entersFrom, page } = content;
  const items = JSON.stringify([...versions, ...retracted.map((id) => [id, ANY_CHANGE])]);
  const row = { fingerprint: fingerprintOf(config, feed), items, enters_from: entersFrom, page };
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
 * @param waitingIn ids of the feeds of whose archives articles wait now that did not before, or the other way round
 */
export async function findTouchedFeeds(
  db: Db,
  config: Config,
  articles: readonly ChangedArticle[],
  { now, waitingIn }: { now: number; waitingIn: ReadonlySet<string> },
): Promise<string[]> {
  const builds = new Map((await db.selectFrom('feed_builds').selectAll().execute()).map((row) => [row.feed, row]));
  return config.feeds
    .filter((feed) => {
      const build = builds.get(feed.id);
      if (build === undefined || build.fingerprint !== fingerprintOf(config, feed) || waitingIn.has(feed.id))
        return true;
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

/** Leaves it to the end of a backlog to show what waits for archive pages: see `findFeedsBehindArchive`. */
export async function markOutdated(db: Db, feeds: ReadonlySet<string>): Promise<void> {
  if (feeds.size === 0) return;
  await db
    .updateTable('feed_builds')
    .set({ page: OUTDATED })
    .where('feed', 'in', [...feeds])
    .execute();
}

/** Finds the feeds that do not link to the newest page of their archive, or were marked. */
export async function findFeedsBehindArchive(db: Db, config: Pick<Config, 'feeds'>): Promise<string[]> {
  const rows = await db
    .selectFrom('feed_builds')
    .select(['feed', 'page'])
    .select((e) =>
      e
        .selectFrom('archive_pages')
        .select((of) => of.fn.max('archive_pages.page').as('newest'))
        .whereRef('archive_pages.feed', '=', 'feed_builds.feed')
        .as('newest'),
    )
    .execute();
  const behind = new Set(rows.filter(({ page, newest }) => page !== (newest ?? 0)).map(({ feed }) => feed));
  return config.feeds.map(({ id }) => id).filter((id) => behind.has(id));
}

const fingerprints = new WeakMap<Config, Map<string, Tables['feed_builds']['fingerprint']>>();

/** Hash of what a feed depends on beside its articles. */
function fingerprintOf(config: Config, feed: FeedConfig): string {
  const known = fingerprints.get(config) ?? new Map<string, string>();
  fingerprints.set(config, known);
  const { publication, sections, hub = null } = config;
  const fingerprint =
    known.get(feed.id) ??
    createHash('sha256')
      .update(JSON.stringify([VERSION, feed, publication, sections, hub]))
      .digest('base64url');
  known.set(feed.id, fingerprint);
  return fingerprint;
}

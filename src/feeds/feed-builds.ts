/**
 * What the published documents of each feed show, so that a change concerns only the feeds that it touches. Recorded in
 * the transaction that stores the documents.
 */
import { createHash } from 'node:crypto';
import type { Config, FeedConfig } from '../core/config/config.ts';
import { type Db, dialectOf, type Tx } from '../core/store/store.ts';
import { chunks } from '../lib/chunks.ts';
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
}

/** A stored version is never this one, so that each change of the article touches the feed. */
const ANY_CHANGE = 0;

export async function saveFeedBuild(tx: Tx, config: Config, feed: FeedConfig, content: FeedContent): Promise<void> {
  const { versions, retracted, entersFrom } = content;
  const items = JSON.stringify([...versions, ...retracted.map((id) => [id, ANY_CHANGE])]);
  const fingerprint = fingerprintOf(config, feed);
  const row = { fingerprint, items, enters_from: entersFrom };
  await tx
    .insertInto('feed_builds')
    .values({ feed: feed.id, ...row })
    .onConflict((conflict) => conflict.column('feed').doUpdateSet(row))
    .execute();
}

/**
 * Whether an article that builds show for the first time was deleted while they were made. Until the transaction ends,
 * the others stay; after it, the deletion sees that feeds show them.
 */
export async function hasLostArticles(tx: Tx, builds: readonly { content: FeedContent }[]): Promise<boolean> {
  const known = (await tx.selectFrom('feed_builds').select('items').execute()).flatMap(({ items }) => idsIn(items));
  const shown = builds.flatMap(({ content }) => [...content.versions.map(([id]) => id), ...content.retracted]);
  const added = [...new Set(shown).difference(new Set(known))].sort();
  for (const ids of chunks(added, ARTICLES_PER_STATEMENT)) {
    const query = tx.selectFrom('articles').select('id').where('id', 'in', ids).orderBy('id');
    const rows = await query.$if(dialectOf(tx) === 'postgres', (q) => q.forKeyShare()).execute();
    if (rows.length < ids.length) return true;
  }
  return false;
}

const ARTICLES_PER_STATEMENT = 500;

function idsIn(items: string): string[] {
  return (JSON.parse(items) as [string, number][]).map(([id]) => id);
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

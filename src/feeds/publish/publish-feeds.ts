/**
 * Publishes feeds: selects, builds and stores them. An article that cannot be an item is rejected, and its feed is
 * published without it.
 */
import { clearRejection, recordRejection } from '../../articles/rejections.ts';
import { readableJson } from '../../articles/stored-document.ts';
import type { Config } from '../../core/config/config.ts';
import type { Store, Tx } from '../../core/store/store.ts';
import { TurnTimer } from '../../lib/concurrency/turn-timer.ts';
import type { Templates } from '../../lib/templates.ts';
import { buildSelectedFeed, type SelectedFeed } from '../build-selected.ts';
import {
  compressChanged,
  deleteDocuments,
  findChanged,
  findUnlistedDocuments,
  type PreparedDocument,
  saveDocuments,
} from '../documents.ts';
import { deleteOtherBuilds, hasLostArticles, saveFeedBuild } from '../feed-builds.ts';
import { advanceFeedVersion, claimFeeds, lockFeedVersion, mustWaitUntil } from '../feed-version.ts';
import { FORMATS } from '../formats/feed-view.ts';
import type { FailedArticle } from '../formats/item.ts';
import { SHARED_DOCUMENTS, sharedDocuments } from '../index-page/index-page.ts';

export interface PublishFeedsResult {
  documents: {
    path: string;
    /** Whether its bytes differ from those published before. */
    changed: boolean;
    /** 0 for a document that is not a feed. */
    items: number;
    bytes: number;
  }[];
  /** The articles that feeds were published without; one entry for each problem. */
  rejected: { feed: string; articleId: string; problem: string }[];
  /** Feeds that were not stored, because another process has stored a build of a later instant. */
  superseded: string[];
  /** The instant from which changes may be stored, because feeds have changed in this second already; or null. */
  postponedUntil: number | null;
}

export interface PublishOptions {
  /** The feeds hold what is public at this instant. */
  now: number;
  /** Ids; default all. */
  feeds?: string[] | undefined;
  /** Whether articles have changed. The feed version then advances even if no stored document differs: others may. */
  hasChanges?: boolean;
  /** Called in the transaction that stores documents, with their paths and the second of the change (epoch ms). */
  onStored?: (tx: Tx, paths: string[], at: number) => Promise<void>;
}

/**
 * Builds feeds, stores the documents that differ, and deletes those of feeds that are no longer configured, in one
 * transaction. Publishing twice, or in two processes at once, is harmless: an older build never replaces a newer one.
 * If feeds have changed in the same second already, nothing is stored, and the result says until when it is postponed.
 * @throws Error if a template fails
 */
export async function publishFeeds(
  store: Store,
  config: Config,
  templates: Templates,
  options: PublishOptions,
): Promise<PublishFeedsResult> {
  for (;;) {
    const build = await buildAll(store, config, templates, options);
    const stored = await store.db.transaction().execute((tx) => storeBuild(tx, config, build, options));
    if (stored !== null) return resultOf(build, stored);
  }
}

interface Build {
  feeds: PreparedFeed[];
  /** The documents that all feeds share. */
  shared: PreparedDocument[];
}

type PreparedFeed = Omit<SelectedFeed, 'documents'> & { documents: PreparedDocument[] };

async function buildAll(
  store: Store,
  config: Config,
  templates: Templates,
  { now, feeds: ids }: PublishOptions,
): Promise<Build> {
  // Which facets are in use is shown with the next publish of a feed.
  const shared = ids?.length === 0 ? [] : await sharedDocuments(store.reports, config, templates, now);
  const feeds: PreparedFeed[] = [];
  const context = { store, config, now, timer: new TurnTimer({ inBackground: true }) };
  // Each feed is compressed while the next one is built. Of what has changed, only the compressed forms are kept.
  let compressing = Promise.resolve();
  const compress = async ({ documents, ...feed }: SelectedFeed): Promise<void> => {
    feeds.push({ ...feed, documents: await compressChanged(store.db, documents) });
  };
  try {
    for (const feed of config.feeds.filter(({ id }) => ids?.includes(id) ?? true)) {
      const built = await buildSelectedFeed(context, feed);
      await compressing;
      compressing = compress(built);
      // Its error is thrown where it is awaited, which may be later.
      compressing.catch(() => {});
    }
  } finally {
    // Also if a build has failed: nothing may use the store afterwards.
    await compressing;
  }
  return { feeds, shared: await compressChanged(store.db, shared) };
}

interface StoredBuild {
  /** Ids of the feeds whose build is the newest. */
  claimed: Set<string>;
  changedPaths: string[];
  postponedUntil: number | null;
}

/** Null, and nothing is stored, if one of its articles was deleted meanwhile: an import was undone. */
async function storeBuild(
  tx: Tx,
  config: Config,
  build: Build,
  { now, hasChanges = false, onStored }: PublishOptions,
): Promise<StoredBuild | null> {
  const version = await lockFeedVersion(tx);
  if (await hasLostArticles(tx, build.feeds)) return null;
  const claimed = await claimFeeds(tx, idsOf(build.feeds), now);
  const superseded = new Set<string>();
  for (const { feed, documents, failed } of build.feeds) {
    if (claimed.has(feed.id)) await recordFailedItems(tx, feed.id, failed, now);
    else for (const { path } of documents) superseded.add(path);
  }
  const configured = config.feeds.map(({ id }) => id);
  const sources = configured.map(sourceOf);
  await tx.deleteFrom('rejections').where('stage', '=', 'feed').where('source', 'not in', sources).execute();
  const outcome = { claimed, changedPaths: [], postponedUntil: null };

  const built = [...build.feeds.flatMap((feed) => feed.documents), ...build.shared];
  const documents = built.filter(({ path }) => !superseded.has(path));
  const changed = await findChanged(tx, documents);
  const currentPaths = [...configured.flatMap((id) => FORMATS.map((format) => `${id}.${format}`)), ...SHARED_DOCUMENTS];
  const obsoleteDocuments = await findUnlistedDocuments(tx, currentPaths);
  const isChanged = hasChanges || changed.length + obsoleteDocuments.length > 0;
  const postponedUntil = isChanged ? mustWaitUntil(version, now) : null;
  if (postponedUntil !== null) return { ...outcome, postponedUntil };
  for (const { feed, content } of build.feeds) if (claimed.has(feed.id)) await saveFeedBuild(tx, config, feed, content);
  await deleteOtherBuilds(tx, configured);
  if (!isChanged) return outcome;

  const at = await advanceFeedVersion(tx, now);
  await deleteDocuments(tx, obsoleteDocuments);
  const changedPaths = await saveDocuments(tx, changed, at);
  await onStored?.(tx, changedPaths, at);
  return { ...outcome, changedPaths };
}

/** Records the articles that a feed is published without. They replace the feed's earlier rejections. */
async function recordFailedItems(tx: Tx, feed: string, failed: FailedArticle[], now: number): Promise<void> {
  const place = { stage: 'feed', source: sourceOf(feed), line: null } as const;
  const known = await tx
    .selectFrom('rejections')
    .select(['article_id', 'problems'])
    .where('stage', '=', place.stage)
    .where('source', '=', place.source)
    .execute();
  const before = new Map(known.map((row) => [row.article_id, row.problems]));
  for (const { article, problems } of failed) {
    if (before.get(article.id) === JSON.stringify(problems)) continue;
    const stored = tx.selectFrom('articles').select('document').where('id', '=', article.id);
    const row = await stored.executeTakeFirst();
    const raw = row === undefined ? '' : readableJson(row);
    await recordRejection(tx, { ...place, articleId: article.id, problems, raw }, now);
  }
  const failing = new Set<string | null>(failed.map(({ article }) => article.id));
  for (const articleId of before.keys()) {
    if (!failing.has(articleId)) await clearRejection(tx, { ...place, articleId });
  }
}

function sourceOf(feed: string): string {
  return `feeds/${feed}`;
}

function resultOf(build: Build, { claimed, changedPaths, postponedUntil }: StoredBuild): PublishFeedsResult {
  const describe = (documents: PreparedDocument[], items: number) =>
    documents.map(({ path, size }) => ({ path, changed: changedPaths.includes(path), items, bytes: size }));
  const failed = build.feeds.flatMap((built) =>
    built.failed.map(({ article, problems }) => ({ feed: built.feed.id, articleId: article.id, problems })),
  );
  return {
    documents: [
      ...build.feeds.flatMap(({ documents, items }) => describe(documents, items)),
      ...describe(build.shared, 0),
    ],
    rejected: failed.flatMap(({ problems, ...place }) => problems.map((problem) => ({ ...place, problem }))),
    superseded: idsOf(build.feeds).filter((id) => !claimed.has(id)),
    postponedUntil,
  };
}

function idsOf(feeds: PreparedFeed[]): string[] {
  return feeds.map(({ feed }) => feed.id);
}

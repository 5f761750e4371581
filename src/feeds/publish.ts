/**
 * Publishes feeds: select, build, store. What cannot be an item is rejected, and its feed goes out with the rest.
 */
import type { Config, FeedConfig } from '../config/config.ts';
import type { Templates } from '../lib/templates.ts';
import type { Store, Tx } from '../store/store.ts';
import { type CorrectedPage, confirmCorrectedPages, rebuildStalePages, saveNoteHashes } from './archive/correct.ts';
import { findOtherArchives, withdrawArchives } from './archive/withdraw.ts';
import { claimPublish } from './build-claim.ts';
import {
  compressChanged,
  findChanged,
  findUnlistedDocuments,
  type RenderedDocument,
  saveDocuments,
  withdrawDocuments,
} from './documents.ts';
import { advanceFeedVersion, lockFeedVersion, mustWaitUntil } from './feed-version.ts';
import type { FeedItem } from './formats/feed-item.ts';
import { type FeedHead, FORMATS, feedAddresses, feedPath, feedView, MEDIA_TYPES } from './formats/feed-view.ts';
import { fitFeed } from './formats/fit.ts';
import { type ItemResult, toItem } from './formats/item.ts';
import { tombstonesOf } from './formats/tombstone.ts';
import { sharedDocuments } from './index-page/index-page.ts';
import { deleteRejectionsOfOtherFeeds, type FailedItem, recordFailedItems } from './rejected-items.ts';
import { type FeedSelection, selectForFeed } from './select.ts';

export interface PublishReport {
  documents: {
    path: string;
    /** Whether its bytes differ from what was published before. */
    changed: boolean;
    /** 0 for a document that is no feed. */
    items: number;
    bytes: number;
  }[];
  /** What feeds went out without; one entry for each problem. */
  rejected: { feed: string; articleId: string; problem: string }[];
  /** Feeds that were left as they are, because another process had stored a build by a later clock. */
  superseded: string[];
  /** From when on the differences may be stored, epoch milliseconds: feeds have changed in this second already. Null where they are. */
  postponedUntil: number | null;
  /** How many closed archives still have to take up corrections: the next publish of the same changes does. */
  pagesLeft: number;
}

/** A feed in memory, ready to be stored. */
export interface BuiltFeed {
  feed: FeedConfig;
  drafts: RenderedDocument[];
  items: number;
  failed: FailedItem[];
}

export interface PublishOptions {
  /** What is public at this instant is published. */
  now: number;
  /** Ids; default all. */
  feeds?: string[] | undefined;
  /**
   * The ids of articles that have changed: corrections and retractions among them go into the archives that hold them, and feeds
   * which are not stored are made anew even where no stored one differs.
   */
  changedArticles?: readonly string[];
  /** Is told, in the transaction that stores them, which documents changed, and in which second (epoch milliseconds). */
  onStored?: (tx: Tx, paths: string[], at: number) => Promise<void>;
}

/**
 * Builds the feeds and stores what differs, in one transaction; withdraws the documents of feeds that the configuration no longer
 * has. Doing it twice, or in two processes at once, is harmless: an older build never replaces a newer one. Where feeds have
 * changed within the same second already, nothing is stored, and the report says from when on it may be.
 * @throws Error where an id names no feed, or a template fails
 */
export async function publishFeeds(
  store: Store,
  config: Config,
  templates: Templates,
  options: PublishOptions,
): Promise<PublishReport> {
  const { now, changedArticles: articles = [] } = options;
  const shared = await sharedDocuments(store.reports, config, templates, now);
  const known = new Map<string, ItemResult>();
  const built: BuiltFeed[] = [];
  for (const feed of feedsNamed(config, options.feeds)) {
    built.push(buildFeed(feed, config, await selectForFeed(store.db, feed, now), known));
  }
  const packed = await compressChanged(store.db, [...built.flatMap(({ drafts }) => drafts), ...shared]);
  const corrected = await rebuildStalePages(store.db, config, articles);
  return store.db.transaction().execute(async (tx) => {
    const stamp = await lockFeedVersion(tx);
    const { parts, left } = await confirmCorrectedPages(tx, config, articles, corrected);
    const claimed = await claimPublish(
      tx,
      built.map(({ feed }) => feed.id),
      now,
    );
    const superseded = new Set(
      built.filter(({ feed }) => !claimed.has(feed.id)).flatMap(({ drafts }) => drafts.map(pathOf)),
    );
    for (const { feed, failed } of built) {
      if (claimed.has(feed.id)) await recordFailedItems(tx, feed.id, failed, now);
    }
    const feeds = config.feeds.map(({ id }) => id);
    await deleteRejectionsOfOtherFeeds(tx, feeds);
    const paths = [...feeds.flatMap((id) => FORMATS.map((format) => `${id}.${format}`)), ...shared.map(pathOf)];
    const withdrawn = await findUnlistedDocuments(tx, paths);
    const others = await findOtherArchives(tx, config);
    const changed = await findChanged(tx, [
      ...packed.filter(({ path }) => !superseded.has(path)),
      ...parts.flatMap((part) => part.packed),
    ]);
    const outcome = { built, shared, claimed, parts, archivesLeft: left };
    if (changed.length + withdrawn.length + others.length + articles.length === 0) {
      return report({ ...outcome, changed: [], postponedUntil: null });
    }
    const postponedUntil = mustWaitUntil(stamp, now);
    if (postponedUntil !== null) return report({ ...outcome, changed: [], postponedUntil });
    const at = await advanceFeedVersion(tx, now);
    await withdrawDocuments(tx, withdrawn);
    await withdrawArchives(tx, others);
    await saveNoteHashes(tx, parts);
    const stored = await saveDocuments(tx, changed, at);
    await options.onStored?.(tx, stored, at);
    return report({ ...outcome, changed: stored, postponedUntil });
  });
}

/**
 * The feed's documents, from what was selected for it. Pure.
 * @param known what each article came to, for the next feed that holds it too
 */
export function buildFeed(
  feed: FeedConfig & FeedHead,
  config: Pick<Config, 'publication' | 'sections' | 'hub'>,
  selection: FeedSelection,
  known = new Map<string, ItemResult>(),
): BuiltFeed {
  const items: FeedItem[] = [];
  const failed: FailedItem[] = [];
  const keep = new Set<string>();
  for (const article of selection.articles) {
    const result = known.get(article.id) ?? toItem(article, config);
    known.set(article.id, result);
    if (result.kind === 'item') {
      items.push(result.item);
      if (selection.unarchived?.has(article.id)) keep.add(result.item.id);
    } else failed.push({ article, problems: result.problems });
  }
  const { newestPage: newestPart = null } = selection;
  const view = {
    ...feedView(feed, config),
    previous: newestPart === null ? null : feedAddresses(config, newestPart),
  };
  const fitted = fitFeed(view, items, tombstonesOf(selection.retracted, config.publication.language), {
    content: feed.content,
    mayDrop: feed.windowHours === undefined,
    keep,
  });
  const drafts = FORMATS.map((format) => ({
    path: feedPath(feed, format),
    mediaType: MEDIA_TYPES[format],
    body: fitted.documents[format],
  }));
  return { feed, drafts, items: fitted.items, failed };
}

function feedsNamed(config: Config, ids: string[] | undefined): FeedConfig[] {
  if (ids === undefined) return config.feeds;
  return ids.map((id) => {
    const feed = config.feeds.find((one) => one.id === id);
    if (feed === undefined) {
      throw new Error(
        `there is no feed "${id}": the configuration has ${config.feeds.map((one) => one.id).join(', ')}`,
      );
    }
    return feed;
  });
}

function report(outcome: {
  built: BuiltFeed[];
  shared: RenderedDocument[];
  claimed: Set<string>;
  parts: CorrectedPage[];
  archivesLeft: number;
  changed: string[];
  postponedUntil: number | null;
}): PublishReport {
  const { built, shared, claimed, parts, archivesLeft, changed, postponedUntil } = outcome;
  const described = ({ path, body }: RenderedDocument, items: number) => ({
    path,
    changed: changed.includes(path),
    items,
    bytes: Buffer.byteLength(body),
  });
  return {
    documents: [
      ...built.flatMap(({ drafts, items }) => drafts.map((draft) => described(draft, items))),
      ...shared.map((draft) => described(draft, 0)),
      ...parts.flatMap(({ packed, items }) => packed.map((draft) => described(draft, items))),
    ],
    rejected: [
      ...built.flatMap(({ feed, failed }) =>
        failed.map(({ article, problems }) => ({ feed: feed.id, articleId: article.id, problems })),
      ),
      ...parts.flatMap(({ path, failed }) => failed.map((one) => ({ feed: path, ...one }))),
    ].flatMap(({ problems, ...of }) => problems.map((problem) => ({ ...of, problem }))),
    superseded: built.map(({ feed }) => feed.id).filter((id) => !claimed.has(id)),
    postponedUntil,
    pagesLeft: archivesLeft,
  };
}

function pathOf({ path }: RenderedDocument): string {
  return path;
}

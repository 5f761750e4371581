/**
 * Publishes feeds: select, build, store. What cannot be an item is set aside, and its feed goes out with the rest.
 */
import type { Article } from '../articles/article.ts';
import { cleanLine } from '../articles/clean.ts';
import type { Config, FeedConfig } from '../config.ts';
import type { Db, Store } from '../store/store.ts';
import type { Templates } from '../templates.ts';
import { claimPublish } from './claim.ts';
import { type Draft, differ, findOtherDocuments, packDrafts, saveDocuments, withdrawDocuments } from './documents.ts';
import type { FeedItem } from './feed-item.ts';
import { FORMATS, type Format, feedView, type Tombstone } from './feed-view.ts';
import { fitFeed } from './fit.ts';
import { sharedDocuments } from './index-page.ts';
import { canonicalLanguage, type ItemResult, isTagUri, toItem } from './item.ts';
import { joinPieces, spansOf } from './pieces.ts';
import { type FeedSelection, selectForFeed } from './select.ts';
import { type FailedItem, forgetOtherFeeds, recordFailedItems } from './set-aside-items.ts';
import { lockStamp, moveStamp, mustWaitUntil } from './stamp.ts';

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
  setAside: { feed: string; articleId: string; problem: string }[];
  /** Feeds that were left as they are, because another process had stored a build by a later clock. */
  superseded: string[];
  /** From when on the differences may be stored, epoch milliseconds: feeds have changed in this second already. Null where they are. */
  postponedUntil: number | null;
}

/** A feed in memory, ready to be stored. */
export interface BuiltFeed {
  feed: FeedConfig;
  drafts: Draft[];
  items: number;
  failed: FailedItem[];
}

const MEDIA_TYPES: Record<Format, string> = {
  rss: 'application/rss+xml; charset=utf-8',
  atom: 'application/atom+xml; charset=utf-8',
  json: 'application/feed+json; charset=utf-8',
};

export interface PublishOptions {
  /** What is public at this instant is published. */
  now: number;
  /** Ids; default all. */
  feeds?: string[] | undefined;
  /** Whether articles have changed, so that feeds which are not stored are made anew even where no stored one differs. */
  articlesChanged?: boolean;
  /** Is told, in the transaction that stores them, which documents changed, and in which second (epoch milliseconds). */
  onStored?: (db: Db, paths: string[], at: number) => Promise<void>;
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
  const { now } = options;
  const shared = await sharedDocuments(config, templates);
  const known = new Map<string, ItemResult>();
  const built: BuiltFeed[] = [];
  for (const feed of feedsNamed(config, options.feeds)) {
    built.push(buildFeed(feed, config, await selectForFeed(store.db, feed, now), known));
  }
  const packed = await packDrafts(store.db, [...built.flatMap(({ drafts }) => drafts), ...shared]);
  return store.db.transaction().execute(async (tx) => {
    const stamp = await lockStamp(tx);
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
    await forgetOtherFeeds(tx, feeds);
    const paths = [...feeds.flatMap((id) => FORMATS.map((format) => `${id}.${format}`)), ...shared.map(pathOf)];
    const withdrawn = await findOtherDocuments(tx, paths);
    const changed = await differ(
      tx,
      packed.filter(({ path }) => !superseded.has(path)),
    );
    const outcome = { built, shared, claimed };
    if (changed.length + withdrawn.length === 0 && options.articlesChanged !== true) {
      return report({ ...outcome, changed: [], postponedUntil: null });
    }
    const postponedUntil = mustWaitUntil(stamp, now);
    if (postponedUntil !== null) return report({ ...outcome, changed: [], postponedUntil });
    const at = await moveStamp(tx, now);
    await withdrawDocuments(tx, withdrawn);
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
  feed: FeedConfig,
  config: Pick<Config, 'publication' | 'sections' | 'hub'>,
  selection: FeedSelection,
  known = new Map<string, ItemResult>(),
): BuiltFeed {
  const items: FeedItem[] = [];
  const failed: FailedItem[] = [];
  for (const article of selection.articles) {
    const result = known.get(article.id) ?? toItem(article, config);
    known.set(article.id, result);
    if (result.is === 'item') items.push(result.item);
    else failed.push({ article, problems: result.problems });
  }
  const tombstones = selection.retracted.flatMap((article) => tombstone(article, config.publication.language));
  const fitted = fitFeed(feedView(feed, config), items, tombstones, {
    content: feed.content,
    mayDrop: feed.windowHours === undefined,
  });
  const drafts = FORMATS.map((format) => ({
    path: `${feed.id}.${format}`,
    mediaType: MEDIA_TYPES[format],
    body: joinPieces(fitted.documents[format]),
    spans: spansOf(fitted.documents[format]),
  }));
  return { feed, drafts, items: fitted.items, failed };
}

function tombstone({ tagUri, status, language }: Article, feedLanguage: string): Tombstone[] {
  if (status.state !== 'retracted' || !isTagUri(tagUri)) return [];
  const note = cleanLine(status.note);
  return [{ id: tagUri, retractedAt: status.at, note, language: canonicalLanguage(language) ?? feedLanguage }];
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
  shared: Draft[];
  claimed: Set<string>;
  changed: string[];
  postponedUntil: number | null;
}): PublishReport {
  const { built, shared, claimed, changed, postponedUntil } = outcome;
  const described = ({ path, body }: Draft, items: number) => ({
    path,
    changed: changed.includes(path),
    items,
    bytes: Buffer.byteLength(body),
  });
  return {
    documents: [
      ...built.flatMap(({ drafts, items }) => drafts.map((draft) => described(draft, items))),
      ...shared.map((draft) => described(draft, 0)),
    ],
    setAside: built.flatMap(({ feed, failed }) =>
      failed.flatMap(({ article, problems }) =>
        problems.map((problem) => ({ feed: feed.id, articleId: article.id, problem })),
      ),
    ),
    superseded: built.map(({ feed }) => feed.id).filter((id) => !claimed.has(id)),
    postponedUntil,
  };
}

function pathOf({ path }: Draft): string {
  return path;
}

/** Builds the documents of a feed. Pure. */
import type { Config, FeedConfig } from '../core/config/config.ts';
import type { RenderedDocument } from './documents.ts';
import {
  type FeedHead,
  type FeedView,
  FORMATS,
  type Format,
  feedAddresses,
  feedPath,
  feedView,
  MEDIA_TYPES,
} from './formats/feed-view.ts';
import { type FitOptions, fitFeed } from './formats/fit.ts';
import { type FailedArticle, toItems, tombstonesOf } from './formats/item.ts';
import type { FeedArticles, FeedSetting } from './select.ts';

export interface BuiltFeed<Body extends string | Buffer = string> {
  feed: FeedConfig;
  documents: RenderedDocument<Body>[];
  /** Number of items. */
  items: number;
  failed: FailedArticle[];
}

/** Builds a feed of articles that have been read. */
export function buildFeed(
  feed: FeedConfig & FeedHead,
  config: Pick<Config, 'publication' | 'sections' | 'hub'>,
  { articles, ...setting }: FeedArticles,
): BuiltFeed {
  const { items, failed } = toItems(articles, config);
  const view = viewOf(feed, config, setting);
  const tombstones = tombstonesOf(setting.retracted, view.language);
  const ids = articles.map(({ id, tagUri }) => ({ id, itemId: tagUri }));
  const fitted = fitFeed(view, items, tombstones, fitOptions(feed, setting, ids));
  return { feed, documents: documentsOf(feed, fitted.bodies), items: fitted.items, failed };
}

export function viewOf(
  feed: FeedHead,
  config: Pick<Config, 'publication' | 'hub'>,
  { newestPage = null }: Pick<FeedSetting, 'newestPage'>,
): FeedView {
  return { ...feedView(feed, config), previous: newestPage === null ? null : feedAddresses(config, newestPage) };
}

/** @param articles ids of articles and of their items */
export function fitOptions(
  { content, windowHours }: FeedConfig,
  { unarchived }: Pick<FeedSetting, 'unarchived'>,
  articles: { id: string; itemId: string }[],
): FitOptions {
  const keep = articles.flatMap(({ id, itemId }) => (unarchived?.has(id) ? itemId : []));
  return { content, mayDrop: windowHours === undefined, keep: new Set(keep) };
}

export function documentsOf<Body extends string | Buffer>(
  feed: FeedHead,
  bodies: Record<Format, Body>,
): RenderedDocument<Body>[] {
  return FORMATS.map((format) => {
    return { path: feedPath(feed, format), mediaType: MEDIA_TYPES[format], body: bodies[format] };
  });
}

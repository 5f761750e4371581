/** Builds the documents of a feed. Pure. */
import type { FeedConfig } from '../core/config/config.ts';
import { localeOf } from '../lib/locale/locale.ts';
import type { RenderedDocument } from './documents.ts';
import {
  type FeedHead,
  type FeedViewConfig,
  FORMATS,
  type Format,
  feedPath,
  feedView,
  MEDIA_TYPES,
} from './formats/feed-view.ts';
import { type FitOptions, fitFeed } from './formats/fit.ts';
import { type FailedArticle, type ItemConfig, toItems, tombstonesOf } from './formats/item.ts';
import type { FeedArticles } from './select.ts';

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
  config: FeedViewConfig & ItemConfig,
  { articles, retracted }: FeedArticles,
): BuiltFeed {
  const view = feedView(feed, config);
  const { items, failed } = toItems(articles, config, localeOf(view.language, config.ownMessages));
  const tombstones = tombstonesOf(retracted, view.language);
  const fitted = fitFeed(view, items, tombstones, fitOptions(feed));
  return { feed, documents: documentsOf(feed, fitted.bodies), items: fitted.items, failed };
}

export function fitOptions({ content, windowHours }: FeedConfig): FitOptions {
  return { content, mayDrop: windowHours === undefined };
}

export function documentsOf<Body extends string | Buffer>(
  feed: FeedHead,
  bodies: Record<Format, Body>,
): RenderedDocument<Body>[] {
  return FORMATS.map((format) => {
    return { path: feedPath(feed, format), mediaType: MEDIA_TYPES[format], body: bodies[format] };
  });
}

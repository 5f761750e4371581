/** Builds the documents of a feed. Pure. */
import type { Config, FeedConfig } from '../config/config.ts';
import type { RenderedDocument } from './documents.ts';
import { type FeedHead, FORMATS, feedAddresses, feedPath, feedView, MEDIA_TYPES } from './formats/feed-view.ts';
import { fitFeed } from './formats/fit.ts';
import { type FailedArticle, type ItemResult, toItems, tombstonesOf } from './formats/item.ts';
import type { FeedArticles } from './select.ts';

export interface BuiltFeed {
  feed: FeedConfig;
  documents: RenderedDocument[];
  /** Number of items. */
  items: number;
  failed: FailedArticle[];
}

/** @param known results of articles, by id: for other feeds with the same articles */
export function buildFeed(
  feed: FeedConfig & FeedHead,
  config: Pick<Config, 'publication' | 'sections' | 'hub'>,
  { articles, retracted, unarchived, newestPage = null }: FeedArticles,
  known = new Map<string, ItemResult>(),
): BuiltFeed {
  const { items, failed } = toItems(articles, config, known);
  const view = {
    ...feedView(feed, config),
    previous: newestPage === null ? null : feedAddresses(config, newestPage),
  };
  const fitted = fitFeed(view, items, tombstonesOf(retracted, config.publication.language), {
    content: feed.content,
    mayDrop: feed.windowHours === undefined,
    keep: new Set(articles.flatMap(({ id, tagUri }) => (unarchived?.has(id) ? tagUri : []))),
  });
  const documents = FORMATS.map((format) => ({
    path: feedPath(feed, format),
    mediaType: MEDIA_TYPES[format],
    body: fitted.bodies[format],
  }));
  return { feed, documents, items: fitted.items, failed };
}

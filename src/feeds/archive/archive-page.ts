/** Closed pages of a feed's archive: what the feed published in a month, or a share of it, in three documents. */
import { createHash } from 'node:crypto';
import type { Article } from '../../articles/article.ts';
import type { Config, FeedConfig } from '../../config/config.ts';
import type { Db } from '../../store/store.ts';
import { ARCHIVE_FOLDER, type RenderedDocument } from '../documents.ts';
import { FORMATS, feedAddresses, feedView, MEDIA_TYPES } from '../formats/feed-view.ts';
import { fitFeed } from '../formats/fit.ts';
import { type FailedArticle, toItems, tombstonesOf } from '../formats/item.ts';

/** Path below feeds/ without the extension: `archive/latest/2026-10`. @param number of the page in its month, from 1 */
export function archivePagePath(feed: string, month: string, number: number): string {
  return `${archiveFolderOf(feed)}${month}${number === 1 ? '' : `-${number}`}`;
}

export function archiveFolderOf(feed: string): string {
  return `${ARCHIVE_FOLDER}${feed}/`;
}

/** Finds the newest closed page of a feed. */
export async function findNewestPage(db: Db, feed: string): Promise<{ page: number; path: string } | null> {
  const row = await db
    .selectFrom('archive_pages')
    .select(['page', 'path'])
    .where('feed', '=', feed)
    .orderBy('page', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** Paths below feeds/ without the extension. */
export interface PageLinks {
  path: string;
  /** Of the page before it, or null. */
  previous: string | null;
}

/**
 * Builds the documents of a page. Retracted articles are no items; Atom has their tombstones. Pure.
 * @param articles in any order
 * @returns also the articles that cannot be items
 */
export function buildArchivePage(
  feed: FeedConfig,
  config: Pick<Config, 'publication' | 'sections'>,
  { path, previous }: PageLinks,
  articles: Article[],
): { documents: RenderedDocument[]; items: number; failed: FailedArticle[] } {
  const { items, failed } = toItems(
    articles.filter(({ status }) => status.state !== 'retracted'),
    config,
  );
  items.sort((a, b) => b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : -1));
  const tombstones = tombstonesOf(articles, config.publication.language);
  tombstones.sort((a, b) => b.retractedAt - a.retractedAt || (a.id < b.id ? 1 : -1));
  const feedHead = feedView(feed, config);
  const view = {
    ...feedHead,
    urls: feedAddresses(config, path),
    current: feedHead.urls,
    previous: previous === null ? null : feedAddresses(config, previous),
    // Nobody needs to subscribe to what does not change.
    hub: null,
    stylesheet: `${'../'.repeat(path.split('/').length - 1)}${feedHead.stylesheet}`,
  };
  const { bodies } = fitFeed(view, items, tombstones, { content: feed.content, mayDrop: false });
  const documents = FORMATS.map((format) => ({
    path: `${path}.${format}`,
    mediaType: MEDIA_TYPES[format],
    body: bodies[format],
  }));
  return { documents, items: items.length, failed };
}

/** What an archive page depends on, apart from its articles as they were when it closed. */
export interface ArticleNote {
  id: string;
  state: string;
  notedAt: number | null;
}

/** Hash of the corrections and retractions of articles. Edits without a note do not change it. */
export function hashNotes(notes: ArticleNote[]): string {
  const noted = notes
    .filter(({ state }) => state === 'corrected' || state === 'retracted')
    .map(({ id, state, notedAt }) => [id, state, notedAt])
    .sort(([a = ''], [b = '']) => ((a ?? '') < (b ?? '') ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(noted)).digest('base64url');
}

export function noteOf({ id, status }: Article): ArticleNote {
  return { id, state: status.state, notedAt: 'at' in status ? status.at : null };
}

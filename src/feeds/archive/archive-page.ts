/**
 * Closed pages of a feed's archive: what the feed published in a month, or a share of it, in three documents. Stored is
 * which articles a page has; its documents are rendered when they are asked for.
 */
import { type Article, isPublic } from '../../articles/article.ts';
import { findArticles } from '../../articles/queries.ts';
import type { Config, FeedConfig } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import type { RenderedDocument } from '../documents.ts';
import { type FeedViewConfig, FORMATS, feedAddresses, feedView, MEDIA_TYPES } from '../formats/feed-view.ts';
import { fitFeed } from '../formats/fit.ts';
import { type FailedArticle, type ItemConfig, toItems, tombstonesOf } from '../formats/item.ts';

/** The documents of archives are below it. */
export const ARCHIVE_FOLDER = 'archive/';

/** Path below feeds/ without the extension: `archive/latest/2026-10`. @param number of the page in its month, from 1 */
export function archivePagePath(feed: string, month: string, number: number): string {
  return `${ARCHIVE_FOLDER}${feed}/${month}${number === 1 ? '' : `-${number}`}`;
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

/** A closed page. */
export interface ArchivePage {
  feed: string;
  page: number;
  /** Below feeds/, without the extension. */
  path: string;
  /** Ids of its articles. */
  members: string[];
  /** When it or one of its articles last changed: whole seconds, epoch milliseconds. */
  changedAt: number;
}

/** Finds a page by its path below feeds/, without the extension. */
export async function findArchivePage(db: Db, path: string): Promise<ArchivePage | null> {
  const row = await db
    .selectFrom('archive_pages')
    .select(['feed', 'page', 'path', 'members', 'changed_at'])
    .where('path', '=', path)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { members, changed_at, ...page } = row;
  return { ...page, members: JSON.parse(members) as string[], changedAt: changed_at };
}

/**
 * Renders the documents of a page as its articles are now. Which articles it has never changes.
 * @returns null if the feed is not configured
 */
export async function renderArchivePage(
  db: Db,
  config: Pick<Config, 'feeds'> & FeedViewConfig & ItemConfig,
  { feed: id, page, path, members }: ArchivePage,
  now: number,
): Promise<ReturnType<typeof buildArchivePage> | null> {
  const feed = config.feeds.find((one) => one.id === id);
  if (feed === undefined) return null;
  const before = await db
    .selectFrom('archive_pages')
    .select('path')
    .where('feed', '=', id)
    .where('page', '=', page - 1)
    .executeTakeFirst();
  const articles = await findArticles(db, members);
  const shown = articles.filter((article) => article.status.state === 'retracted' || isPublic(article, now));
  return buildArchivePage(feed, config, { path, previous: before?.path ?? null }, shown);
}

/**
 * Builds the documents of a page. Retracted articles are no items; Atom has their tombstones. Pure.
 * @param links paths below feeds/ without the extension: of the page, and of the page before it
 * @param articles in any order
 * @returns also the articles that cannot be items
 */
export function buildArchivePage(
  feed: FeedConfig,
  config: FeedViewConfig & ItemConfig,
  { path, previous }: { path: string; previous: string | null },
  articles: Article[],
): { documents: RenderedDocument[]; items: number; failed: FailedArticle[] } {
  const shown = articles.filter(({ status }) => status.state !== 'retracted');
  const feedHead = feedView(feed, config);
  const { items, failed } = toItems(shown, config, localeOf(feedHead.language, config.ownMessages));
  items.sort((a, b) => b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : -1));
  const tombstones = tombstonesOf(articles, feedHead.language);
  tombstones.sort((a, b) => b.retractedAt - a.retractedAt || (a.id < b.id ? 1 : -1));
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

/**
 * A closed part of a feed's archive as its three documents: whatever the feed published in a month, or a share of that.
 */
import { createHash } from 'node:crypto';
import type { Article } from '../../articles/article.ts';
import type { Config, FeedConfig } from '../../config/config.ts';
import type { Db } from '../../store/store.ts';
import { ARCHIVE_FOLDER, type RenderedDocument } from '../documents.ts';
import type { FeedItem } from '../formats/feed-item.ts';
import { FORMATS, feedAddresses, feedView, MEDIA_TYPES } from '../formats/feed-view.ts';
import { fitFeed } from '../formats/fit.ts';
import { toItem } from '../formats/item.ts';
import { tombstonesOf } from '../formats/tombstone.ts';

/** The part of that number in its month, below feeds/ and without its ending: `archive/latest/2026-10`, `…/2026-10-2`. */
export function archivePagePath(feed: string, month: string, number: number): string {
  return `${archiveFolderOf(feed)}${month}${number === 1 ? '' : `-${number}`}`;
}

/** Where the archive of a feed stands among the documents. */
export function archiveFolderOf(feed: string): string {
  return `${ARCHIVE_FOLDER}${feed}/`;
}

/** The newest closed part of a feed, or null. */
export async function findNewestPage(db: Db, feed: string): Promise<{ part: number; path: string } | null> {
  const row = await db
    .selectFrom('archive_pages')
    .select(['page as part', 'path'])
    .where('feed', '=', feed)
    .orderBy('page', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** What leads to a part, and what it leads to. */
export interface PageLinks {
  path: string;
  /** The path of the part before it, or null. */
  previous: string | null;
}

/**
 * The part's documents. Retracted articles are named in Atom, and stand in none. Pure.
 * @param articles in any order
 * @returns also what could not be an item
 */
export function buildArchivePage(
  feed: FeedConfig,
  config: Pick<Config, 'publication' | 'sections'>,
  { path, previous }: PageLinks,
  articles: Article[],
): { drafts: RenderedDocument[]; items: number; failed: { article: Article; problems: string[] }[] } {
  const items: FeedItem[] = [];
  const failed: { article: Article; problems: string[] }[] = [];
  for (const article of articles) {
    if (article.status.state === 'retracted') continue;
    const result = toItem(article, config);
    if (result.kind === 'item') items.push(result.item);
    else failed.push({ article, problems: result.problems });
  }
  items.sort((a, b) => b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : -1));
  const tombstones = tombstonesOf(articles, config.publication.language);
  tombstones.sort((a, b) => b.retractedAt - a.retractedAt || (a.id < b.id ? 1 : -1));
  const own = feedView(feed, config);
  const view = {
    ...own,
    urls: feedAddresses(config, path),
    current: own.urls,
    previous: previous === null ? null : feedAddresses(config, previous),
    // Nobody waits for what does not change.
    hub: null,
    stylesheet: `${'../'.repeat(path.split('/').length - 1)}${own.stylesheet}`,
  };
  const { documents } = fitFeed(view, items, tombstones, { content: feed.content, mayDrop: false });
  const drafts = FORMATS.map((format) => ({
    path: `${path}.${format}`,
    mediaType: MEDIA_TYPES[format],
    body: documents[format],
  }));
  return { drafts, items: items.length, failed };
}

/** An article's standing: what an archive heeds of it. */
interface ArticleNote {
  id: string;
  state: string;
  notedAt: number | null;
}

/** A hash over the corrections and retractions among these articles. Edits without a note do not change it. */
export function hashNotes(standings: ArticleNote[]): string {
  const noted = standings
    .filter(({ state }) => state === 'corrected' || state === 'retracted')
    .map(({ id, state, notedAt }) => [id, state, notedAt])
    .sort(([a = ''], [b = '']) => ((a ?? '') < (b ?? '') ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(noted)).digest('base64url');
}

/** The standing of an article that has been read. */
export function noteOf({ id, status }: Article): ArticleNote {
  return {
    id,
    state: status.state,
    notedAt: status.state === 'corrected' || status.state === 'retracted' ? status.at : null,
  };
}

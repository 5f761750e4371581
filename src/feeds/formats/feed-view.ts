/**
 * A feed as its three formats see it: what stands above the items.
 */
import type { Config } from '../../config/config.ts';
import { hubAddress, isTopicPath, topicAddress } from '../topics.ts';
import type { FeedItem } from './feed-item.ts';

/** What a feed's head is made from: a feed of the configuration has it, and so has a derived one. */
export interface FeedHead {
  /** Its path below feeds/ without the format, percent-encoded: `latest`, `section/world`. */
  id: string;
  title: string;
  description?: string | undefined;
  /** What tells a feed that readers put together from others, percent-encoded: `kicker=in-depth&section=world`. */
  query?: string | undefined;
}

export interface FeedView {
  /** `tag:example.com,2026:feeds/latest`; a query stands in it as well, as RFC 4151 allows. */
  id: string;
  title: string;
  description: string;
  /** BCP 47. */
  language: string;
  /** The publication's front page. */
  siteUrl: string;
  /** Its own addresses. */
  urls: Addresses;
  /** The addresses of the feed that it is an archive of (RFC 5005 §4); null for the feed itself. */
  current: Addresses | null;
  /** The addresses of the archive before it, or null. */
  previous: Addresses | null;
  /** The address of the stylesheet, relative to its own. */
  stylesheet: string;
  /** The WebSub hub, or null. */
  hub: string | null;
  publication: string;
  rights: string | null;
  /** Where there is no item: see `emptyFeedUpdated`. */
  updatedIfEmpty: number;
}

export const FORMATS = ['rss', 'atom', 'json'] as const;
export type Format = (typeof FORMATS)[number];
export type Addresses = Record<Format, string>;

export const MEDIA_TYPES: Record<Format, string> = {
  rss: 'application/rss+xml; charset=utf-8',
  atom: 'application/atom+xml; charset=utf-8',
  json: 'application/feed+json; charset=utf-8',
};

/** An item as one document carries it: whole, or with its summary only. */
export interface FeedEntry {
  item: FeedItem;
  full: boolean;
}

/** An article that left the feed for good (RFC 6721). */
export interface Tombstone {
  id: string;
  retractedAt: number;
  note: string;
  /** BCP 47, of the note. */
  language: string;
}

/** The feed's head. `title` is `Publication: Feed`, as it stands alone in a reader's list. */
export function feedView(feed: FeedHead, config: Pick<Config, 'publication' | 'hub'>): FeedView {
  const { publication } = config;
  return {
    id: `tag:${publication.tagAuthority}:feeds/${feed.id}${queryOf(feed)}`,
    title: `${publication.name}: ${feed.title}`,
    description: feed.description ?? publication.about,
    language: publication.language,
    siteUrl: `${publication.url}/`,
    urls: feedAddresses(config, feed.id, feed.query),
    current: null,
    previous: null,
    stylesheet: `${'../'.repeat(feed.id.split('/').length - 1)}feed.css`,
    // What is made on demand has no moment at which it changes, so no hub is told of it.
    hub: isTopicPath(feedPath(feed, 'atom')) ? hubAddress(config) : null,
    publication: publication.name,
    rights: publication.copyright ?? null,
    updatedIfEmpty: emptyFeedUpdated(publication.tagAuthority),
  };
}

/** `https://example.com/feeds/latest.atom` and so on. @param path below feeds/, without its ending @param query of a feed that has one */
export function feedAddresses(config: Pick<Config, 'publication'>, path: string, query?: string): Addresses {
  const url = (format: Format): string => topicAddress(config, feedPath({ id: path, query }, format));
  return { rss: url('rss'), atom: url('atom'), json: url('json') };
}

/** Below feeds/: `latest.atom`, `custom.atom?kicker=in-depth&section=world`. */
export function feedPath(feed: Pick<FeedHead, 'id' | 'query'>, format: Format): string {
  return `${feed.id}.${format}${queryOf(feed)}`;
}

function queryOf({ query }: Pick<FeedHead, 'query'>): string {
  return query === undefined ? '' : `?${query}`;
}

/** A feed's `updated` is the newest of its items': it is no clock, so that the same items give the same bytes. */
export function feedUpdated(view: FeedView, entries: FeedEntry[]): number {
  return entries.reduce((newest, { item }) => Math.max(newest, item.updatedAt), 0) || view.updatedIfEmpty;
}

/** An empty feed was last updated on the day its tag authority begins, at 00:00 UTC: stable, and before any item. */
function emptyFeedUpdated(tagAuthority: string): number {
  const date = tagAuthority.split(',')[1] ?? '';
  return Date.parse(`${date}${'-01-01'.slice(date.length === 7 ? 3 : date.length === 10 ? 6 : 0)}T00:00:00Z`);
}

/**
 * A feed as its three formats see it: what stands above the items.
 */
import type { Config, FeedConfig } from '../config.ts';
import type { FeedItem } from './feed-item.ts';
import { hubAddress, topicAddress } from './topics.ts';

export interface FeedView {
  /** `tag:example.com,2026:feeds/latest`. */
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
export interface Entry {
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
export function feedView(feed: FeedConfig, config: Pick<Config, 'publication' | 'hub'>): FeedView {
  const { publication } = config;
  return {
    id: `tag:${publication.tagAuthority}:feeds/${feed.id}`,
    title: `${publication.name}: ${feed.title}`,
    description: feed.description ?? publication.about,
    language: publication.language,
    siteUrl: `${publication.url}/`,
    urls: feedAddresses(config, feed.id),
    current: null,
    previous: null,
    stylesheet: 'feed.css',
    hub: hubAddress(config),
    publication: publication.name,
    rights: publication.copyright ?? null,
    updatedIfEmpty: emptyFeedUpdated(publication.tagAuthority),
  };
}

/** `https://example.com/feeds/latest.atom` and so on. @param path below feeds/, without its ending */
export function feedAddresses(config: Pick<Config, 'publication'>, path: string): Addresses {
  const url = (format: Format): string => topicAddress(config, `${path}.${format}`);
  return { rss: url('rss'), atom: url('atom'), json: url('json') };
}

/** A feed's `updated` is the newest of its items': it is no clock, so that the same items give the same bytes. */
export function feedUpdated(view: FeedView, entries: Entry[]): number {
  return entries.reduce((newest, { item }) => Math.max(newest, item.updatedAt), 0) || view.updatedIfEmpty;
}

/** An empty feed was last updated on the day its tag authority begins, at 00:00 UTC: stable, and before any item. */
function emptyFeedUpdated(tagAuthority: string): number {
  const date = tagAuthority.split(',')[1] ?? '';
  return Date.parse(`${date}${'-01-01'.slice(date.length === 7 ? 3 : date.length === 10 ? 6 : 0)}T00:00:00Z`);
}

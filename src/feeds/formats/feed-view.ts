/** A feed, its items and tombstones, as the formats write them. */
import type { Config, FeedConfig, Publication } from '../../core/config/config.ts';
import { pictureUrl } from '../../core/config/site-view.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { hubAddress, isTopicPath, topicAddress } from '../topics.ts';
import { strictUrl } from './markup.ts';

/** What configured and derived feeds have in common. */
export interface FeedHead {
  /** Its path below feeds/ without the format, percent-encoded: `latest`, `section/world`. */
  id: string;
  title: string;
  description?: string | undefined;
  /** BCP 47; default: the publication's. */
  language?: string | undefined;
  /** Query of a custom feed, percent-encoded: `kicker=in-depth&section=world`. */
  query?: string | undefined;
  podcast?: FeedConfig['podcast'];
}

export interface FeedView {
  /** `tag:example.com,2026:feeds/latest`, with the query, which RFC 4151 allows. */
  id: string;
  title: string;
  description: string;
  /** BCP 47. */
  language: string;
  /** The publication's front page. */
  siteUrl: string;
  urls: Addresses;
  /** The relative URL of the stylesheet. */
  stylesheet: string;
  /** The WebSub hub, or null. */
  hub: string | null;
  publication: Publication;
  /** Undefined for a feed that is no podcast. */
  podcast: FeedConfig['podcast'];
  /** Used if there are no items; see `emptyFeedUpdated`. */
  updatedIfEmpty: number;
}

/** What the items of a feed depend on. */
export type ItemsView = Pick<FeedView, 'language' | 'podcast'>;

export const FORMATS = ['rss', 'atom', 'json'] as const;
export type Format = (typeof FORMATS)[number];
export type Addresses = Record<Format, string>;

export const MEDIA_TYPES: Record<Format, string> = {
  rss: 'application/rss+xml; charset=utf-8',
  atom: 'application/atom+xml; charset=utf-8',
  json: 'application/feed+json; charset=utf-8',
};

/** An item, the same in all formats. Text other than `html` is plain and clean; URLs are absolute, by RFC 3986. */
export interface FeedItem {
  /** The article's tag: URI. */
  id: string;
  url: string;
  /** `Kicker: Headline`. */
  title: string;
  /** The dek, or the beginning of the body. Never empty. */
  summary: string;
  html: string;
  publishedAt: number;
  /** Never before `publishedAt`. */
  updatedAt: number;
  /** BCP 47, canonical. */
  language: string;
  /** The report that the item is about, and the outlet that has it; null for a story of the newsroom's own. */
  report: { url: string; outlet: string } | null;
  /** The section's title, then the tags. */
  categories: string[];
  /** The reporters, or else the publication. */
  authors: Person[];
  /** The names of the authors as one line. */
  byline: string;
  editors: Person[];
  image: FeedMedia | null;
  /** A small version of the image, at most so many pixels wide. */
  thumbnail: { url: string; width: number } | null;
  /** The image first, then the other enclosures. */
  media: FeedMedia[];
}

export interface Person {
  name: string;
  email: string | null;
}

export interface FeedMedia {
  url: string;
  /** Null for an image on another server that has not been looked up. */
  type: string | null;
  /** Bytes; 0 for an enclosure whose source does not say. Null as `type`. */
  length: number | null;
  medium: 'image' | 'audio' | 'video' | 'document';
  width: number | null;
  height: number | null;
  /** Seconds. */
  duration: number | null;
  title: string | null;
  credit: string | null;
  /** What the image shows. */
  description: string | null;
}

/** A file of which type and length are known, as an enclosure must state them (RSS 2.0). */
export type FeedEnclosure = FeedMedia & { type: string; length: number };

/** The files that can be enclosures: audio and video first, since readers may take only one. */
export function enclosuresOf(media: FeedMedia[]): FeedEnclosure[] {
  const known = media.filter((one): one is FeedEnclosure => one.type !== null && one.length !== null);
  return known.toSorted((a, b) => Number(isPlayable(b)) - Number(isPlayable(a)));
}

export function isPlayable({ medium }: Pick<FeedMedia, 'medium'>): boolean {
  return medium === 'audio' || medium === 'video';
}

/** A retracted article (RFC 6721). */
export interface Tombstone {
  id: string;
  retractedAt: number;
  note: string;
  /** BCP 47, of the note. */
  language: string;
}

/** The configuration that the head of a feed depends on. */
export type FeedViewConfig = Pick<Config, 'publication' | 'hub' | 'ownMessages'>;

/** `title` is `Publication: Feed`, because readers show it in a list of many publications; a podcast has its own. */
export function feedView(feed: FeedHead, config: FeedViewConfig): FeedView {
  const { publication } = config;
  const language = feed.language ?? publication.language;
  const names = { publication: publication.name, feed: feed.title };
  return {
    id: `tag:${publication.tagAuthority}:feeds/${feed.id}${queryOf(feed)}`,
    title: feed.podcast === undefined ? localeOf(language, config.ownMessages).text('feed.title', names) : feed.title,
    description: feed.description ?? publication.about,
    language,
    siteUrl: `${publication.url}/`,
    urls: feedAddresses(config, feed.id, feed.query),
    stylesheet: `${'../'.repeat(feed.id.split('/').length - 1)}feed.css`,
    // Derived feeds are built on request: no publish notices that they have changed.
    hub: isTopicPath(feedPath(feed, 'atom')) ? hubAddress(config) : null,
    publication,
    podcast: feed.podcast,
    updatedIfEmpty: emptyFeedUpdated(publication.tagAuthority),
  };
}

/** `https://example.com/feeds/latest.atom` and so on. @param path below feeds/, without the extension */
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

/** The address of a picture that the configuration names, by RFC 3986; null without one. */
export function channelPicture(file: string | undefined, { url }: Publication): string | null {
  return file === undefined ? null : strictUrl(pictureUrl(file, url));
}

/** The newest `updated` of the items: the same items give the same bytes. */
export function feedUpdated(view: FeedView, items: Pick<FeedItem, 'updatedAt'>[]): number {
  return items.reduce((newest, { updatedAt }) => Math.max(newest, updatedAt), 0) || view.updatedIfEmpty;
}

/** The day on which the tag authority begins, at 00:00 UTC: stable, and before any item. */
function emptyFeedUpdated(tagAuthority: string): number {
  const date = tagAuthority.split(',')[1] ?? '';
  return Date.parse(`${date}${'-01-01'.slice(date.length === 7 ? 3 : date.length === 10 ? 6 : 0)}T00:00:00Z`);
}

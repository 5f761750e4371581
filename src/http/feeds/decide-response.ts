/**
 * Decides the response to a request for a published document. Pure.
 */
import type { FeedDocument } from '../../feeds/documents.ts';
import { httpDate, isUnchangedSince, opaqueTags } from '../server/conditional.ts';
import { type Coding, chooseCoding, prefersPlainXml } from '../server/negotiate.ts';

/** The headers that matter, as they came. */
export interface FeedRequest {
  accept?: string | undefined;
  acceptEncoding?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifModifiedSince?: string | undefined;
}

/** A document with its bytes at hand. */
export interface CachedDocument extends Pick<FeedDocument, 'path' | 'mediaType' | 'hash' | 'modifiedAt'> {
  bodies: Record<Coding, Buffer>;
  /** Of a feed: the Link header that names its hub and its own address (WebSub §4). */
  link: string | null;
}

/** The form in which a document answers. */
interface Form {
  coding: Coding;
  /** In XML, and called so. */
  plainXml: boolean;
}

export interface FeedResponse {
  status: 200 | 304;
  form: Form;
}

export type HeaderList = [name: string, value: string][];

/** Readers that run in browsers come from other origins. Anyone may read a feed, so nothing is given away. */
export const CORS: HeaderList = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Expose-Headers', 'ETag, Last-Modified, Link'],
];

/**
 * Decides how to answer a GET or HEAD. If-None-Match, where it is sent, decides alone (RFC 9110 §13.2.2), and a tag of any coding will
 * do, also one that a compressing proxy has made of ours.
 * @param now epoch milliseconds
 */
export function decideResponse(document: CachedDocument, request: FeedRequest, now: number): FeedResponse {
  const form: Form = {
    coding: chooseCoding(request.acceptEncoding),
    plainXml: isXmlFeed(document) && prefersPlainXml(request.accept, document.mediaType),
  };
  const { ifNoneMatch, ifModifiedSince } = request;
  if (ifNoneMatch !== undefined) {
    const tags = opaqueTags(ifNoneMatch);
    if (tags === '*') return { status: 304, form };
    return { status: tags.map(hashOf).includes(document.hash) ? 304 : 200, form };
  }
  const isUnchanged = ifModifiedSince !== undefined && isUnchangedSince(ifModifiedSince, lastModified(document, now));
  return { status: isUnchanged ? 304 : 200, form };
}

/** The header fields of an answer, but for Date and Content-Length. */
export function responseHeaders(document: CachedDocument, { status, form }: FeedResponse, now: number): HeaderList {
  const { coding, plainXml } = form;
  const fields: HeaderList = [
    ['ETag', etag(document.hash, coding)],
    ['Cache-Control', CACHE_CONTROL],
    ['Vary', isXmlFeed(document) ? 'Accept, Accept-Encoding' : 'Accept-Encoding'],
    ...CORS,
  ];
  if (document.link !== null) fields.push(['Link', document.link]);
  if (status === 304) return fields;
  fields.push(
    ['Last-Modified', httpDate(lastModified(document, now))],
    ['Content-Type', plainXml ? 'application/xml; charset=utf-8' : document.mediaType],
    ['X-Content-Type-Options', 'nosniff'],
  );
  if (coding !== 'identity') fields.push(['Content-Encoding', coding]);
  if (isFeed(document)) {
    fields.push(['Content-Security-Policy', FEED_POLICY], ['Referrer-Policy', 'strict-origin-when-cross-origin']);
  }
  return fields;
}

/** Never in the future (RFC 9110 §8.8.2.1), whatever clock another process had. */
function lastModified({ modifiedAt }: CachedDocument, now: number): number {
  return Math.min(modifiedAt, now);
}

/** Five minutes, as the feeds' own ttl says (feeds/rss.ts); while a cache asks again it may answer with what it has. */
const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=300';

/** Opened in a browser, a feed is its stylesheet and nothing else. */
const FEED_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** One tag for each coding, since their bytes differ (RFC 9110 §8.8.3.3). */
function etag(hash: string, coding: Coding): string {
  return coding === 'identity' ? `"${hash}"` : `"${hash}-${coding}"`;
}

// Apache puts -gzip behind a tag, Jetty --gzip, older ones ;gzip, and each once more behind ours.
const CODED = /(?:[-;]{1,2}(?:gzip|br|zstd|deflate))+$/;

/** The hash that a tag of ours names, whatever coding was made of it on the way. @param tag with its quotes */
function hashOf(tag: string): string {
  return tag.slice(1, -1).replace(CODED, '');
}

function isFeed({ mediaType }: CachedDocument): boolean {
  return /^application\/(?:(?:rss|atom)\+xml|feed\+json)\b/.test(mediaType);
}

function isXmlFeed({ mediaType }: CachedDocument): boolean {
  return /^application\/(?:rss|atom)\+xml\b/.test(mediaType);
}

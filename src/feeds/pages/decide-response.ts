/** Decides the response to a request for a document. Pure. */
import { entityTag, httpDate, isUnchangedSince, matchesHash } from '../../web/server/conditional.ts';
import { type Coding, chooseCoding, prefersPlainXml } from '../../web/server/negotiate.ts';
import type { PackedDocument } from '../documents.ts';

/** The request headers that matter. */
export interface FeedRequest {
  accept?: string | undefined;
  acceptEncoding?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifModifiedSince?: string | undefined;
}

/** A document in memory. */
export interface CachedDocument extends PackedDocument {
  /** The body, which is unpacked once. @throws Error if the compressed form is damaged */
  plain(): Promise<Buffer>;
  /** For a feed, the Link header with its hub and its own address (WebSub §4). */
  link: string | null;
}

export interface FeedResponse {
  status: 200 | 304;
  coding: Coding;
  /** Sent as `application/xml` instead of the feed's own type. */
  plainXml: boolean;
}

export type HeaderList = [name: string, value: string][];

/** Lets readers that run in browsers fetch feeds from other origins. Feeds are public anyway. */
export const CORS: HeaderList = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Expose-Headers', 'ETag, Last-Modified, Link'],
];

/**
 * Decides the response to a GET or HEAD. If-None-Match takes precedence (RFC 9110 §13.2.2), and the tag of any coding
 * matches, also one that a compressing proxy has derived from ours.
 * @param now epoch milliseconds
 */
export function decideResponse(document: CachedDocument, request: FeedRequest, now: number): FeedResponse {
  const { ifNoneMatch, ifModifiedSince } = request;
  let isUnchanged: boolean;
  if (ifNoneMatch !== undefined) {
    isUnchanged = matchesHash(ifNoneMatch, document.hash);
  } else {
    isUnchanged = ifModifiedSince !== undefined && isUnchangedSince(ifModifiedSince, lastModified(document, now));
  }
  return {
    status: isUnchanged ? 304 : 200,
    coding: chooseCoding(request.acceptEncoding),
    plainXml: isXmlFeed(document) && prefersPlainXml(request.accept, document.mediaType),
  };
}

/** All headers of a response except Date and Content-Length. */
export function responseHeaders(document: CachedDocument, response: FeedResponse, now: number): HeaderList {
  const { status, coding, plainXml } = response;
  const headers: HeaderList = [
    ['ETag', entityTag(document.hash, coding)],
    ['Cache-Control', CACHE_CONTROL],
    ['Vary', isXmlFeed(document) ? 'Accept, Accept-Encoding' : 'Accept-Encoding'],
    ...CORS,
  ];
  if (document.link !== null) headers.push(['Link', document.link]);
  if (status === 304) return headers;
  headers.push(
    ['Last-Modified', httpDate(lastModified(document, now))],
    ['Content-Type', plainXml ? 'application/xml; charset=utf-8' : document.mediaType],
    ['X-Content-Type-Options', 'nosniff'],
  );
  if (coding !== 'identity') headers.push(['Content-Encoding', coding]);
  if (isFeed(document)) {
    headers.push(['Content-Security-Policy', FEED_POLICY], ['Referrer-Policy', 'strict-origin-when-cross-origin']);
  }
  return headers;
}

/** Never in the future (RFC 9110 §8.8.2.1): another process may have another clock. */
function lastModified({ modifiedAt }: CachedDocument, now: number): number {
  return Math.min(modifiedAt, now);
}

/** Five minutes, like the ttl in the feeds. A cache may serve what it has while it revalidates. */
const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=300';

/** A feed that is opened in a browser loads nothing but its stylesheet. */
const FEED_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

function isFeed({ mediaType }: CachedDocument): boolean {
  return /^application\/(?:(?:rss|atom)\+xml|feed\+json)\b/.test(mediaType);
}

function isXmlFeed({ mediaType }: CachedDocument): boolean {
  return /^application\/(?:rss|atom)\+xml\b/.test(mediaType);
}

/**
 * Serves what was published, byte for byte from the store, so that every web process answers alike.
 */
import type { Context } from 'hono';
import { type FeedDocument, findDocument } from '../feeds/documents.ts';
import { httpDate, isNotModified } from './conditional.ts';
import type { Answer } from './routes.ts';
import type { Site } from './site.ts';

// Readers that run in browsers come from other origins. Anyone may read a feed, so nothing is given away.
const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Last-Modified',
};
const PREFLIGHT = {
  ...CORS,
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': 'If-None-Match, If-Modified-Since',
  'Access-Control-Max-Age': '86400',
};
const DOCUMENT_PATH = /^[a-z0-9][a-z0-9./-]{0,199}$/;

/** Answers `/feeds/*`; `/feeds/` itself is the page for people. */
export function answerFeedDocument(site: Site): Answer {
  return async (c) => {
    const path = c.req.path.slice(`${site.base}/feeds/`.length) || 'index.html';
    const document = DOCUMENT_PATH.test(path) ? await findDocument(site.store.db, path) : null;
    if (document === null) {
      return c.text('There is no such feed. /feeds/ lists those that there are.\n', 404, {
        ...CORS,
        'Cache-Control': 'no-store',
      });
    }
    return answerDocument(c, document, site.clock());
  };
}

/** Answers OPTIONS of `/feeds/*`: If-None-Match is not safelisted, so a browser asks first (Fetch §3.2.2). */
export const answerFeedPreflight: Answer = (c) => c.body(null, 204, { ...PREFLIGHT, Allow: 'GET, HEAD, OPTIONS' });

function answerDocument(c: Context, document: FeedDocument, now: number): Response {
  const etag = `"${document.hash}"`;
  // Never in the future (RFC 9110 §8.8.2.1), whatever clock another process had.
  const modifiedAt = Math.min(document.modifiedAt, now);
  const type = mediaType(document.mediaType, c.req.header('Accept'));
  const headers: Record<string, string> = {
    ...CORS,
    ETag: etag,
    'Last-Modified': httpDate(modifiedAt),
    'Cache-Control': 'public, max-age=300',
    ...(isFeedXml(document.mediaType) ? { Vary: 'Accept' } : {}),
  };
  if (isNotModified(c.req.raw.headers, { etag, modifiedAt })) return c.body(null, 304, headers);
  // HEAD drops the body, and with it the length that it would have had.
  headers['Content-Length'] = String(Buffer.byteLength(document.body));
  return c.body(document.body, 200, { ...headers, 'Content-Type': type });
}

/**
 * Browsers show `application/rss+xml` as source or save it, and `application/xml` with its stylesheet; feed readers get the
 * type that the feed has. A browser is who asks for HTML and not for the feed.
 */
function mediaType(own: string, accept: string | undefined): string {
  if (!isFeedXml(own) || accept === undefined) return own;
  const asked = accept.toLowerCase();
  const bare = own.split(';', 1)[0] as string;
  return asked.includes('text/html') && !asked.includes(bare) ? 'application/xml; charset=utf-8' : own;
}

function isFeedXml(type: string): boolean {
  return /^application\/(?:rss|atom)\+xml\b/.test(type);
}

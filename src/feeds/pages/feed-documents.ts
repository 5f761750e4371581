/**
 * Serves published documents, archive pages and derived feeds from the store, so that all web processes respond alike.
 */
import type { Context, Handler } from 'hono';
import { addressBlock } from '../../lib/cidr.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { ARCHIVE_FOLDER } from '../archive/archive-page.ts';
import { type DerivedAddress, parseDerivedAddress } from '../derived/derived-address.ts';
import { BuildRefused } from './build-limiter.ts';
import { openArchivePages, openDerivedFeeds } from './built-documents.ts';
import { type CachedDocument, CORS, decideResponse, type HeaderList, responseHeaders } from './decide-response.ts';
import { openPublishedFeeds } from './feed-cache.ts';

const PREFLIGHT: HeaderList = [
  ...CORS,
  ['Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS'],
  ['Access-Control-Allow-Headers', 'If-None-Match, If-Modified-Since'],
  ['Access-Control-Max-Age', '86400'],
  ['Allow', 'GET, HEAD, OPTIONS'],
];

/** `/feeds/*`. `/feeds/` itself is the page that lists the feeds. */
function serveFeedDocument(web: WebContext): Handler {
  const { store, config, clock, log } = web;
  const published = openPublishedFeeds(store, config);
  const derivedFeeds = openDerivedFeeds(store, config, clock);
  const findArchivePage = openArchivePages(store, config, clock, log);
  return async (c) => {
    const path = c.req.path.slice(`${web.base}/feeds/`.length) || 'index.html';
    // No published document has such an address: configured feeds are in no folder, and none is named "custom".
    const derived = parseDerivedAddress(path, new URL(c.req.url).searchParams, web.config);
    if (derived?.kind === 'refused') return respondText(c, 400, derived.reason);
    let document: CachedDocument | null;
    try {
      const client = addressBlock(clientAddress(web, c) ?? 'unknown');
      if (derived !== null) document = await derivedFeeds.find(derived.address.path, client);
      else if (path.startsWith(ARCHIVE_FOLDER)) document = await findArchivePage(path, client);
      else document = await published.find(path);
    } catch (error) {
      if (error instanceof BuildRefused) return respondText(c, error.status, error.message, error.retryAfter);
      return respondUnavailable(web, c, path, error);
    }
    if (document !== null) {
      const response = await respondDocument(web, c, document);
      if (response.status !== 503) countRequest(web, c, countedPath(path, derived?.address), response.status);
      return response;
    }
    // Readers would take a 404 for the end of the feed.
    if (isConfigured(web, path)) return respondText(c, 503, 'This feed has not been published yet.', 30);
    return respondText(c, 404, 'There is no such feed. See /feeds/ for a list of all feeds.');
  };
}

/** OPTIONS of `/feeds/*`. If-None-Match is not a safelisted header, so browsers send a preflight (Fetch §3.2.2). */
const serveFeedPreflight: Handler = (c) => c.body(null, 204, Object.fromEntries(PREFLIGHT));

function isConfigured({ config }: WebContext, path: string): boolean {
  const [, id] = /^([^/]+)\.(?:rss|atom|json)$/.exec(path) ?? [];
  return config.feeds.some((feed) => feed.id === id);
}

async function respondDocument(web: WebContext, c: Context, document: CachedDocument): Promise<Response> {
  const now = web.clock();
  const request = {
    accept: c.req.header('Accept'),
    acceptEncoding: c.req.header('Accept-Encoding'),
    ifNoneMatch: c.req.header('If-None-Match'),
    ifModifiedSince: c.req.header('If-Modified-Since'),
  };
  const response = decideResponse(document, request, now);
  const headers = Object.fromEntries(responseHeaders(document, response, now));
  if (response.status === 304) return c.body(null, 304, headers);
  const { path, size, codings } = document;
  const packed = response.coding === 'identity' ? null : codings[response.coding];
  // HEAD drops the body, and with it the length that it would have had.
  headers['Content-Length'] = String(packed?.length ?? size);
  if (c.req.method === 'HEAD') return new Response(null, { headers });
  try {
    return new Response(packed ?? (await document.plain()), { headers });
  } catch (error) {
    return respondUnavailable(web, c, path, error);
  }
}

function respondUnavailable(web: WebContext, c: Context, path: string, error: unknown): Response {
  web.log?.error({ path, error: String(error) }, 'feed not readable');
  return respondText(c, 503, 'The feeds are not available at the moment.', 30);
}

/** @param retryAfter seconds */
function respondText(c: Context, status: 400 | 404 | 429 | 503, text: string, retryAfter?: number): Response {
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
  return c.text(`${text}\n`, status, { ...Object.fromEntries(CORS), 'Cache-Control': 'no-store' });
}

/** The canonical path; all feeds that readers combine themselves count as one. */
function countedPath(path: string, address: DerivedAddress | undefined): string {
  return address === undefined ? path : `${address.id}.${address.format}`;
}

/** Counts requests of feeds, not of pages and OPML. @param path of a document that exists */
function countRequest({ readers }: WebContext, c: Context, path: string, status: number): void {
  if (!/\.(?:rss|atom|json)$/.test(path)) return;
  readers?.count(path, c.req.header('User-Agent'), status === 304 ? 'unchanged' : 'full');
}

export const addFeedPages: AddRoutes = (site, web) => {
  site.get('/feeds', (c) => c.redirect(`${web.base}/feeds/`, 301));
  site.get('/feeds/*', serveFeedDocument(web));
  site.options('/feeds/*', serveFeedPreflight);
};

/**
 * Serves published documents, derived and private feeds from the store: all web processes respond alike.
 */
import { setTimeout } from 'node:timers/promises';
import type { Context, Handler, MiddlewareHandler } from 'hono';
import type { Choice } from '../../articles/choice.ts';
import { hasChangesSince } from '../../articles/pending-changes.ts';
import { buildOwnFeed, findOwnFeed } from '../../audience/own-feed.ts';
import { ownFeedToken, readOwnFeedToken } from '../../audience/tokens.ts';
import type { Config } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { addressBlock } from '../../lib/cidr.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { compress, decompress } from '../compress.ts';
import { deriveFeed } from '../derived/derived.ts';
import { parseDerivedAddress } from '../derived/derived-address.ts';
import type { RenderedDocument } from '../documents.ts';
import { openVersionReader, readFeedVersion } from '../feed-version.ts';
import type { Format } from '../formats/feed-view.ts';
import { topicAddress } from '../topics.ts';
import { BuildLimiter, BuildRefused } from './build-limiter.ts';
import { type CachedDocument, CORS, decideResponse, type HeaderList, responseHeaders } from './decide-response.ts';
import { FeedCache, openPublishedFeeds, toCached } from './feed-cache.ts';
import { type FindFeedDocument, redirectToView, serveFeedView } from './feed-view-page.ts';

const PREFLIGHT: HeaderList = [
  ...CORS,
  ['Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS'],
  ['Access-Control-Allow-Headers', 'If-None-Match, If-Modified-Since'],
  ['Access-Control-Max-Age', '86400'],
  ['Allow', 'GET, HEAD, OPTIONS'],
];

function openFeedDocuments(web: WebContext): FindFeedDocument {
  const { store, config } = web;
  const published = openPublishedFeeds(store, config);
  const derivedFeeds = openDerivedFeeds(web);
  return (c, path) => {
    const client = addressBlock(clientAddress(web, c) ?? 'unknown');
    // No published document has such a path: configured feeds are in no folder, and none is named "custom".
    return /^custom\.|\//.test(path) ? derivedFeeds.find(path, client) : published.find(path);
  };
}

/** `/feeds/*`. `/feeds/` itself is the page that lists the feeds. */
function serveFeedDocument(web: WebContext, find: FindFeedDocument): Handler {
  const { locale } = web;
  return async (c) => {
    const path = c.req.path.slice(`${web.base}/feeds/`.length) || 'index.html';
    const derived = parseDerivedAddress(path, new URL(c.req.url).searchParams, web.config);
    if (derived?.kind === 'refused') return respondText(c, 400, derived.reason);
    const redirect = redirectToView(web, c);
    if (redirect !== null) return redirect;
    let document: CachedDocument | null;
    try {
      document = await find(c, derived?.address.path ?? path);
    } catch (error) {
      return respondNotBuilt(web, c, path, error);
    }
    if (document !== null) {
      const response = await respondDocument(web, c, document);
      // All feeds that readers combine themselves count as one.
      const counted = derived === null ? path : `${derived.address.id}.${derived.address.format}`;
      if (response.status !== 503) countRequest(web, c, counted, response.status);
      return response;
    }
    // Readers would take a 404 for the end of the feed.
    if (isConfigured(web, path)) return respondText(c, 503, locale.text('feeds.notYet'), 30);
    return respondText(c, 404, locale.text('feeds.none', { address: `${web.base}/feeds/` }));
  };
}

/**
 * `/feeds/mine/:file`: private feeds, which are not counted. One is built for all who made the same choice; its token
 * is filled in. 404 for an invalid token; 410 for a feed that was renewed, ended or erased. A proxy compresses them.
 */
function servePrivateFeed(web: WebContext): Handler {
  const { config, locale, secrets, store } = web;
  const feeds = openPrivateFeeds(web);
  return async (c) => {
    const [, token = '', format] = /^(.+)\.(rss|atom|json)$/.exec(c.req.param('file') ?? '') ?? [];
    const key = readOwnFeedToken(secrets, token);
    const newsletter = config.newsletters.find(({ id }) => id === key?.newsletter);
    if (key === null || newsletter === undefined) return respondText(c, 404, locale.text('ownFeed.none'));
    try {
      const choice = await findOwnFeed(store.db, key, newsletter);
      const client = addressBlock(clientAddress(web, c) ?? 'unknown');
      const shared = choice && (await feeds.find(JSON.stringify([key.newsletter, format, choice]), client));
      if (shared === null) return respondText(c, 410, locale.text('ownFeed.gone'));
      // Only gzip is kept, and not `shared.plain`: a thousand choices may be in use.
      shared.codings.br = Buffer.alloc(0);
      const plain = async (): Promise<Buffer> => {
        const body = (await decompress(shared.codings.gzip, shared.size)).toString();
        return Buffer.from(body.replaceAll(placeholderFor(secrets, key.newsletter), token));
      };
      const link = `<${topicAddress(config, `mine/${token}.${format}`)}>; rel="self"`;
      // A choice changes without a publish: only the entity tag says whether the feed has changed.
      const own = { path: 'mine', plain, link, hash: sha256(shared.hash + token), modifiedAt: web.clock() };
      return await respondDocument(web, c, { ...shared, ...own }, 'identity');
    } catch (error) {
      // Without the path, which has the token.
      return respondNotBuilt(web, c, 'mine', error);
    }
  };
}

/** The address is a capability: no shared cache stores the feed, no referrer reveals it, no search engine lists it. */
const privateFeedHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('Cache-Control', 'private, no-cache');
  c.header('Referrer-Policy', 'no-referrer');
  c.header('X-Robots-Tag', 'noindex');
  c.header('Last-Modified', undefined);
};

/** A token of the same length that nobody has. It never leaves the process, so that no article can contain it. */
function placeholderFor(secrets: WebContext['secrets'], newsletter: string): string {
  return ownFeedToken(secrets, { subscriberId: 0, version: 0, newsletter });
}

/** `/feeds/archive/…`: feeds had archives (RFC 5005), by month. Month pages have the same stories. */
function serveGoneArchive({ config, locale }: WebContext): Handler {
  return (c) => {
    const [, month] = /\/(\d{4}-(?:0[1-9]|1[0-2]))(?:-\d+)?(?:\.\w+|\/view)?$/.exec(c.req.path) ?? [];
    const address = `${config.publication.url}/archive${month === undefined ? '' : `/${month}`}`;
    return respondText(c, 410, locale.text('feeds.archiveGone', { address }));
  };
}

/** OPTIONS of `/feeds/*`. If-None-Match is not a safelisted header, so browsers send a preflight (Fetch §3.2.2). */
const serveFeedPreflight: Handler = (c) => c.body(null, 204, Object.fromEntries(PREFLIGHT));

function isConfigured({ config }: WebContext, path: string): boolean {
  const [, id] = /^([^/]+)\.(?:rss|atom|json)$/.exec(path) ?? [];
  return config.feeds.some((feed) => feed.id === id);
}

async function respondDocument(
  web: WebContext,
  c: Context,
  document: CachedDocument,
  acceptEncoding = c.req.header('Accept-Encoding'),
): Promise<Response> {
  const now = web.clock();
  const request = {
    accept: c.req.header('Accept'),
    acceptEncoding,
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

function respondNotBuilt(web: WebContext, c: Context, path: string, error: unknown): Response {
  if (!(error instanceof BuildRefused)) return respondUnavailable(web, c, path, error);
  const text = web.locale.text(error.status === 429 ? 'feeds.tooManyRequests' : 'feeds.busy');
  return respondText(c, error.status, text, error.retryAfter);
}

function respondUnavailable(web: WebContext, c: Context, path: string, error: unknown): Response {
  web.log?.error({ path, error: String(error) }, 'feed not readable');
  return respondText(c, 503, web.locale.text('feeds.unavailable'), 30);
}

/** @param retryAfter seconds */
function respondText(c: Context, status: 400 | 404 | 410 | 429 | 503, text: string, retryAfter?: number): Response {
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
  return c.text(`${text}\n`, status, { ...Object.fromEntries(CORS), 'Cache-Control': 'no-store' });
}

/** Counts requests of feeds, not of pages and OPML. @param path of a document that exists */
function countRequest({ readers }: WebContext, c: Context, path: string, status: number): void {
  if (!/\.(?:rss|atom|json)$/.test(path)) return;
  readers?.count(path, c.req.header('User-Agent'), status === 304 ? 'unchanged' : 'full');
}

export const addFeedPages: AddRoutes = (site, web) => {
  site.get('/feeds', (c) => c.redirect(`${web.base}/feeds/`, 301));
  const find = openFeedDocuments(web);
  site.use('/feeds/mine/*', privateFeedHeaders);
  site.get('/feeds/mine/:file', servePrivateFeed(web));
  site.get('/feeds/archive/*', serveGoneArchive(web));
  site.get('/feeds/:feed{.+/view}', serveFeedView(web, find));
  site.get('/feeds/*', serveFeedDocument(web, find));
  site.options('/feeds/*', serveFeedPreflight);
};

/** Less than published documents have: strangers choose what is cached here. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** A publish follows a change sooner. If it does not, a feed newer than the published ones is better than none. */
const PUBLISH_WAIT = { forMs: 1_500, everyMs: 50 };

/** Derived feeds by the canonical path of their address. */
function openDerivedFeeds(web: WebContext): FeedCache {
  const { store, config } = web;
  return openBuiltFeeds(web, CACHE_BYTES, (path) => {
    const [file = '', query] = path.split('?');
    const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
    if (parsed?.kind !== 'derived') return null;
    // In a thread, as the pages of searches.
    const source = parsed.address.words === undefined ? store.db : store.reports;
    return (now) => deriveFeed(source, config, parsed.address, now);
  });
}

/** A thousand feeds of 300 KB: plain and Brotli forms count, and are not kept. They take 100 to 200 MB. */
const PRIVATE_CACHE_BYTES = 640 * 1024 * 1024;

/** Private feeds by newsletter, format and choice. A placeholder stands for the token. */
function openPrivateFeeds(web: WebContext): FeedCache {
  const { store, config, secrets } = web;
  return openBuiltFeeds(web, PRIVATE_CACHE_BYTES, (name) => {
    const [id, format, choice] = JSON.parse(name) as [string, Format, Choice];
    const newsletter = config.newsletters.find((one) => one.id === id);
    if (newsletter === undefined) return null;
    const own = { newsletter, choice, format, token: placeholderFor(secrets, id) };
    // In a thread: a choice may have a hundred tags.
    return (now) => buildOwnFeed(store.reports, config, own, now);
  });
}

/**
 * Feeds that are built on request. `find` throws BuildRefused if the feed is not cached and the client, or all clients
 * together, asked for too many.
 * @param plan the function that builds the feed of a name as of an instant, or null if there is none
 */
function openBuiltFeeds(
  { store: { db }, config, clock }: WebContext,
  maxBytes: number,
  plan: (name: string) => ((now: number) => Promise<RenderedDocument | null>) | null,
): FeedCache {
  const limiter = new BuildLimiter(clock);
  const load = async (name: string, client = 'unknown'): Promise<CachedDocument | null> => {
    const build = plan(name);
    if (build === null) return null;
    await waitForPublish(db, clock);
    return limiter.build(client, async () => {
      const { modifiedAt } = await readFeedVersion(db);
      // As of the last publish, in every process. Articles that become public later in that second cause another one.
      return pack(config, await build(Math.min(clock(), modifiedAt + SECOND - 1)), modifiedAt);
    });
  };
  return new FeedCache({ version: openVersionReader(db), load }, maxBytes);
}

/** Waits for the publish of changed articles, so that all processes build a feed from the same articles. */
async function waitForPublish(db: Db, clock: Clock): Promise<void> {
  for (let waited = 0; waited < PUBLISH_WAIT.forMs; waited += PUBLISH_WAIT.everyMs) {
    const { modifiedAt } = await readFeedVersion(db);
    if (!(await hasChangesSince(db, modifiedAt, clock()))) return;
    await setTimeout(PUBLISH_WAIT.everyMs);
  }
}

async function pack(
  config: Config,
  rendered: RenderedDocument | null,
  modifiedAt: number,
): Promise<CachedDocument | null> {
  if (rendered === null) return null;
  const { path, mediaType } = rendered;
  const body = Buffer.from(rendered.body);
  const codings = await compress(body);
  const packed = { path, mediaType, hash: sha256(body), modifiedAt, size: body.length, codings };
  return toCached(packed, `<${topicAddress(config, path)}>; rel="self"`);
}

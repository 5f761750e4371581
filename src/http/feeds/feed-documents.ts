/**
 * Serves what was published, byte for byte from the store, so that every web process answers alike.
 */
import type { Context } from 'hono';
import { type DerivedAddress, parseDerivedAddress } from '../../feeds/derived/derived-address.ts';
import { SECOND } from '../../lib/time.ts';
import { addressBlock, clientAddress } from '../server/client-address.ts';
import type { RequestHandler } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { BuildRefused } from './build-limits.ts';
import { type CachedDocument, CORS, decideResponse, type HeaderList, responseHeaders } from './decide-response.ts';
import { countFeedRequest } from './feed-requests.ts';

const PREFLIGHT: HeaderList = [
  ...CORS,
  ['Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS'],
  ['Access-Control-Allow-Headers', 'If-None-Match, If-Modified-Since'],
  ['Access-Control-Max-Age', '86400'],
  ['Allow', 'GET, HEAD, OPTIONS'],
];
/** Readers that find the store away come back so soon. */
const RETRY_AFTER = 30 * SECOND;

/** Answers `/feeds/*`; `/feeds/` itself is the page for people. */
export function serveFeedDocument(web: WebContext): RequestHandler {
  return async (c) => {
    const path = c.req.path.slice(`${web.base}/feeds/`.length) || 'index.html';
    // None of these addresses is that of a stored document: a feed of the configuration is in no folder, and not called "custom".
    const derived = parseDerivedAddress(path, new URL(c.req.url).searchParams, web.config);
    if (derived?.kind === 'refused') return answerText(c, 400, derived.reason);
    let document: CachedDocument | null;
    try {
      document =
        derived === null ? await web.feeds.find(path) : await web.derived.find(derived.address.path, clientOf(web, c));
    } catch (error) {
      if (error instanceof BuildRefused) {
        return answerText(c, error.status, error.message, [['Retry-After', String(error.retryAfter)]]);
      }
      web.log?.error({ error: String(error) }, 'a feed could not be read');
      return answerLater(c, 'The feeds cannot be read at the moment.');
    }
    if (document === null && isConfigured(web, path)) return answerLater(c, 'This feed has not been published yet.');
    if (document === null) return answerText(c, 404, 'There is no such feed. /feeds/ lists those that there are.');
    const answer = answerDocument(web, c, document);
    countFeedRequest(web, countedPath(path, derived?.address), c.req.header('User-Agent'), answer.status);
    return answer;
  };
}

/** Whether it is a feed of the configuration: readers would take a 404 for its end. */
function isConfigured({ config }: WebContext, path: string): boolean {
  const [, id] = /^([^/]+)\.(?:rss|atom|json)$/.exec(path) ?? [];
  return config.feeds.some((feed) => feed.id === id);
}

function answerLater(c: Context, sentence: string): Response {
  return answerText(c, 503, sentence, [['Retry-After', String(RETRY_AFTER / SECOND)]]);
}

/** The network that asks: what it has made is limited, and forgotten with this process. */
function clientOf({ config }: WebContext, c: Context): string {
  return addressBlock(clientAddress(c, config.server.trustedProxies) ?? 'unknown');
}

/** Under its canonical path; all that readers put together are counted as one. */
function countedPath(path: string, address: DerivedAddress | undefined): string {
  return address === undefined ? path : `${address.id}.${address.format}`;
}

/** Answers OPTIONS of `/feeds/*`: If-None-Match is not safelisted, so a browser asks first (Fetch §3.2.2). */
export const serveFeedPreflight: RequestHandler = (c) => c.body(null, 204, Object.fromEntries(PREFLIGHT));

function answerText(c: Context, status: 400 | 404 | 429 | 503, sentence: string, fields: HeaderList = []): Response {
  return c.text(`${sentence}\n`, status, Object.fromEntries([...CORS, ['Cache-Control', 'no-store'], ...fields]));
}

function answerDocument(web: WebContext, c: Context, document: CachedDocument): Response {
  const now = web.clock();
  const verdict = decideResponse(
    document,
    {
      accept: c.req.header('Accept'),
      acceptEncoding: c.req.header('Accept-Encoding'),
      ifNoneMatch: c.req.header('If-None-Match'),
      ifModifiedSince: c.req.header('If-Modified-Since'),
    },
    now,
  );
  const headers = Object.fromEntries(responseHeaders(document, verdict, now));
  if (verdict.status === 304) return c.body(null, 304, headers);
  const body = document.bodies[verdict.form.coding];
  // HEAD drops the body, and with it the length that it would have had.
  headers['Content-Length'] = String(body.length);
  return new Response(body, { headers });
}

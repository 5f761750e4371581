/** Serves public pages from their cache: compressed, and with 304 to a client that has the same bytes. */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context, Handler } from 'hono';
import { runUrgently } from '../../lib/concurrency/turn-timer.ts';
import { entityTag, matchesHash } from '../server/conditional.ts';
import { type Coding, chooseCoding } from '../server/negotiate.ts';
import type { WebContext } from '../server/web-context.ts';
import type { CreatedPage } from './page-cache.ts';

/** A shorter page is not worth it. */
const MIN_COMPRESSED = 1_000;

/**
 * Serves a public page from the cache, in the coding that the client prefers; with 304 if the client has the same
 * bytes. Work in the background rests meanwhile.
 * @param handler its response depends on nothing but the key
 * @param keyOf by default, the path and `?page=`
 */
export function share(
  web: WebContext,
  handler: Handler,
  keyOf = (c: Context) => `${c.req.path}?${c.req.query('page') ?? ''}`,
): Handler {
  const serve = async (c: Context): Promise<Response> => {
    const key = keyOf(c);
    const create = async (): Promise<Response> => (await handler(c, async () => {})) as Response;
    const page = await web.publicPages.find(key, c.req.raw.signal, create);
    // Nobody receives it.
    if (page === null) return c.body(null, 503);
    return page.status === 200 ? respond(c, page) : c.body(asBytes(page.body), page.status as 404, headersOf(page));
  };
  return (c) => runUrgently(() => serve(c));
}

async function respond(c: Context, page: CreatedPage): Promise<Response> {
  const accepted = c.req.header('Accept-Encoding');
  const coding = page.body.length < MIN_COMPRESSED ? 'identity' : chooseCoding(accepted);
  const { 'content-type': type = '', ...shared } = headersOf(page);
  // A proxy that asks for the plain form alone, as deploy/nginx.conf does, keeps one copy and compresses it itself.
  const vary = accepted === 'identity' ? null : { vary: 'Accept-Encoding' };
  const headers = { ...shared, etag: entityTag(page.hash, coding), ...vary };
  const ifNoneMatch = c.req.header('If-None-Match');
  if (ifNoneMatch !== undefined && matchesHash(ifNoneMatch, page.hash)) return c.body(null, 304, headers);
  const body = await encoded(page, coding);
  return c.body(asBytes(body), 200, {
    ...headers,
    'content-type': type,
    // HEAD drops the body, and with it the length that it would have had.
    'content-length': String(body.length),
    ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
  });
}

/** The body in that coding, compressed once. */
function encoded(page: CreatedPage, coding: Coding): Promise<Buffer> | Buffer {
  if (coding === 'identity') return page.body;
  page.codings[coding] ??= coding === 'br' ? toBrotli(page.body, BROTLI) : toGzip(page.body);
  return page.codings[coding];
}

const toGzip = promisify<Buffer, Buffer>(gzip);
const toBrotli = promisify(brotliCompress);
// The page lives for a second: as fast as gzip, and smaller.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

function headersOf({ headers }: CreatedPage): Record<string, string> {
  return Object.fromEntries(headers);
}

function asBytes(body: Buffer): Uint8Array<ArrayBuffer> {
  return body as Buffer<ArrayBuffer>;
}

/**
 * Counts the requests of the pages of past editions that are visits.
 */
import type { MiddlewareHandler } from 'hono';
import { isBrowserName, readerName } from '../../feeds/readers/reader-name.ts';
import type { WebContext } from '../../web/server/web-context.ts';

/** Counts requests of `/editions/:newsletter/:slot`, also those that the cache of pages answers. */
export function countVisits(web: WebContext): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { newsletter, slot } = c.req.param() as { newsletter: string; slot: string };
    const isCounted = isVisit({
      method: c.req.method,
      status: c.res.status,
      userAgent: c.req.header('User-Agent'),
      fetchMode: c.req.header('Sec-Fetch-Mode'),
      purpose: c.req.header('Sec-Purpose'),
    });
    if (isCounted) web.visits?.count(newsletter, slot);
  };
}

interface PageRequest {
  method: string;
  /** Of the response. */
  status: number;
  userAgent: string | undefined;
  /** Sec-Fetch-Mode; browsers send it, and `navigate` for a page that somebody opens. */
  fetchMode: string | undefined;
  /** Sec-Purpose: what a browser fetches ahead may never be looked at. */
  purpose: string | undefined;
}

/** A page that is not modified was looked at again. */
const SEEN = [200, 304];

/** Programs that say who they are do not count. Scanners of mail that pretend to be browsers do. */
export function isVisit({ method, status, userAgent, fetchMode, purpose }: PageRequest): boolean {
  if (method !== 'GET' || !SEEN.includes(status)) return false;
  if (fetchMode !== undefined && fetchMode !== 'navigate') return false;
  if (purpose?.includes('prefetch')) return false;
  return isBrowserName(readerName(userAgent).reader);
}

/**
 * Counts the requests of the pages of past editions that are visits.
 */
import type { MiddlewareHandler } from 'hono';
import type { WebContext } from '../../web/server/web-context.ts';
import { isVisit } from '../visits/is-visit.ts';

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

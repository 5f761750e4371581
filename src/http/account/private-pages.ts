/**
 * Pages behind a link that was mailed to one reader. The address is a capability: no cache keeps the page, no referrer tells its
 * address, no search engine lists it.
 */
import type { MiddlewareHandler } from 'hono';

/** Says so on every answer, whatever answered. */
export const keepPrivate: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('Referrer-Policy', 'no-referrer');
  c.header('X-Robots-Tag', 'noindex');
  c.header('Cache-Control', 'no-store');
};

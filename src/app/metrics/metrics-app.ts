/**
 * Who may read the metrics: clients of the listener `server.metrics`, and if there is a token, only those that have it,
 * also on the public port. Without a token the public port has no such address.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Handler, Hono } from 'hono';
import type { WebOptions } from '../../web/server/web-context.ts';
import { serveMetrics } from './metrics.ts';

/** The app of the listener for metrics. */
export function createMetricsApp({ store, clock, config, log }: Omit<WebOptions, 'templates' | 'secrets'>): Hono {
  const app = new Hono();
  const { metricsToken } = config.secrets;
  const serve = serveMetrics({ store, clock });
  app.get('/metrics', metricsToken === undefined ? serve : withToken(metricsToken, serve));
  app.notFound((c) => c.text('The metrics are at /metrics.\n', 404));
  app.onError((error, c) => {
    log?.error({ error: String(error) }, 'metrics failed');
    return c.text('The metrics could not be read.\n', 500);
  });
  return app;
}

/** Calls the handler for requests with `Authorization: Bearer <token>` (RFC 6750 §2.1); 404 for others. */
export function withToken(token: string, handler: Handler): Handler {
  const expected = sha256(token);
  return async (c, next) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(sha256(given), expected)) return c.notFound();
    return handler(c, next);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

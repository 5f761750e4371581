/**
 * Metrics for Prometheus, read from the database, so that all processes report the same. Clients of the listener
 * `server.metrics` may read them, and if there is a token, only those that have it, also on the public port. Without a
 * token the public port has no such address.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Handler, Hono } from 'hono';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Metrics } from '../core/metrics.ts';
import type { Store } from '../core/store/store.ts';
import { SECOND } from '../lib/time.ts';
import { VERSION } from '../lib/version.ts';
import type { WebContext, WebOptions } from '../web/server/web-context.ts';
import { CAPABILITIES } from './capabilities.ts';

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
  const expected = digestOf(token);
  return async (c, next) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(digestOf(given), expected)) return c.notFound();
    return handler(c, next);
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Scrapes within this time share a result: each other one reads all metrics from the store. */
const SHARED_FOR = 5 * SECOND;

/** `/metrics`. */
export function serveMetrics({ store, clock }: Pick<WebContext, 'store' | 'clock'>): Handler {
  let last: { at: number; metrics: Promise<MetricsText> } | null = null;
  return async (c) => {
    const now = clock();
    // Also not the result of a later time, after the clock was set back.
    if (last === null || Math.abs(now - last.at) >= SHARED_FOR) last = { at: now, metrics: renderMetrics(store, now) };
    const { contentType, body } = await last.metrics;
    return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  };
}

interface MetricsText {
  contentType: string;
  body: string;
}

/** The metrics at `now`, in Prometheus' text format. */
export async function renderMetrics(store: Store, now: number): Promise<MetricsText> {
  const registry = await readMetrics(store, now);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

/** Reads the metrics into a new registry. */
export async function readMetrics({ reports, dialect }: Store, now: number): Promise<Registry> {
  const registry = new Registry();
  const gauge: Metrics['gauge'] = (name, help, labelNames = []) =>
    new Gauge({ name: `daywire_${name}`, help, labelNames, registers: [registry] });
  const counter: Metrics['counter'] = (name, help, labelNames) =>
    new Counter({ name: `daywire_${name}`, help, labelNames, registers: [registry] });
  gauge('build_info', 'Always 1: the version of daywire and of Node, and the kind of database.', [
    'version',
    'node',
    'database',
  ]).set({ version: VERSION, node: process.versions.node, database: dialect }, 1);
  for (const capability of CAPABILITIES) await capability.addMetrics?.({ db: reports, gauge, counter, now });
  return registry;
}

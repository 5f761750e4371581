/**
 * Metrics for Prometheus: those of the newsroom, read from the database, so that all processes report the same, and
 * those of this process. Clients of the listener `server.metrics` may read them, and if there is a token, only those
 * that have it, also on the public port. Without a token the public port has no such address.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Handler, Hono, type MiddlewareHandler } from 'hono';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { httpSeconds, type Metrics, PROCESS_METRICS } from '../core/metrics.ts';
import type { Store } from '../core/store/store.ts';
import { HOUR, SECOND } from '../lib/time.ts';
import { VERSION } from '../lib/version.ts';
import type { WebContext, WebOptions } from '../web/server/web-context.ts';
import { CAPABILITIES } from './capabilities.ts';
import { serveLive, serveState, shareFor } from './health.ts';

/** The app of the listener for metrics, which each process has. */
export function createMetricsApp(
  { store, clock, config, log }: Omit<WebOptions, 'templates' | 'secrets'>,
  findStopped?: () => Promise<string[]>,
): Hono {
  const app = new Hono();
  const { metricsToken } = config.secrets;
  const serve = serveMetrics({ store, clock });
  app.get('/metrics', metricsToken === undefined ? serve : withToken(metricsToken, serve));
  app.get('/livez', serveLive);
  app.get('/readyz', serveState(store, findStopped));
  app.notFound((c) => c.text('Here are /metrics, /livez and /readyz.\n', 404));
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
  const read = shareFor(SHARED_FOR, clock, async (now) => (await readMetrics(store, now)).metrics());
  const own = PROCESS_METRICS;
  const isMeasuring = own.getSingleMetric('process_cpu_seconds_total') !== undefined;
  if (!isMeasuring) {
    // Each scrape measures the lag of the event loop: its histogram would wake an idle process 100 times a second.
    collectDefaultMetrics({ register: own, eventLoopMonitoringPrecision: HOUR });
    for (const name of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'])
      own.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`);
  }
  return async (c) => {
    const body = `${await read()}\n${await own.metrics()}`;
    return c.body(body, 200, { 'Content-Type': own.contentType, 'Cache-Control': 'no-store' });
  };
}

/** The first parts of paths that are labels. Strangers choose the others. */
const ROUTES = /^\/(articles|confirm|desk|feeds|healthz|hub|livez|media|readyz|subscribe|unsubscribe|webhooks)\b/;

/** Measures how long each request takes until its response begins. @param base the path of the site */
export function measureRequests(base: string): MiddlewareHandler {
  return async (c, next) => {
    const end = httpSeconds.startTimer();
    await next();
    const { path } = c.req;
    const [, route = 'pages'] = ROUTES.exec(path.startsWith(base) ? path.slice(base.length) : path) ?? [];
    end({ route, status: `${Math.floor(c.res.status / 100)}xx` });
  };
}

/** Reads the metrics of the newsroom into a new registry. */
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

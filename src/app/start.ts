/** Runs daywire: once, or until it is stopped. */
import type { Hono } from 'hono';
import { lookUpSomeImages } from '../articles/remote-images/look-up.ts';
import { consentTextOf, storeConsentText } from '../audience/consent/consent-text.ts';
import type { AppContext } from '../core/app-context.ts';
import type { Finding } from '../core/finding.ts';
import { vacuumFailure, vacuumIfDue } from '../core/store/deleted-text.ts';
import { correctFutureInstants } from '../core/store/future-instants.ts';
import { retryWhileAway } from '../core/store/outages.ts';
import { ensureSchema } from '../core/store/schema.ts';
import { StoreError } from '../core/store/store.ts';
import { DeliveryMonitor } from '../delivery/monitor/monitor.ts';
import { startDelivering, startDeliveryTasks } from '../delivery/tasks.ts';
import { openTransport } from '../delivery/transport/open-transport.ts';
import { openVisitCounter } from '../editions/visits/visit-rows.ts';
import { publish } from '../feeds/publish/publish.ts';
import { openReaderCounter } from '../feeds/readers/reader-counts.ts';
import { notifyHubOnce, startMirroring } from '../feeds/tasks.ts';
import type { Log } from '../lib/log.ts';
import type { Stoppable } from '../lib/repeat.ts';
import { connectionsWithin, openFilesLimit } from '../web/server/connections.ts';
import { ListenError, listen, type WebServer } from '../web/server/listen.ts';
import type { WebContext } from '../web/server/web-context.ts';
import {
  runRetention,
  startAlerting,
  startCounting,
  startRecordingProcess,
  startScheduling,
} from './background-tasks.ts';
import { checkAtStart } from './check/check.ts';
import { deliverFirst, type FirstRun, type FirstRunOptions, NOTHING_DONE, publishAndCompose } from './first-run.ts';
import { findStoppedDelivery, openHealth } from './health.ts';
import { createMetricsApp } from './metrics.ts';
import { createApp } from './routes/app.ts';

/** Parts of the work: one process does all of them, or several processes share them. */
export const ROLES = ['web', 'desk', 'schedule', 'deliver'] as const;
export type Role = (typeof ROLES)[number];

export interface StartOptions extends FirstRunOptions {
  roles: readonly Role[];
  /** Opens the pages of the role `desk`. */
  openDesk?: (app: AppContext, web: WebContext) => MountedPages;
}

/** Pages that are served below a path of the site. */
export interface MountedPages extends Stoppable {
  path: string;
  pages: Hono;
}

export interface RunningApp extends Stoppable {
  /** Where it serves, or null without the roles `web` and `desk`. */
  url: string | null;
  /** Where it serves metrics, or null if it does not. */
  metricsUrl: string | null;
  firstRun: FirstRun;
}

/** The warnings and problems of the checks before the first run. They stop nothing. */
export interface StartChecks {
  checks: Finding[];
}

/** The longest delay of a timer, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * Does once what is due, without the server: imports, publishes, composes, looks up pictures, delivers, notifies the
 * hub, deletes old rows.
 * @throws what a step throws; what was done until then is recorded
 */
export async function runOnce(app: AppContext, options: StartOptions): Promise<FirstRun & StartChecks> {
  const { roles, stop } = options;
  const startedAt = app.clock();
  await readKeys(app, roles);
  const checks = await logChecks(app);
  await vacuumStore(app, options);
  await correctInstants(app);
  const limits = { isAlone: true, polls: MAX_TIMEOUT };
  const published = roles.includes('schedule') ? await publishAndCompose(app, options, limits) : NOTHING_DONE;
  if (roles.includes('schedule') && (await lookUpSomeImages(app, stop)).found > 0) await publish(app, stop);
  const delivered = roles.includes('deliver') ? await deliverFirst(app, options) : null;
  if (roles.includes('schedule')) {
    await notifyHubOnce(app, startedAt);
    await runRetention(app);
  }
  return { checks, ...published, delivered };
}

/**
 * Opens the port, does the first run, and starts the schedule and the background tasks. Returns when the deliveries due
 * at the start are done, however long that takes; everything else runs meanwhile. Waits whenever the database is away.
 * @throws ListenError where the port cannot be opened, before anything is done; or what the first run throws
 */
export async function start(app: AppContext, options: StartOptions): Promise<RunningApp & StartChecks> {
  const { roles, stop: signal } = options;
  const waiting = <T>(step: () => Promise<T>): Promise<T> => retryWhileAway(step, { log: app.log, signal });
  const tasks: Stoppable[] = [startAlerting(app)];
  let recording: Stoppable | null = null;
  const ending: Promise<void>[] = [];
  const endTasks = (): void => void ending.push(...tasks.splice(0).map((task) => task.stop()));
  // At once, so that nothing begins while the first deliveries end.
  signal.addEventListener('abort', endTasks, { once: true });
  const stop = async (): Promise<void> => {
    endTasks();
    await Promise.all(ending);
    await recording?.stop();
  };
  try {
    const metrics = await listenForMetrics(app, roles);
    if (metrics !== null) tasks.push({ stop: () => metrics.close() });
    await waiting(() => openSchema(app));
    await waiting(() => readKeys(app, roles));
    await vacuumStore(app, options);
    const isServing = roles.some((role) => role === 'web' || role === 'desk');
    // Before a form shows it: what a form showed is known, also after the next change of the configuration.
    if (isServing) await waiting(() => storeConsentText(app.store.db, consentTextOf(app.config), app.clock()));
    const server = isServing ? await startServer(app, options) : null;
    if (server !== null) tasks.push(server);
    const checks = await waiting(() => logChecks(app));
    await waiting(() => correctInstants(app));
    recording = await waiting(() => startRecordingProcess(app, roles));
    const published = roles.includes('schedule') ? await waiting(() => publishAndCompose(app, options)) : NOTHING_DONE;
    if (roles.includes('schedule') && !signal.aborted) await startScheduling(app, tasks, signal);
    if (roles.includes('web') || roles.includes('schedule')) tasks.push(startMirroring(app));
    if (roles.includes('deliver')) tasks.push(...startDeliveryTasks(app));
    const monitor = new DeliveryMonitor(app);
    const delivered = roles.includes('deliver') ? await waiting(() => deliverFirst(app, options, monitor)) : null;
    if (roles.includes('deliver') && !signal.aborted) tasks.push(startDelivering(app, monitor));
    return {
      checks,
      url: server?.url ?? null,
      metricsUrl: metrics?.url ?? null,
      firstRun: { ...published, delivered },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws StoreError that names the database, such as one that does not exist */
async function openSchema({ store }: AppContext): Promise<void> {
  await ensureSchema(store).catch((cause: Error) => {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`cannot use the database at ${store.location}: ${cause.message}`, { cause });
  });
}

/**
 * Reads the keys before anything else is done, and the address of the mail server.
 * @throws SecretError, ConfigError if one is missing or invalid
 */
async function readKeys({ keys, config }: AppContext, roles: readonly Role[]): Promise<void> {
  await keys.signingSecrets();
  if (!roles.includes('deliver')) return;
  keys.signers();
  openTransport(config);
}

/** Checks what can be checked offline and at once, before anything is done. */
async function logChecks(app: AppContext): Promise<Finding[]> {
  const findings = await checkAtStart(app);
  for (const { kind, message } of findings) app.log.warn({ [kind]: message }, 'check before the start');
  return findings;
}

/** Corrects what a clock planned that was set back since: work would wait until it has caught up. */
async function correctInstants({ store, clock, log }: AppContext): Promise<void> {
  const rows = await correctFutureInstants(store.db, clock());
  if (rows > 0) log.warn({ rows }, 'the clock was set back: corrected what would have waited for it');
}

/** Rewrites the file of the store where that is due. A failure is only logged: nothing else depends on it. */
async function vacuumStore({ store, log }: AppContext, { onProgress }: FirstRunOptions): Promise<void> {
  const outcome = await vacuumIfDue(store.db, () => {
    log.info({ store: store.location }, 'rewriting the file of the store, once (VACUUM)');
    onProgress?.({ kind: 'vacuuming' });
  });
  if (outcome.kind === 'failed') log.warn({}, vacuumFailure(store, outcome.reason));
}

/** Serves pages, feeds and the desk, and counts who reads the feeds and past editions. */
async function startServer(app: AppContext, { roles, openDesk }: StartOptions): Promise<Stoppable & { url: string }> {
  const { store, config, templates, clock, log } = app;
  const secrets = await app.keys.signingSecrets();
  const counting = { store, clock, zone: config.publication.zone };
  const [readers, visits] = [openReaderCounter(counting), openVisitCounter(counting)];
  let desk: MountedPages | undefined;
  const mount = (web: WebContext): MountedPages | undefined => {
    if (roles.includes('desk')) desk = openDesk?.(app, web);
    return desk;
  };
  const options = { store, config, templates, secrets, clock, readers, visits, log };
  const site = createApp(options, { isPublic: roles.includes('web'), mount, findStopped: openHealth(app) });
  const server = await listen(site, { ...config.server, maxConnections: connectionLimit(log), log });
  const counters = [startCounting(app, 'readers', readers), startCounting(app, 'visits', visits)];
  return {
    url: server.url,
    stop: async () => {
      // Its streams would keep the server from closing.
      await desk?.stop();
      await server.close();
      await Promise.all(counters.map((counter) => counter.stop()));
    },
  };
}

/** A web server in front needs fewer, and each takes memory. */
const MAX_CONNECTIONS = 500;

/** Fewer, if the process may not open enough files: otherwise visitors could stop delivery. */
function connectionLimit(log: Log): number {
  const openFiles = openFilesLimit();
  const limit = connectionsWithin(openFiles, MAX_CONNECTIONS);
  if (limit < MAX_CONNECTIONS) {
    log.warn({ openFiles, limit }, `fewer connections than ${MAX_CONNECTIONS}: raise "ulimit -n"`);
  }
  return limit;
}

/** Scrapers need few. */
const METRICS_CONNECTIONS = 20;

/**
 * Each first role of a process has a port of its own, so that the roles can share a machine. A port that cannot be
 * opened is only logged: a second process of the same roles must start.
 */
async function listenForMetrics(app: AppContext, roles: readonly Role[]): Promise<WebServer | null> {
  const { metrics } = app.config.server;
  if (metrics === null) return null;
  const { host, port: first } = metrics;
  const port = first === 0 ? 0 : first + ROLES.findIndex((role) => roles.includes(role));
  try {
    const options = { host, port, maxConnections: METRICS_CONNECTIONS, log: app.log };
    const findStopped = roles.includes('deliver') ? () => findStoppedDelivery(app.store) : undefined;
    return await listen(createMetricsApp(app, findStopped), options);
  } catch (error) {
    const reason = error instanceof ListenError ? (error.cause as Error).message : String(error);
    app.log.warn({ host, port, reason }, 'metrics are not served: set server.metrics to a free address, or to off');
    return null;
  }
}

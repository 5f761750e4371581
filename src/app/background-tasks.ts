/**
 * Tasks that a running process repeats, beside the jobs of its schedule.
 */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { startImporting } from '../articles/import/watched/watched-folders.ts';
import { lookingUpImages } from '../articles/remote-images/look-up.ts';
import { fillTitleIndex } from '../articles/search/fill-index.ts';
import type { AppContext } from '../core/app-context.ts';
import { articleSources } from '../core/config/sources.ts';
import { PROCESS_IDS } from '../core/schedule/process-ids.ts';
import { deleteProcess, RECORD_EVERY, recordProcess } from '../core/schedule/processes.ts';
import { startTicker } from '../core/schedule/tick.ts';
import { correctFutureInstants } from '../core/store/future-instants.ts';
import { pollMailbox } from '../delivery/bounces/mailbox.ts';
import { closeDueCountdowns } from '../delivery/closing/countdown.ts';
import { deliverDue } from '../delivery/deliver-due.ts';
import { DeliveryMonitor } from '../delivery/monitor/monitor.ts';
import { recordEditionProgress } from '../delivery/progress.ts';
import { listDelivering } from '../delivery/queue/queries.ts';
import { remindOfApprovals } from '../editions/draft/approval-reminders.ts';
import { updateStrandedAlerts } from '../editions/draft/stranded-drafts.ts';
import { readFeedVersion } from '../feeds/feed-version.ts';
import { openHub } from '../feeds/hub/hub.ts';
import { archive, mirrorFeeds, startPublishing } from '../feeds/publish/publish.ts';
import { ClockWatch } from '../lib/clock-watch.ts';
import { repeat, type Stoppable } from '../lib/repeat.ts';
import { errorLine } from '../lib/text/clean-text.ts';
import { HOUR, MINUTE, rfc3339, SECOND } from '../lib/time.ts';
import { VERSION } from '../lib/version.ts';
import type { WorkerPool } from '../lib/worker-pool.ts';
import { startPollingOutlets } from '../outlets/polling/poll-outlets.ts';
import { startGrouping } from '../outlets/story-groups/regroup.ts';
import { pollingSources } from '../own-sites/poll-sources.ts';
import { runDeps } from './first-run.ts';
import { jobsOf } from './jobs.ts';
import { settleRemovedSources } from './removed-sources.ts';
import { runRetention } from './retention.ts';

const PROGRESS_EVERY = 5 * SECOND;
const IMAGES_EVERY = 2 * SECOND;
/** A store of an earlier version with a million articles takes about half an hour. */
const INDEX_EVERY = 200;
const REMIND_EVERY = 15 * SECOND;
const COUNTS_EVERY = 10 * SECOND;
/** How long a process that ends waits for servers of subscribers or of the hub. */
const HUB_TIMEOUT = 10 * SECOND;

/** The schedule and the tasks of the role `schedule`. */
export async function startScheduling(app: AppContext): Promise<Stoppable[]> {
  const { store, config, log } = app;
  const hub = await openHubOf(app);
  const lookUpImages = lookingUpImages(app);
  return [
    hub,
    repeat(100, 'WebSub', log, () => hub.tick()),
    await startTicker(store, jobsOf(app), runDeps(app)),
    repeat(SECOND, 'sending editions', log, () => closeDueCountdowns(app)),
    repeat(REMIND_EVERY, 'reminding of approvals', log, () => remindOfApprovals(app)),
    repeat(MINUTE, 'looking for drafts without a slot', log, () => updateStrandedAlerts(app)),
    startPublishing(app),
    repeat(SECOND, 'archiving', log, archiving(app)),
    startImporting(app),
    ...pollingSources(app).map((poll, index) => {
      return repeat(SECOND, `polling ${articleSources(config)[index]?.id}`, log, poll);
    }),
    startPollingOutlets(app),
    startGrouping(app),
    repeat(INDEX_EVERY, 'indexing headlines', log, async () => {
      await fillTitleIndex(store.db);
    }),
    repeat(MINUTE, 'settling removed sources', log, () => settleRemovedSources(app)),
    repeat(IMAGES_EVERY, 'looking up pictures', log, async (signal) => {
      await lookUpImages(signal);
    }),
    repeat(HOUR, 'retention', log, async () => {
      const deleted = await runRetention(app);
      if (Object.values(deleted).some((count) => count > 0)) log.info(deleted, 'deleted old rows');
    }),
  ];
}

/** Closes archive pages whose month is over or that are full, and publishes the feeds that link to them. */
export function archiving(app: AppContext): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const { archives } = await archive(app, { signal });
    if (archives.closed > 0) app.log.info({ pages: archives.closed }, 'closed archive pages');
  };
}

/** Notifies subscribers and the hub of what is due, once; what times out stays due. */
export async function notifyHubOnce(app: AppContext): Promise<void> {
  const hub = await openHubOf(app);
  const timeout = setTimeout(() => void hub.stop(), HUB_TIMEOUT);
  try {
    await hub.drain();
  } finally {
    clearTimeout(timeout);
  }
}

async function openHubOf(app: AppContext): Promise<WorkerPool> {
  return openHub({ ...app, secrets: await app.keys.signingSecrets() });
}

/** Corrects stored instants at once, and whenever the clock of the machine is set back. */
export async function watchClock({ store, clock, log }: AppContext): Promise<Stoppable> {
  const watch = new ClockWatch(clock);
  const correct = async (message: string, tolerance?: number): Promise<void> => {
    const rows = await correctFutureInstants(store.db, clock(), tolerance);
    if (rows > 0) log.warn({ rows }, message);
  };
  await correct('the clock was set back while daywire did not run: corrected what would have waited for it');
  return repeat(SECOND, 'watching the clock', log, async () => {
    if (watch.setBackBy() > 0) await correct('the clock was set back: corrected what would have waited for it', 0);
  });
}

/** Mirrors to this machine's folder of feeds what any process has published. */
export function startMirroring(app: AppContext): Stoppable {
  const { store, log } = app;
  let mirrored: number | null = null;
  return repeat(SECOND, 'mirroring feeds', log, async (signal) => {
    const { version } = await readFeedVersion(store.db);
    if (version === mirrored) return;
    // Of a large archive some pages a second, so that the rest of the process runs.
    if (!(await mirrorFeeds(app, { signal, within: SECOND / 2 })).more) mirrored = version;
  });
}

/** Adds the counts of a counter to the store, also when it stops. @param what such as `readers` */
export function startCounting({ log }: AppContext, what: string, counter: { flush(): Promise<void> }): Stoppable {
  const task = repeat(COUNTS_EVERY, `counting ${what}`, log, () => counter.flush());
  return {
    async stop() {
      await task.stop();
      await counter.flush().catch((error: unknown) => {
        log.error({ error: String(error) }, `the last counts of ${what} are lost`);
      });
    },
  };
}

/** Processes the bounces that arrive in the mailbox, where there is one. */
export function startPollingBounces({ store, config, keys, clock, log }: AppContext): Stoppable[] {
  if (config.secrets.imapUrl === undefined) return [];
  const poll = async (signal: AbortSignal): Promise<void> => {
    const report = await pollMailbox(store, config, await keys.signingSecrets(), { clock, signal });
    if (report.messages > 0) log.info(report, 'processed bounces');
  };
  return [repeat(config.bounces.pollMinutes * MINUTE, 'polling for bounces', log, poll)];
}

/** Records how far each delivery is, for the desk. */
export function startRecordingProgress({ store, clock, log }: AppContext): Stoppable {
  return repeat(PROGRESS_EVERY, 'recording the progress of deliveries', log, async () => {
    await recordEditionProgress(store.db, await listDelivering(store.db), clock());
  });
}

/** Records that this process runs, for `status`, until it is stopped. @throws if the store fails at the start */
export async function startRecordingProcess({ store, clock, log }: AppContext, roles: readonly string[]) {
  const record = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    scope: PROCESS_IDS.scope,
    roles: [...roles],
    version: VERSION,
    startedAt: clock(),
  };
  await recordProcess(store.db, record, clock());
  const task = repeat(RECORD_EVERY, 'recording this process', log, () => recordProcess(store.db, record, clock()));
  return {
    async stop() {
      await task.stop();
      await deleteProcess(store.db, record.id).catch((error: unknown) => {
        log.warn({ error: errorLine(error) }, 'this process stays in the status for half a minute');
      });
    },
  };
}

/** Delivers what becomes due. */
export function startDelivering(app: AppContext): Stoppable {
  const { log } = app;
  const monitor = new DeliveryMonitor(app);
  let lastStop: string | null = null;
  return repeat(SECOND, 'delivering', log, async (signal) => {
    const { stopped, retryAt, paused: _, service, ...editions } = await deliverDue(app, { signal, monitor });
    for (const [counts, message] of [
      [editions, 'delivered'],
      [service, 'delivered service messages'],
    ] as const) {
      if (Object.values(counts).some((count) => count > 0)) log.info({ ...counts }, message);
    }
    if (signal.aborted) return;
    // Once for each failed probe, not every second.
    const stop = stopped === null ? null : `${stopped} ${retryAt}`;
    if (stop !== null && stop !== lastStop) {
      const retry = retryAt === undefined ? {} : { retryAt: rfc3339(retryAt) };
      log.error({ reason: stopped, ...retry }, 'delivery stopped');
    }
    lastStop = stop;
  });
}

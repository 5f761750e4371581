/** Tasks that a running process of the role `deliver` repeats. */
import type { AppContext } from '../core/app-context.ts';
import { afterCommits } from '../core/commit-watch.ts';
import { repeat, type Stoppable } from '../lib/repeat.ts';
import { MINUTE, rfc3339, SECOND } from '../lib/time.ts';
import { pollMailbox } from './bounces/mailbox.ts';
import { deliverDue } from './deliver-due.ts';
import type { DeliveryMonitor } from './monitor/monitor.ts';
import { recordEditionProgress } from './progress.ts';
import { listDelivering } from './queue/queries.ts';
import { startWatchingRates } from './rates/watch-rates.ts';

const PROGRESS_EVERY = 5 * SECOND;

/** Those beside delivering. They start before the first deliveries, which may take hours. */
export function startDeliveryTasks(app: AppContext): Stoppable[] {
  return [...startPollingBounces(app), startWatchingRates(app), startRecordingProgress(app)];
}

/** Processes the bounces that arrive in the mailbox, where there is one. */
function startPollingBounces({ store, config, keys, clock, log }: AppContext): Stoppable[] {
  if (config.secrets.imapUrl === undefined) return [];
  const poll = async (signal: AbortSignal): Promise<void> => {
    const report = await pollMailbox(store, config, await keys.signingSecrets(), { clock, signal });
    if (report.messages > 0) log.info(report, 'processed bounces');
  };
  return [repeat(config.bounces.pollMinutes * MINUTE, 'polling for bounces', log, poll)];
}

/** Records how far each delivery is, for the desk. */
function startRecordingProgress({ store, clock, log }: AppContext): Stoppable {
  return repeat(afterCommits(store, PROGRESS_EVERY, MINUTE), 'recording the progress of deliveries', log, async () => {
    await recordEditionProgress(store.db, await listDelivering(store.db), clock());
  });
}

/** Delivers what becomes due. */
export function startDelivering(app: AppContext, monitor: DeliveryMonitor): Stoppable {
  const { store, log } = app;
  let lastStop: string | null = null;
  return repeat(afterCommits(store, SECOND / 4, 5 * SECOND), 'delivering', log, async (signal) => {
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

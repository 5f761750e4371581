/** Tasks that a running process repeats, beside the jobs of its schedule. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MEDIA_COPIES } from '../articles/pictures/own-pictures.ts';
import { clearRejectionsOfSource } from '../articles/rejections.ts';
import { resolveAlerts } from '../core/alerts/alerts.ts';
import { probeFolder } from '../core/alerts/storage-watch.ts';
import type { AppContext } from '../core/app-context.ts';
import { PROCESS_IDS, RECORD_EVERY, recordProcess, recordStop } from '../core/schedule/processes.ts';
import { graceOf, syncRoleAlerts } from '../core/schedule/role-alerts.ts';
import { startTicker } from '../core/schedule/tick.ts';
import { truncateLog } from '../core/store/deleted-text.ts';
import { retryWhileAway } from '../core/store/outages.ts';
import { repeat, type Stoppable } from '../lib/repeat.ts';
import { errorLine } from '../lib/text/clean-text.ts';
import { HOUR, MINUTE, SECOND } from '../lib/time.ts';
import { VERSION } from '../lib/version.ts';
import { incompleteAlert, withdrawalAlert } from '../own-sites/sweep.ts';
import { syncSourceAlerts } from '../sources/polling/source-alerts.ts';
import { clearSourceFailures, listSourceRows } from '../sources/source-state.ts';
import { CAPABILITIES, jobsOf } from './capabilities.ts';

const COUNTS_EVERY = 10 * SECOND;
const ALERTS_EVERY = 5 * SECOND;

/**
 * Starts the schedule and the tasks of the role `schedule`.
 * @param tasks gets each as soon as it runs, so that the caller can stop those that run if a later one cannot start
 */
export async function startScheduling(app: AppContext, tasks: Stoppable[], signal: AbortSignal): Promise<void> {
  const { store, log } = app;
  tasks.push(await retryWhileAway(() => startTicker(store, jobsOf(app), app), { log, signal }));
  for (const { startTasks = () => [] } of CAPABILITIES) {
    tasks.push(...(await retryWhileAway(async () => startTasks(app), { log, signal })));
  }
  tasks.push(
    repeat(MINUTE, 'settling removed sources', log, () => settleRemovedSources(app)),
    repeat(HOUR, 'retention', log, async () => {
      const deleted = await runRetention(app);
      if (Object.values(deleted).some((count) => count > 0)) log.info(deleted, 'deleted old rows');
    }),
  );
}

/**
 * Resolves the alerts of removed sources, and that a paused one fails; deletes the rejections of removed ones. No poll
 * does: they are no longer polled.
 */
export async function settleRemovedSources(app: AppContext): Promise<void> {
  const { store, config, clock } = app;
  const rows = await listSourceRows(store.db);
  const removed = rows.filter(({ id }) => !config.sources.some((source) => source.id === id));
  const alerts = removed.flatMap(({ id }) => [withdrawalAlert(id), incompleteAlert(id)]);
  await resolveAlerts(store.db, alerts, clock());
  // The metrics would say for good that they fail.
  const ids = removed.map(({ id }) => id);
  await clearSourceFailures(store.db, ids);
  await syncSourceAlerts(app);
  for (const id of ids) await clearRejectionsOfSource(store.db, id);
}

/** Sends alerts, also those of other processes, and tries the folder of media. */
export function startAlerting({ alerts, config, log }: AppContext): Stoppable {
  const { media = '' } = config.paths;
  const copies = join(media, MEDIA_COPIES);
  // Only imports of pictures write to it.
  const probe = (): Promise<void> => (existsSync(copies) ? probeFolder(copies) : access(media));
  return repeat(ALERTS_EVERY, 'sending alerts', log, async () => {
    if (media !== '') await alerts.storage.attempt('media', `The folder of media ${media}`, probe);
    await alerts.send();
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

/** After a longer gap between two records, the other processes have as long to come back as this one. */
const OUTAGE = 3 * RECORD_EVERY;

/**
 * Records that this process runs, until it is stopped, and raises alerts about roles that no process has.
 * @throws if the store fails at the start
 */
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
  // Before it is recorded, so that an outage that nobody was there to notice is told. A quick restart is none.
  await syncRoleAlerts(store.db, clock(), (last) => {
    const isLong = last.stoppedAt === null && clock() - last.seenAt > MINUTE + RECORD_EVERY;
    return isLong && last.roles.some((role) => roles.includes(role));
  });
  await recordProcess(store.db, record, clock());
  let recordedAt = clock();
  let observedSince = recordedAt;
  const task = repeat(RECORD_EVERY, 'recording this process', log, async () => {
    await recordProcess(store.db, record, clock());
    const now = clock();
    if (now < recordedAt || now - recordedAt > OUTAGE) observedSince = now;
    recordedAt = now;
    await syncRoleAlerts(store.db, now, (last) => now - observedSince >= graceOf(last));
  });
  return {
    async stop() {
      await task.stop();
      await recordStop(store.db, record.id, clock()).catch((error: unknown) => {
        log.warn({ error: errorLine(error) }, 'the stop is not recorded: this process counts as killed');
      });
    },
  };
}

/**
 * Applies the configured retention times. Several processes may run it concurrently.
 * @returns numbers of deleted rows, by what they were
 * @throws if the store fails; deletions up to that point are kept
 */
export async function runRetention(app: AppContext): Promise<Record<string, number>> {
  const now = app.clock();
  const result: Record<string, number> = {};
  // The last capability first, because its rows refer to those of the others: the deliveries of a subscriber are
  // settled and counted before the subscriber is deleted.
  for (const capability of CAPABILITIES.toReversed()) {
    Object.assign(result, await capability.runRetention?.(app, now));
  }
  // Deleted rows, and rejections that imports deleted since, must not remain in the log.
  await truncateLog(app.store.db);
  return result;
}

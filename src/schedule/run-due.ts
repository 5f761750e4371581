/**
 * Runs what is due. Calling it again, or in another process, runs nothing twice.
 */
import type { Log } from '../lib/log.ts';
import { type Clock, localDateTime } from '../lib/time.ts';
import type { Store, Tx } from '../store/store.ts';
import { type AlertSender, raiseAlert } from './alerts.ts';
import { decide } from './decide.ts';
import type { Job } from './job.ts';
import { registerSchedules } from './register.ts';
import { type Run, readScheduleState, recordEndedSlots } from './run-ledger.ts';
import { alertKeys, alertMessage, runSlot } from './run-slot.ts';

export interface RunDeps {
  clock: Clock;
  alerts: AlertSender;
  log: Log;
}

/**
 * Registers the jobs, runs what is due, one job after another, and sends alerts. A job that throws is recorded as
 * failed, and the next one runs.
 * @returns the runs recorded by this call, skipped and failed ones included
 * @throws Error of the store
 */
export async function runDue(store: Store, jobs: Job[], deps: RunDeps): Promise<Run[]> {
  const since = await registerSchedules(store.db, jobs, deps.clock());
  const runs: Run[] = [];
  for (const job of jobs) runs.push(...(await runJobIfDue(store, job, since.get(job.id) as number, deps)));
  await deps.alerts.send();
  return runs;
}

/**
 * Records a job's missed slots and runs the due one. Raises alerts, and leaves sending them to the caller.
 * @param since slots up to then are not due
 */
export async function runJobIfDue(
  store: Store,
  job: Job,
  since: number,
  { clock, log }: Pick<RunDeps, 'clock' | 'log'>,
): Promise<Run[]> {
  const now = clock();
  const { ended, run } = decide(job, { since, ...(await readScheduleState(store.db, job.id)) }, now);
  const recorded: Run[] = [];
  if (ended.length > 0) {
    const runs = await store.db.transaction().execute(async (tx) => {
      const runs = await recordEndedSlots(tx, job.id, ended, now);
      await raiseAlerts(tx, job, runs, now);
      return runs;
    });
    const newest = runs.at(-1);
    if (newest !== undefined) {
      const slot = localDateTime(newest.slotAt, job.schedule.zone);
      log.warn(
        { schedule: job.id, rows: runs.length, newest: slot, reason: newest.reason },
        'slots ended without a run',
      );
    }
    recorded.push(...runs);
  }
  if (run !== null) {
    const finished = await runSlot(store, job, run, { clock, log });
    if (finished !== null) recorded.push(finished);
  }
  return recorded;
}

// One alert for all missed slots, about the newest of them.
async function raiseAlerts(tx: Tx, job: Job, runs: Run[], now: number): Promise<void> {
  const keys = alertKeys(job.id);
  for (const state of ['failed', 'skipped'] as const) {
    const ofState = runs.filter((run) => run.state === state);
    const newest = ofState.at(-1);
    if (newest === undefined) continue;
    const covers = ofState.reduce((sum, run) => sum + run.covers, 0);
    await raiseAlert(tx, { key: keys[state], message: alertMessage(job, { ...newest, covers }) }, now);
  }
}

/**
 * Runs what the ledger says is due. Calling it twice, or in two processes, runs nothing twice.
 */
import type { Log } from '../lib/log.ts';
import type { Clock } from '../lib/time.ts';
import type { Db, Store } from '../store/store.ts';
import { type AlertSender, raiseAlert } from './alerts.ts';
import { decide } from './decide.ts';
import type { Job } from './job.ts';
import { type Run, readLedger, registerSchedules, settleRuns } from './run-ledger.ts';
import { alertKeys, alertMessage, runSlot } from './run-slot.ts';
import { slotName } from './wording.ts';

export interface RunDeps {
  clock: Clock;
  alerts: AlertSender;
  log: Log;
}

/**
 * Registers the jobs and runs what is due, one job after the other in their order. A job that throws is recorded as failed, and
 * the next one runs.
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
 * Records a job's missed slots, and runs the one that is due. Alerts are raised, and sent by the caller.
 * @param since slots up to then are not due
 */
export async function runJobIfDue(
  store: Store,
  job: Job,
  since: number,
  deps: Pick<RunDeps, 'clock' | 'log'>,
): Promise<Run[]> {
  const { clock, log } = deps;
  const now = clock();
  const decision = decide(job, { since, ...(await readLedger(store.db, job.id)) }, now);
  const recorded: Run[] = [];
  if (decision.settle.length > 0) {
    const settled = await store.db.transaction().execute(async (tx) => {
      const runs = await settleRuns(tx, job.id, decision.settle, now);
      await raiseForSettled(tx, job, runs, now);
      return runs;
    });
    logSettled(log, job, settled);
    recorded.push(...settled);
  }
  if (decision.run !== null) {
    const run = await runSlot(store, job, decision.run, { clock, log });
    if (run !== null) recorded.push(run);
  }
  return recorded;
}

function logSettled(log: Log, job: Job, runs: Run[]): void {
  const newest = runs.at(-1);
  if (newest === undefined) return;
  const slot = slotName(newest.slotAt, job.schedule.zone);
  log.warn({ schedule: job.id, rows: runs.length, newest: slot, reason: newest.reason }, 'slots ended without a run');
}

// One alert for a month's worth of missed slots, about the newest of them.
async function raiseForSettled(db: Db, job: Job, runs: Run[], now: number): Promise<void> {
  const keys = alertKeys(job.id);
  for (const state of ['failed', 'skipped'] as const) {
    const of = runs.filter((run) => run.state === state);
    const newest = of.at(-1);
    if (newest === undefined) continue;
    const covers = of.reduce((sum, run) => sum + run.covers, 0);
    await raiseAlert(db, { key: keys[state], message: alertMessage(job, { ...newest, covers }) }, now);
  }
}

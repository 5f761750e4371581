/**
 * The ticker: node-cron ticks every second. A tick reads the ledger only when a slot has come, or some time after the
 * last check. A dropped tick is harmless, because the next one finds what is due.
 */
import cron from 'node-cron';
import { errorLine } from '../../lib/text/clean-text.ts';
import { SECOND } from '../../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { Job } from './job.ts';
import { deleteOtherSchedules, registerSchedules } from './register.ts';
import { runJobIfDue } from './run-due.ts';
import type { RunDeps } from './run-slot.ts';
import { nextSlot } from './slots.ts';

/** Longest delay until a retry, or a run of a dead process, is noticed. */
const CHECK_EVERY = 15 * SECOND;

/**
 * Registers the jobs and ticks until it is stopped. Jobs run independently: one that hangs does not delay the others.
 * @param jobs all jobs of the configuration; other schedules are deleted
 * @returns `stop` resolves when the running jobs have ended
 * @throws Error of the store, while it starts
 */
export async function startTicker(store: Store, jobs: Job[], deps: RunDeps): Promise<{ stop(): Promise<void> }> {
  await deleteOtherSchedules(store.db, jobs, deps.clock());
  const stopping = new AbortController();
  const ticker = await openTicker(store, jobs, { ...deps, signal: stopping.signal });
  const silent = { info() {}, warn() {}, error() {}, debug() {} };
  const task = cron.schedule('* * * * * *', () => ticker.tick(), { logger: silent, suppressMissedWarning: true });
  return {
    async stop() {
      await task.destroy();
      stopping.abort();
      await ticker.idle();
    },
  };
}

export interface Ticker {
  /** Starts the jobs that may be due. Does not wait for them. */
  tick(): void;
  /** Resolves when no job runs. */
  idle(): Promise<void>;
}

/** The ticker without the clock that ticks. */
export async function openTicker(store: Store, jobs: Job[], deps: RunDeps): Promise<Ticker> {
  const { clock, log } = deps;
  for (const { id, schedule } of jobs) {
    if (schedule.cron === null || nextSlot(schedule.cron, schedule.zone, clock()) !== null) continue;
    log.warn({ schedule: id, cron: schedule.cron }, 'this schedule has no slot within the next eight years');
  }
  const since = await registerSchedules(store.db, jobs, clock());
  const running = new Map<string, Promise<void>>();
  /** Nothing is checked between these instants. */
  const quiet = new Map<string, { from: number; until: number }>();

  /** Why the last check of a job failed. */
  const failures = new Map<string, string>();

  const check = async (job: Job): Promise<void> => {
    let recorded = 0;
    try {
      const delayedBy = failures.get(job.id);
      recorded = (await runJobIfDue(store, job, since.get(job.id) as number, { ...deps, delayedBy })).length;
      failures.delete(job.id);
    } catch (error) {
      failures.set(job.id, errorLine(error));
      log.error({ schedule: job.id, error: errorLine(error) }, 'running a schedule failed');
    }
    const { cron, zone } = job.schedule;
    const from = clock();
    // After a long run the next slot may have come already.
    const next = recorded > 0 ? from : (nextSlot(cron, zone, from) ?? Number.POSITIVE_INFINITY);
    quiet.set(job.id, { from, until: Math.min(next, from + CHECK_EVERY) });
  };

  return {
    tick() {
      const now = clock();
      for (const job of jobs) {
        const { from, until } = quiet.get(job.id) ?? { from: now, until: now };
        // Before `from`, the clock has been set back.
        if (running.has(job.id) || (now >= from && now < until)) continue;
        const checked = check(job).finally(() => running.delete(job.id));
        running.set(job.id, checked);
      }
    },
    async idle() {
      await Promise.all(running.values());
    },
  };
}

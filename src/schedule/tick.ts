/**
 * The clock: node-cron ticks every second, and a tick asks the ledger only when a slot has come or the last look is a while ago. A
 * dropped tick is harmless, for the next one finds what is due.
 */
import cron from 'node-cron';
import { SECOND } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { Job } from './job.ts';
import { type RunDeps, runJobIfDue } from './run-due.ts';
import { forgetOtherSchedules, registerSchedules } from './run-ledger.ts';
import { nextSlot } from './slots.ts';
import { reasonOf } from './wording.ts';

/** How long a retry, or a run that another process left behind, may wait for a look. */
const LOOK_EVERY = 15 * SECOND;

export interface Ticking {
  /** Ticks no more, and resolves when the jobs that are running have ended. */
  stop(): Promise<void>;
}

/**
 * Registers the jobs and ticks until it is stopped. Each job runs by itself: one that hangs holds up no other.
 * @param jobs all jobs of the configuration; schedules that are not among them are forgotten
 * @throws Error of the store, at the start alone
 */
export async function startTicking(store: Store, jobs: Job[], deps: RunDeps): Promise<Ticking> {
  await forgetOtherSchedules(store.db, jobs);
  const ticker = await openTicker(store, jobs, deps);
  const silent = { info() {}, warn() {}, error() {}, debug() {} };
  const task = cron.schedule('* * * * * *', () => ticker.tick(), { logger: silent, suppressMissedWarning: true });
  return {
    async stop() {
      await task.destroy();
      await ticker.idle();
    },
  };
}

export interface Ticker {
  /** Starts the jobs that may be due; returns at once. */
  tick(): void;
  /** Resolves when nothing runs and the alerts so far have been sent, or could not be. */
  idle(): Promise<void>;
}

/** What happens at a tick, without the clock that ticks. */
export async function openTicker(store: Store, jobs: Job[], deps: RunDeps): Promise<Ticker> {
  const { clock, alerts, log } = deps;
  for (const { id, schedule } of jobs) {
    if (nextSlot(schedule.cron, schedule.zone, clock()) !== null) continue;
    log.warn({ schedule: id, cron: schedule.cron }, 'this schedule has no slot within the next eight years');
  }
  const since = await registerSchedules(store.db, jobs, clock());
  const running = new Map<string, Promise<void>>();
  /** The job is left alone from its last look until then. */
  const rest = new Map<string, { from: number; until: number }>();

  const look = async (job: Job): Promise<void> => {
    let recorded = 0;
    try {
      recorded = (await runJobIfDue(store, job, since.get(job.id) as number, deps)).length;
    } catch (error) {
      log.error({ schedule: job.id, error: reasonOf(error) }, 'the schedule could not be read or recorded');
    }
    const from = clock();
    // After a long run the next slot may have come already.
    const until =
      recorded > 0
        ? from
        : Math.min(nextSlot(job.schedule.cron, job.schedule.zone, from) ?? Infinity, from + LOOK_EVERY);
    rest.set(job.id, { from, until });
    // Not waited for: a slow webhook must not hold up the job. It never throws.
    void alerts.send();
  };

  return {
    tick() {
      const now = clock();
      for (const job of jobs) {
        const resting = rest.get(job.id);
        // A clock that was set back makes the rest worthless.
        if (running.has(job.id) || (resting !== undefined && now >= resting.from && now < resting.until)) continue;
        running.set(
          job.id,
          look(job).finally(() => running.delete(job.id)),
        );
      }
    },
    async idle() {
      await Promise.allSettled(running.values());
      await alerts.send();
    },
  };
}

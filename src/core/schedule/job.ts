/** What the schedule runs. It gets its jobs as functions and knows nothing of feeds or editions. */
import { type Publication, type ScheduleConfig, scheduleZone } from '../config/config.ts';

/**
 * Whether the job did its work, or why it had none to do. A job that fails throws. `unchanged`: there was nothing to
 * change, so that nobody waited for a late run. `waiting`: it has turned out not to be ready.
 */
export type JobOutcome =
  | { kind: 'done'; note?: string; unchanged?: boolean }
  | { kind: 'skipped'; reason: string }
  | { kind: 'waiting'; reason: string };

/**
 * Whether a slot that has come can run. `reason`: what it waits for, in one line, such as `held by Ada`; its run ends
 * as skipped with this reason if it waits until its grace period is over, or until the next slot.
 */
export type Readiness = { kind: 'ready' } | { kind: 'waiting'; reason: string };

/** Instants are epoch milliseconds. */
export interface ListedSlot {
  slotAt: number;
  /** From then on it ends, as skipped, unless it runs. Infinity: never. */
  waitsUntil: number;
}

/**
 * A job and its schedule. `run` must be idempotent for a slot: it is called again after a crash, a failure or an
 * expired lease.
 */
export interface Job {
  /** Unique. Names the schedule in the run ledger, in alerts and in metrics. */
  id: string;
  schedule: {
    /** Null for a job whose slots are no times of a clock: `listSlots` lists them. */
    cron: string | null;
    zone: string;
    graceMinutes: number;
  };
  /** Whether one run covers all missed slots. Otherwise each of them is recorded as skipped. */
  coalesce: boolean;
  /**
   * The slots that have come and not ended, ascending. They are independent: none supersedes an earlier one. Only for a
   * job without cron expression.
   */
  listSlots?(): Promise<ListedSlot[]>;
  /**
   * Asked with each check, before a run is claimed; default: always ready. A slot that waits has no lease and spends
   * no attempt. If it throws, the run is recorded as failed.
   */
  readiness?(slotAt: number, now: number): Promise<Readiness>;
  /**
   * @param slotAt the slot, epoch milliseconds
   * @param now the start of this attempt
   */
  run(slotAt: number, now: number): Promise<JobOutcome>;
}

/** The schedule of a job as the configuration gives it. */
export function jobSchedule(schedule: ScheduleConfig, publication: Publication): Job['schedule'] {
  const { cron, graceMinutes } = schedule;
  return { cron, graceMinutes, zone: scheduleZone(schedule, publication) };
}

/**
 * What the schedule runs. It gets its jobs as functions and knows nothing of feeds or editions.
 */

/**
 * Whether the job did its work, or why it had none to do. A job that fails throws. `unchanged`: there was nothing to
 * change, so that nobody waited for a late run.
 */
export type JobOutcome = { kind: 'done'; note?: string; unchanged?: boolean } | { kind: 'skipped'; reason: string };

/**
 * A job and its schedule. `run` must be idempotent for a slot: it is called again after a crash, a failure or an
 * expired lease.
 */
export interface Job {
  /** Unique. Names the schedule in the run ledger, in alerts and in metrics. */
  id: string;
  schedule: { cron: string; zone: string; graceMinutes: number };
  /** Whether one run covers all missed slots. Otherwise each of them is recorded as skipped. */
  coalesce: boolean;
  /**
   * @param slotAt the slot, epoch milliseconds
   * @param now the start of this attempt
   */
  run(slotAt: number, now: number): Promise<JobOutcome>;
}

/**
 * What the schedule runs. It is handed its jobs as functions and knows nothing of feeds or editions.
 */

/** Says that the job did its work, or why it had none to do. To fail, a job throws. */
export type JobOutcome = { kind: 'done'; note?: string } | { kind: 'skipped'; reason: string };

/**
 * A job and its schedule. `run` must be harmless to call twice for one slot: after a crash, a failure or a lapsed lease it is
 * called again.
 */
export interface Job {
  /** Unique among all jobs; it names the schedule in the ledger, in alerts and in metrics. */
  id: string;
  schedule: { cron: string; zone: string; graceMinutes: number };
  /** Missed slots come together in one run; without it each missed slot is recorded by itself. */
  coalesce: boolean;
  /**
   * @param slotAt the slot that is run, epoch milliseconds
   * @param now when this attempt began
   */
  run(slotAt: number, now: number): Promise<JobOutcome>;
}

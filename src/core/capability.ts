/**
 * What a capability gives to the process, beside its pages and commands. Each exports one such object from its
 * `capability.ts`, and app/capabilities.ts lists them.
 */
import type { Stoppable } from '../lib/repeat.ts';
import type { AppContext } from './app-context.ts';
import type { Metrics } from './metrics.ts';
import type { Job } from './schedule/job.ts';

export interface Capability {
  /** The jobs of the schedule. */
  jobs?(app: AppContext): Job[];
  /** Starts what a process of the role `schedule` repeats beside its jobs. */
  startTasks?(app: AppContext): Stoppable[] | Promise<Stoppable[]>;
  /**
   * Deletes old rows, or folds them into totals.
   * @returns the numbers of deleted rows, by their key in the report
   */
  runRetention?(app: RetentionContext, now: number): Promise<Record<string, number>>;
  addMetrics?(metrics: Metrics): Promise<void>;
}

export type RetentionContext = Pick<AppContext, 'store' | 'config' | 'clock'> & {
  keys: Pick<AppContext['keys'], 'signingSecrets'>;
};

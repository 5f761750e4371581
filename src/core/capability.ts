/**
 * What a capability gives to the process, beside its pages and commands. Each exports one such object from its
 * `capability.ts`, and app/capabilities.ts lists them.
 */
import type { Stoppable } from '../lib/repeat.ts';
import type { AlertKind } from './alerts/alert-kind.ts';
import type { AppContext } from './app-context.ts';
import type { Config } from './config/config.ts';
import type { Finding } from './finding.ts';
import type { Metrics } from './metrics.ts';
import type { Job } from './schedule/job.ts';
import type { Store } from './store/store.ts';
import type { Tables } from './store/tables.ts';

export interface Capability {
  /** The jobs of the schedule. */
  jobs?(app: AppContext): Job[];
  /** Starts what a process of the role `schedule` repeats beside its jobs. */
  startTasks?(app: AppContext): Stoppable[] | Promise<Stoppable[]>;
  /**
   * Deletes old rows, or folds them into totals.
   * @returns the numbers of deleted rows, by their key in the report
   */
  runRetention?(app: AppContext, now: number): Promise<Record<string, number>>;
  addMetrics?(metrics: Metrics): Promise<void>;
  /** Its pre-flight checks. */
  checks?: Checks;
  /** How the desk shows its alerts. */
  alertKinds?: Record<string, AlertKind>;
  /** Its tables with data about subscribers. */
  personalData?: PersonalTables;
}

/** A start does those of the configuration and of the content, too. */
interface Checks {
  /** Offline checks of the configuration. */
  config?(config: Config): Finding[];
  /** Checks of what the store holds. */
  content?(store: Store, config: Config, now: number): Promise<Finding[]>;
  /** Checks for `daywire check` alone: they ask other servers, compare with what these document, or take long. */
  connections?(config: Config, now: number): Promise<Finding[]>;
}

/** docs/law.md says of each table what is stored, why, and for how long. A test compares it with these. */
export type PersonalTables = Partial<Record<keyof Tables, PersonalTable>>;

interface PersonalTable {
  /** The key of the export that has its rows. */
  exportedAs: string | null;
  /** What an erasure does with the rows of the person. `anonymised`: they remain as numbers that lead to nobody. */
  erasure: 'deleted' | 'anonymised' | 'remains';
}

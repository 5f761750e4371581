/**
 * What a capability gives to the process, beside its pages and commands. Each exports one such object from its
 * `capability.ts`, and app/capabilities.ts lists them.
 */
import type { Stoppable } from '../lib/repeat.ts';
import type { AppContext } from './app-context.ts';
import type { Metrics } from './metrics.ts';
import type { Job } from './schedule/job.ts';
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
  runRetention?(app: RetentionContext, now: number): Promise<Record<string, number>>;
  addMetrics?(metrics: Metrics): Promise<void>;
  /** Its tables with data about subscribers. */
  personalData?: PersonalTables;
}

export type RetentionContext = Pick<AppContext, 'store' | 'config' | 'clock'> & {
  keys: Pick<AppContext['keys'], 'signingSecrets'>;
};

/** What docs/law.md says of a table. */
export interface PersonalData {
  /** What is stored of a person. */
  what: string;
  why: string;
  /** How long without an erasure; names the key of the configuration that decides. */
  kept: string;
  /** The key of the export that has it, or null with the reason in `notExported`. */
  exportedAs: string | null;
  notExported?: string;
  /**
   * What an erasure does with the rows of the person. `anonymised`: they remain as numbers, without text and without a
   * person who could be found by them.
   */
  erasure: 'deleted' | 'anonymised' | 'remains';
  /** Why rows remain. */
  remains?: string;
}

export type PersonalTables = Partial<Record<keyof Tables, PersonalData>>;

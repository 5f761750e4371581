/** What a capability adds metrics with. */
import { type Counter, type Gauge, Histogram, Registry } from 'prom-client';
import { SECOND } from '../lib/time.ts';
import type { Db } from './store/store.ts';

/**
 * Names get the prefix `daywire_`. Label values are ids of the configuration, states and the names of known readers,
 * but nothing that a stranger chose and nothing about one subscriber.
 */
export interface Metrics {
  db: Db;
  /** Epoch milliseconds. */
  now: number;
  gauge<T extends string>(name: string, help: string, labelNames?: readonly T[]): Gauge<T>;
  /** Its name ends in `_total`. It never decreases: neither a restart nor retention resets it. */
  counter<T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T>;
}

/** What this process has measured. A restart resets it. */
export const PROCESS_METRICS = new Registry();

export const httpSeconds = new Histogram({
  name: 'daywire_http_request_duration_seconds',
  help: 'From a request to its response, by the first part of the path; "pages" for other paths.',
  labelNames: ['route', 'status'],
  buckets: [0.005, 0.025, 0.1, 0.25, 1, 5],
  registers: [PROCESS_METRICS],
});

export const smtpSeconds = new Histogram({
  name: 'daywire_smtp_submission_duration_seconds',
  help: 'From MAIL FROM to the last reply of the mail server.',
  labelNames: ['outcome'],
  buckets: [0.025, 0.1, 0.5, 2, 10, 60, 300],
  registers: [PROCESS_METRICS],
});

export function secondsSince(instant: number | null, now: number): number {
  return instant === null ? 0 : Math.max(0, now - instant) / SECOND;
}

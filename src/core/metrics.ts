/** What a capability adds metrics with. */
import type { Counter, Gauge } from 'prom-client';
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

export function secondsSince(instant: number | null, now: number): number {
  return instant === null ? 0 : Math.max(0, now - instant) / SECOND;
}

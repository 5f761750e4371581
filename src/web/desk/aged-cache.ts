/**
 * Results that take long to compute, such as the failures of a million deliveries. A page shows the last one with its
 * age while the next is computed. It waits only for the first one, and only a moment: then it says that it is computed.
 */
import { LRUCache } from 'lru-cache';
import { oncePer } from '../../lib/once-per.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import type { DeskContext } from './desk-request.ts';

export interface AgedResult<Value> {
  value: Value;
  /** When its computation began, epoch milliseconds. */
  at: number;
}

/** A result is computed again after this time at the earliest. */
const LIFETIME = 5 * SECOND;
/** And after so many times what it took: at most a twentieth of the time is spent on it. */
const COST = 20;
/** How long a page waits for the first result, in milliseconds. */
const PATIENCE = 30;
const MAX_RESULTS = 100;

export class AgedCache<Key extends string | number, Value> {
  readonly #results: LRUCache<Key, AgedResult<Value>>;
  readonly #patience: number;

  constructor(clock: Clock, compute: (key: Key) => Promise<Value>, patience = PATIENCE) {
    this.#patience = patience;
    this.#results = new LRUCache<Key, AgedResult<Value>>({
      max: MAX_RESULTS,
      perf: { now: clock },
      allowStale: true,
      noDeleteOnFetchRejection: true,
      // A result that was forgotten meanwhile goes to those who wait for it, and is not kept.
      ignoreFetchAbort: true,
      async fetchMethod(key, _known, { options }) {
        const at = clock();
        const begin = performance.now();
        const value = await compute(key);
        options.ttl = Math.max(LIFETIME, COST * (performance.now() - begin));
        return { value, at };
      },
    });
  }

  /** The last result; null if there is none yet. @throws what the first computation throws while somebody waits */
  async read(key: Key): Promise<AgedResult<Value> | null> {
    const result = this.#results.fetch(key);
    // Perhaps nobody waits for it any longer.
    result.catch(() => {});
    const timeout = Promise.withResolvers<null>();
    const timer = setTimeout(() => timeout.resolve(null), this.#patience);
    try {
      return (await Promise.race([result, timeout.promise])) ?? null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Forgets a result that an act has changed. */
  forget(key: Key): void {
    this.#results.delete(key);
  }
}

/** One cache for each desk. */
export function agedCachePerDesk<Key extends string | number, Value>(
  read: (desk: DeskContext, key: Key) => Promise<Value>,
): (desk: DeskContext) => AgedCache<Key, Value> {
  return oncePer((desk) => new AgedCache<Key, Value>(desk.app.clock, (key) => read(desk, key)));
}

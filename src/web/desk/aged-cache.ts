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
  readonly #clock: Clock;
  readonly #compute: (key: Key) => Promise<Value>;
  readonly #patience: number;
  readonly #results = new LRUCache<Key, AgedResult<Value> & { lifetime: number }>({ max: MAX_RESULTS });
  readonly #inProgress = new Map<Key, Promise<AgedResult<Value>>>();

  constructor(clock: Clock, compute: (key: Key) => Promise<Value>, patience = PATIENCE) {
    this.#clock = clock;
    this.#compute = compute;
    this.#patience = patience;
  }

  /** The last result; null if there is none yet. @throws what the first computation throws while somebody waits */
  async read(key: Key): Promise<AgedResult<Value> | null> {
    const known = this.#results.get(key);
    const age = known === undefined ? 0 : this.#clock() - known.at;
    // Also where the clock has been set back.
    const isDue = known === undefined || age < 0 || age >= known.lifetime;
    if (!isDue) return known;
    const computing = this.#inProgress.get(key) ?? this.#begin(key);
    // Perhaps nobody waits for it any longer.
    computing.catch(() => {});
    if (known !== undefined) return known;
    const timeout = Promise.withResolvers<null>();
    const timer = setTimeout(() => timeout.resolve(null), this.#patience);
    try {
      return await Promise.race([computing, timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Forgets a result that an act has changed. */
  forget(key: Key): void {
    this.#results.delete(key);
    this.#inProgress.delete(key);
  }

  #begin(key: Key): Promise<AgedResult<Value>> {
    const at = this.#clock();
    const begin = performance.now();
    const computing = this.#compute(key)
      .then((value) => {
        const result = { value, at };
        // Unless it was forgotten meanwhile.
        const lifetime = Math.max(LIFETIME, COST * (performance.now() - begin));
        if (this.#inProgress.get(key) === computing) this.#results.set(key, { ...result, lifetime });
        return result;
      })
      .finally(() => {
        if (this.#inProgress.get(key) === computing) this.#inProgress.delete(key);
      });
    this.#inProgress.set(key, computing);
    return computing;
  }
}

/** One cache for each desk. */
export function agedCachePerDesk<Key extends string | number, Value>(
  read: (desk: DeskContext, key: Key) => Promise<Value>,
): (desk: DeskContext) => AgedCache<Key, Value> {
  return oncePer((desk) => new AgedCache<Key, Value>(desk.app.clock, (key) => read(desk, key)));
}

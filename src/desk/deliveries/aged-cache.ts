/**
 * Results that take long to compute, such as the failures of a million deliveries. A page waits only a moment for one:
 * otherwise it shows the last one with its age, or says that it is being computed.
 */
import { LRUCache } from 'lru-cache';
import { type Clock, SECOND } from '../../lib/time.ts';

export interface AgedResult<Value> {
  value: Value;
  /** When its computation began, epoch milliseconds. */
  at: number;
}

/** A result is computed again after this time. */
const LIFETIME = 5 * SECOND;
/** How long a page waits, in milliseconds. */
const PATIENCE = 50;
const MAX_RESULTS = 100;

export class AgedCache<Key extends string | number, Value> {
  readonly #clock: Clock;
  readonly #compute: (key: Key) => Promise<Value>;
  readonly #patience: number;
  readonly #results = new LRUCache<Key, AgedResult<Value>>({ max: MAX_RESULTS });
  readonly #inProgress = new Map<Key, Promise<AgedResult<Value>>>();

  constructor(clock: Clock, compute: (key: Key) => Promise<Value>, patience = PATIENCE) {
    this.#clock = clock;
    this.#compute = compute;
    this.#patience = patience;
  }

  /** The newest result; null if there is none yet. @throws what the computation throws while somebody waits for it */
  async read(key: Key): Promise<AgedResult<Value> | null> {
    const known = this.#results.get(key);
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#clock() - known.at;
    // Also where the clock has been set back.
    if (known !== undefined && age >= 0 && age < LIFETIME) return known;
    const computing = this.#inProgress.get(key) ?? this.#begin(key);
    // Nobody may wait for it any more.
    computing.catch(() => {});
    const timeout = Promise.withResolvers<null>();
    const timer = setTimeout(() => timeout.resolve(null), this.#patience);
    try {
      return (await Promise.race([computing, timeout.promise])) ?? known ?? null;
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
    const computing = this.#compute(key)
      .then((value) => {
        const result = { value, at };
        // Unless it was forgotten meanwhile.
        if (this.#inProgress.get(key) === computing) this.#results.set(key, result);
        return result;
      })
      .finally(() => {
        if (this.#inProgress.get(key) === computing) this.#inProgress.delete(key);
      });
    this.#inProgress.set(key, computing);
    return computing;
  }
}

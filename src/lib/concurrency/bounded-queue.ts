/** Limits of work that runs at once: a queue with bounds, a number, and one at a time. */

export interface QueueLimits {
  /** How much runs at once. */
  running: number;
  /** How much runs or waits. */
  admitted: number;
  /** The total size of what runs or waits, such as bytes. */
  size: number;
}

/**
 * Work that waits for its turn, up to a number and a size. What does not fit is refused at once, so that a flood
 * neither fills the memory nor delays the rest.
 */
export class BoundedQueue {
  readonly #limits: QueueLimits;
  readonly #running: ConcurrencyLimit;
  #admitted = 0;
  #size = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#running = new ConcurrencyLimit(limits.running);
  }

  /** Runs the work when its turn comes. @returns null if it is refused */
  run<T>(size: number, work: () => Promise<T>): Promise<T> | null {
    if (this.#admitted >= this.#limits.admitted || this.#size + size > this.#limits.size) return null;
    this.#admitted += 1;
    this.#size += size;
    return this.#running.run(work).finally(() => {
      this.#admitted -= 1;
      this.#size -= size;
    });
  }
}

/**
 * Limits how much of one kind of work runs at once. Work that blocks the event loop for milliseconds starts in a turn
 * of its own, so that other requests are served in between.
 */
export class ConcurrencyLimit {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Runs the work when its turn comes, in the order of the calls. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      await new Promise(setImmediate);
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** A mutual exclusion lock. Waiting callers get it in order. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Waits for the lock. @returns the function that releases it, which may be called twice */
  async acquire(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}

/**
 * Work that waits for its turn, up to a number and a size. What does not fit is refused at once, so that a flood
 * neither fills the memory nor delays the rest.
 */
import { ConcurrencyLimit } from './concurrency-limit.ts';

export interface QueueLimits {
  /** How much runs at once. */
  running: number;
  /** How much runs or waits. */
  admitted: number;
  /** The total size of what runs or waits, such as bytes. */
  size: number;
}

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

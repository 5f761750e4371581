/** Time that passes only while everything waits for it: 24 hours of waiting take as long as the work in them. */
import { ConcurrencyLimit } from '../../src/lib/concurrency/bounded-queue.ts';
import type { Clock } from '../../src/lib/time.ts';

export class VirtualTime {
  now: number;
  readonly clock: Clock = () => this.now;
  /** Pieces of work under way. Each waits for one thing at a time: for time itself, or for a server that does. */
  #working = 0;
  readonly #waiting: { at: number; resume(): void }[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** Waits within a piece of work, or within a server that answers one. @throws the reason of `signal` */
  readonly wait = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ at: this.now + milliseconds, resume: resolve });
    this.#pass();
    await promise;
    signal?.throwIfAborted();
  };

  /** Runs a piece of work. Time passes when all of them wait. */
  async work<T>(run: () => T | Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await run();
    } finally {
      this.#working--;
      this.#pass();
    }
  }

  /** A limit whose work is in this time. */
  limit(max: number): ConcurrencyLimit {
    const time = this;
    return new (class extends ConcurrencyLimit {
      override run<T>(work: () => T | Promise<T>): Promise<T> {
        return super.run(() => time.work(work));
      }
    })(max);
  }

  /** Resumes what waits for the earliest instant, once nothing else runs. */
  #pass(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#working) return;
    this.#waiting.sort((one, other) => one.at - other.at);
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.now = Math.max(this.now, next.at);
    next.resume();
  }
}

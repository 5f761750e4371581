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

/** A time limit that does not run while something else is waited for. */
export class TimeLimit {
  readonly #controller = new AbortController();
  #left: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Starts at once. @param limitMs milliseconds */
  constructor(limitMs: number) {
    this.#left = limitMs;
    this.#run();
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits, and does not count that time. */
  async pauseWhile<T>(wait: () => Promise<T>): Promise<T> {
    this.#pause();
    try {
      return await wait();
    } finally {
      this.#run();
    }
  }

  [Symbol.dispose](): void {
    this.#pause();
  }

  #run(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => this.#controller.abort(new Error('the time is over')), this.#left);
    this.#timer.unref();
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#left = Math.max(0, this.#left - (performance.now() - this.#startedAt));
  }
}

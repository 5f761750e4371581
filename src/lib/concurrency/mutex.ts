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

/**
 * One at a time, in the order they asked.
 */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Waits for its turn. @returns what ends it, which may be called twice */
  async acquire(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}

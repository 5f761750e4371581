/**
 * A number in the store that only grows, looked up many times a second by another connection.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 50;

interface Sample {
  /** Before it was looked up, milliseconds of `performance.now()`. */
  at: number;
  value: number;
}

export class StoreSamples {
  readonly #samples: Sample[] = [];
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;

  /** @param onSample is called after each */
  constructor(look: () => Promise<number>, onSample: (at: number) => void) {
    this.#ended = this.#run(look, onSample);
    // Until somebody waits for it.
    this.#ended.catch(() => {});
  }

  get last(): number {
    return this.#samples.at(-1)?.value ?? 0;
  }

  /** Resolves when the value is reached. @throws what a look-up throws */
  async until(value: number): Promise<void> {
    while (this.last < value) await Promise.race([sleep(EVERY_MS), this.#ended]);
  }

  /** The growth a second between two instants. */
  perSecond(from: number, to: number): number {
    const within = this.#samples.filter(({ at }) => at >= from && at <= to);
    const [first, last] = [within[0], within.at(-1)];
    if (first === undefined || last === undefined || first === last) throw new Error('nothing was measured');
    return ((last.value - first.value) / (last.at - first.at)) * 1_000;
  }

  /** An instant at which the store had less than `value`, at most 50 ms and a look-up before it had it. */
  before(value: number): number {
    let [low, high] = [0, this.#samples.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#samples[middle] as Sample).value < value) low = middle + 1;
      else high = middle;
    }
    return this.#samples[Math.max(0, low - 1)]?.at ?? performance.now();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(look: () => Promise<number>, onSample: (at: number) => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const at = performance.now();
      this.#samples.push({ at, value: await look() });
      onSample(performance.now());
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

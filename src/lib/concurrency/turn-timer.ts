/** Lets the rest of the process run during work that takes many steps, such as a publish of large articles. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work in one turn of the event loop. A page is served over several turns, and waits for each. */
const LONGEST_TURN = 8;
/** Milliseconds that work in the background waits for what is urgent: it goes on however much of that there is. */
const LONGEST_WAIT = 40;

/** Number of urgent works in progress, and who waits until there are none. */
let urgent = 0;
const waiting = new Set<() => void>();

/** Runs work that somebody waits for, such as rendering a page: work in the background rests meanwhile. */
export async function runUrgently<T>(work: () => Promise<T>): Promise<T> {
  urgent++;
  try {
    return await work();
  } finally {
    urgent--;
    if (urgent === 0) for (const resume of waiting) resume();
  }
}

/** Waits for the next turn of the event loop where this one has been long. */
export class TurnTimer {
  readonly #inBackground: boolean;
  #began = performance.now();

  /** @param options.inBackground also waits for what is urgent, but each time for no longer than 40 ms */
  constructor({ inBackground = false } = {}) {
    this.#inBackground = inBackground;
  }

  /** Call it before each step. */
  async rest(): Promise<void> {
    if (performance.now() - this.#began < LONGEST_TURN) return;
    await setImmediate();
    if (this.#inBackground && urgent > 0) await noneIsUrgent();
    this.#began = performance.now();
  }
}

function noneIsUrgent(): Promise<void> {
  return new Promise((resolve) => {
    const resume = (): void => {
      clearTimeout(timeout);
      waiting.delete(resume);
      resolve();
    };
    const timeout = setTimeout(resume, LONGEST_WAIT);
    waiting.add(resume);
  });
}

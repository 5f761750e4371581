/** Lets the rest of the process run during work that takes many steps, such as a publish of large articles. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work in one turn of the event loop. A page is served over several turns, and waits for each. */
const LONGEST_TURN = 8;
/** How long work in the background waits for urgent work each time, in milliseconds: then it continues in any case. */
const LONGEST_WAIT = 40;

/** Urgent work in progress. */
let urgentCount = 0;
/** Each ends one wait of work in the background. */
const resumers = new Set<() => void>();

/** Does work that somebody waits for, such as serving a page: work in the background rests meanwhile. */
export async function runUrgently<T>(work: () => Promise<T>): Promise<T> {
  urgentCount++;
  try {
    return await work();
  } finally {
    urgentCount--;
    if (urgentCount === 0) for (const resume of resumers) resume();
  }
}

/** Waits for the next turn of the event loop where this one has been long. */
export class TurnTimer {
  readonly #inBackground: boolean;
  #began = performance.now();

  /** @param options.inBackground also waits for urgent work, each time for no longer than 40 ms */
  constructor({ inBackground = false } = {}) {
    this.#inBackground = inBackground;
  }

  /** Call it before each step. */
  async rest(): Promise<void> {
    if (performance.now() - this.#began < LONGEST_TURN) return;
    await setImmediate();
    if (this.#inBackground && urgentCount > 0) {
      await waitForUrgentWork();
      // The response of that work is still to be sent.
      await setImmediate();
    }
    this.#began = performance.now();
  }
}

function waitForUrgentWork(): Promise<void> {
  return new Promise((resolve) => {
    const resume = (): void => {
      clearTimeout(timeout);
      resumers.delete(resume);
      resolve();
    };
    const timeout = setTimeout(resume, LONGEST_WAIT);
    resumers.add(resume);
  });
}

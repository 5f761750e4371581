/** Lets the rest of the process run during work that takes many steps, such as a publish of large articles. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work in one turn of the event loop. A page is served over several turns, and waits for each. */
const LONGEST_TURN = 8;

/** Waits for the next turn of the event loop where this one has been long. */
export class TurnTimer {
  #began = performance.now();

  /** Call it before each step. */
  async rest(): Promise<void> {
    if (performance.now() - this.#began < LONGEST_TURN) return;
    await setImmediate();
    this.#began = performance.now();
  }
}

/**
 * Notices that the clock of the machine was set back. Waits and durations are measured by `performance.now()`, which no
 * one sets; but what is stored as an instant of the earlier clock may lie in a future that comes only after hours.
 */
import { type Clock, MINUTE, SECOND } from './time.ts';

/** Smaller corrections of the clock delay nothing that matters. */
const TOLERANCE = 5 * SECOND;

/** More than the clocks of machines that share a store differ, in milliseconds. */
export const CLOCK_DIFFERENCE = MINUTE;

export class ClockWatch {
  readonly #clock: Clock;
  readonly #elapsed: () => number;
  /** The instant at which `elapsed` was 0, by the clock. */
  #origin: number;

  /** @param elapsed milliseconds since any moment; it is never set */
  constructor(clock: Clock, elapsed: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#elapsed = elapsed;
    this.#origin = clock() - elapsed();
  }

  /** By how many milliseconds the clock has been set back since this was last found; 0 if by less than tolerated. */
  setBackBy(): number {
    const origin = this.#clock() - this.#elapsed();
    const by = this.#origin - origin;
    // A clock that is set forward, or slowly corrected, is followed.
    if (by < TOLERANCE && by > 0) return 0;
    this.#origin = origin;
    return Math.max(0, by);
  }
}

/** A period in which something is not done again. It is also over when the clock is set back to before it began. */
export class QuietPeriod {
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** Begins at `now`, instead of the one before. */
  begin(now: number, milliseconds: number): void {
    this.#from = now;
    this.#until = now + milliseconds;
  }

  lasts(now: number): boolean {
    return now >= this.#from && now < this.#until;
  }
}

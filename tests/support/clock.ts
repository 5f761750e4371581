import type { Clock } from '../../src/lib/time.ts';

/** A clock that a test sets. */
export interface TestClock {
  now: number;
  clock: Clock;
}

export function clockAt(now: number): TestClock {
  const at: TestClock = { now, clock: () => at.now };
  return at;
}

import type { Clock } from '../../src/lib/time.ts';

/** 20:00 on Tuesday, November 24, 2026 in Shanghai. */
export const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);

/** A clock that a test sets. */
export interface TestClock {
  now: number;
  clock: Clock;
}

export function clockAt(now: number): TestClock {
  const at: TestClock = { now, clock: () => at.now };
  return at;
}

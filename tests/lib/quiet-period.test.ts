import { expect, it } from 'vitest';
import { QuietPeriod } from '../../src/lib/quiet-period.ts';

it('lasts as long as given, but not when the clock is set back to before it began', () => {
  const period = new QuietPeriod();
  expect(period.lasts(1_000)).toBe(false);
  period.begin(1_000, 500);
  expect([999, 1_000, 1_499, 1_500].map((now) => period.lasts(now))).toEqual([false, true, true, false]);
  period.begin(200, 10);
  expect([205, 1_000].map((now) => period.lasts(now))).toEqual([true, false]);
});

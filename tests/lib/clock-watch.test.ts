import { expect, it } from 'vitest';
import { ClockWatch } from '../../src/lib/clock-watch.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);

it('notices once that the clock was set back, and by how much', () => {
  const at = { clock: NOW, elapsed: 5 };
  const watch = new ClockWatch(
    () => at.clock,
    () => at.elapsed,
  );
  const pass = (wall: number, elapsed: number): number => {
    at.clock += wall;
    at.elapsed += elapsed;
    return watch.setBackBy();
  };
  expect(pass(HOUR, HOUR)).toBe(0);
  expect(pass(SECOND - 10 * MINUTE, SECOND)).toBe(10 * MINUTE);
  expect(pass(SECOND, SECOND)).toBe(0);
  // Set forward, as after a machine has slept, then back to where it was.
  expect(pass(HOUR, 0)).toBe(0);
  expect(pass(-HOUR, 0)).toBe(HOUR);
  // Small corrections add up.
  expect(pass(-3 * SECOND, 0)).toBe(0);
  expect(pass(-3 * SECOND, 0)).toBe(6 * SECOND);
});

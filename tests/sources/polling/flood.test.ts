import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { floodLimit, nextUsual } from '../../../src/sources/polling/flood.ts';

const HABIT = { usualNew: null, itemGap: null, sinceRead: 0 };

describe('floodLimit', () => {
  it('is five times what is usual, and at least 20', () => {
    expect(floodLimit(HABIT)).toBe(20);
    expect(floodLimit({ ...HABIT, usualNew: 3 })).toBe(20);
    expect(floodLimit({ ...HABIT, usualNew: 60 })).toBe(300);
  });

  it('grows with the time that was not polled, up to a week', () => {
    const busy = { ...HABIT, usualNew: 1, itemGap: 15 * MINUTE };
    expect(floodLimit({ ...busy, sinceRead: HOUR })).toBe(20);
    expect(floodLimit({ ...busy, sinceRead: 12 * HOUR })).toBe(96);
    expect(floodLimit({ ...busy, sinceRead: 30 * DAY })).toBe(1_344);
  });

  it('holds 5,000 items of a feed whose dates are all alike', () => {
    expect(floodLimit({ usualNew: 5, itemGap: 0, sinceRead: HOUR })).toBeLessThan(5_000);
    expect(floodLimit({ usualNew: 5, itemGap: 0, sinceRead: 30 * DAY })).toBeLessThan(5_000);
  });
});

describe('nextUsual', () => {
  const usualAfter = (polls: number[]): number | null => polls.reduce<number | null>(nextUsual, null);

  it('follows what polls bring, whatever the number of polls without news', () => {
    expect(usualAfter([])).toBeNull();
    expect(usualAfter([0, 0])).toBeNull();
    expect(usualAfter([4])).toBe(4);
    // An outlet that publishes 60 items every morning, and is polled 24 times a day.
    const mornings = Array.from({ length: 240 }, (_, poll) => (poll % 24 === 0 ? 60 : 0));
    expect(usualAfter(mornings)).toBeCloseTo(60);
  });

  it('changes slowly with one unusual poll', () => {
    expect(usualAfter([2, 2, 2, 10])).toBeCloseTo(3.6);
    expect(usualAfter([2, ...Array.from({ length: 20 }, () => 10)])).toBeCloseTo(10, 0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byRecording, type Member, planPages } from '../../../src/feeds/archive/plan-pages.ts';
import { parsePlaces, writePlaces } from '../../../src/feeds/archive/save-pages.ts';
import { wallClock } from '../../../src/lib/time.ts';
import { runs } from '../../support/run-scope.ts';

const ZONE = 'Asia/Shanghai';
const START = Date.UTC(2026, 0, 1);
const members = fc
  .uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 6 }),
      recordedAt: fc.integer({ min: START, max: Date.UTC(2026, 3, 1) }),
      bytes: fc.oneof(fc.integer({ min: 100, max: 9_000 }), fc.integer({ min: 100_000, max: 3_000_000 })),
    }),
    { selector: ({ id }) => id, maxLength: 350, size: 'max' },
  )
  .map((all) => all.sort(byRecording));
const monthOf = (instant: number): string => wallClock(instant, ZONE).toPlainDate().toPlainYearMonth().toString();

describe('planPages', () => {
  it('takes each article once, in order, by months, and closes no page that may grow', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: START, max: Date.UTC(2026, 4, 1) }), (all, now) => {
        const pages = planPages(all, ZONE, now);
        const planned = pages.flatMap((page) => page.members);
        expect(planned).toEqual(all.slice(0, planned.length));
        for (const { month, members: some } of pages) {
          const bytes = some.reduce((sum, one) => sum + one.bytes, 0);
          expect(some.length).toBeGreaterThan(0);
          expect(some.length).toBeLessThanOrEqual(50);
          expect(bytes <= 1_000_000 || some.length === 1).toBe(true);
          expect(new Set(some.map((one) => monthOf(one.recordedAt)))).toEqual(new Set([month]));
        }
        const rest = all.slice(planned.length);
        // What is left is of one month, which is not over, and does not fill a page.
        expect(rest.length).toBeLessThan(50);
        expect(rest.reduce((sum, one) => sum + one.bytes, 0)).toBeLessThan(1_000_000);
        expect(new Set(rest.map((one) => monthOf(one.recordedAt))).size).toBeLessThanOrEqual(1);
        if (rest[0] !== undefined) expect(monthOf(rest[0].recordedAt) >= monthOf(now)).toBe(true);
      }),
      { numRuns: runs(60) },
    );
  });

  it.each([
    [49, 0],
    [50, 1],
    [125, 2],
  ])('closes of %i articles of this month %i pages', (count, pages) => {
    const now = START + 1_000;
    const all = Array.from({ length: count }, (_, index): Member => ({ id: `a${index}`, recordedAt: now, bytes: 500 }));
    expect(planPages(all, ZONE, now)).toHaveLength(pages);
  });
});

describe('places', () => {
  it('are read as they were written', () => {
    const places = fc.uniqueArray(fc.tuple(fc.nat(), fc.nat()), { selector: ([archive]) => archive });
    fc.assert(
      fc.property(places, (all) => {
        const map = new Map(all);
        expect(parsePlaces(writePlaces(map))).toEqual(map);
        expect(writePlaces(new Map(all.reverse()))).toBe(writePlaces(map));
      }),
    );
    expect(
      writePlaces(
        new Map([
          [3, 0],
          [1, 12],
        ]),
      ),
    ).toBe('1:12 3:0');
    expect(parsePlaces(undefined)).toEqual(new Map());
  });
});

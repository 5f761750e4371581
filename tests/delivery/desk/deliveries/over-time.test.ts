import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { submissionsChart } from '../../../../src/delivery/desk/deliveries/over-time.ts';
import { DAY, HOUR, MINUTE } from '../../../../src/lib/time.ts';

const CLOSED = Date.UTC(2026, 10, 27, 23, 30);
const ZONE = 'Asia/Shanghai';
const at = (minutes: number, submitted: number, failed = 0) => ({ at: CLOSED + minutes * MINUTE, submitted, failed });

describe('the chart of a delivery', () => {
  it('shows what was submitted and what failed in each minute, in the zone of the publication', () => {
    const chart = submissionsChart(CLOSED, [at(0.5, 100), at(1.5, 250, 5), at(3.2, 300, 5)], ZONE);
    expect(chart?.labels).toEqual(['07:30', '07:31', '07:32', '07:33']);
    expect(chart?.series.map(({ values }) => values)).toEqual([
      [100, 150, 0, 50],
      [0, 5, 0, 0],
    ]);
  });

  it('has longer parts for a longer delivery, and the date where it takes days', () => {
    const chart = submissionsChart(CLOSED, [at(10, 1), at((3 * DAY) / MINUTE, 9)], ZONE);
    expect(chart?.labels.length).toBeLessThanOrEqual(61);
    expect(chart?.labels[0]).toMatch(/^2026-11-28/);
    expect(chart?.series[0]?.values.reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(9);
  });

  it('is not there before anything is recorded', () => {
    expect(submissionsChart(CLOSED, [], ZONE)).toBeNull();
  });

  it('never has a negative number, whatever the clock did and the operator retried', () => {
    const record = fc.record({
      at: fc.integer({ min: CLOSED - HOUR, max: CLOSED + 400 * DAY }),
      submitted: fc.nat(1_000_000),
      failed: fc.nat(1_000),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), (progress) => {
        const chart = submissionsChart(CLOSED, progress, ZONE);
        for (const { values } of chart?.series ?? []) {
          expect(values.length).toBe(chart?.labels.length);
          for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
        }
        expect(chart?.labels.length).toBeLessThanOrEqual(61);
      }),
      { numRuns: 30 },
    );
  });
});

describe('paused domains', () => {});

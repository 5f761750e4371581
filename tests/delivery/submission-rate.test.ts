import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { submissionRate } from '../../src/delivery/submission-rate.ts';

const T = Date.UTC(2026, 10, 27, 7, 30);
const at = (seconds: number, submitted: number) => ({ at: T + seconds * 1000, submitted });

describe('the rate of an edition', () => {
  it('is that of the last ten seconds, and the time left follows from it', () => {
    const samples = [at(0, 0), at(20, 10_000), at(25, 10_500), at(30, 11_000)];
    expect(submissionRate(samples, 5_000)).toEqual({ perSecond: 100, left: 50_000 });
  });

  it('is measured since the last sample, where that is older', () => {
    expect(submissionRate([at(0, 0), at(10, 900), at(40, 1_500)], 200)).toEqual({
      perSecond: 20,
      left: 10_000,
    });
  });

  it('is not known from samples of less than a second', () => {
    const unknown = { perSecond: null, left: null };
    expect(submissionRate([], 10)).toEqual(unknown);
    expect(submissionRate([at(0, 5)], 10)).toEqual(unknown);
    expect(submissionRate([at(0, 5), at(0.9, 90)], 10)).toEqual(unknown);
  });

  it('is 0 while nothing is submitted, and nobody can tell the time left', () => {
    expect(submissionRate([at(0, 70), at(8, 70)], 30)).toEqual({ perSecond: 0, left: null });
  });

  it('leaves no time where nothing is left', () => {
    expect(submissionRate([at(0, 0), at(5, 70)], 0)).toEqual({ perSecond: null, left: 0 });
  });

  it('ignores samples of a clock that was set back, and is never negative', () => {
    expect(submissionRate([at(3600, 50), at(0, 60), at(5, 70)], 10)).toMatchObject({ perSecond: 2, left: 5_000 });
    const sample = fc.record({ at: fc.nat(100_000), submitted: fc.nat(1_000_000) });
    fc.assert(
      fc.property(fc.array(sample), fc.nat(1_000_000), (samples, pending) => {
        const { perSecond, left } = submissionRate(samples, pending);
        expect(perSecond ?? 0).toBeGreaterThanOrEqual(0);
        expect(left ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

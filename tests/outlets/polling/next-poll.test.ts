import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { type FeedRhythm, nextPoll } from '../../../src/outlets/polling/outlets.ts';
import { medianGap } from '../../../src/sources/polling/flood.ts';

/** A Friday. */
const NOW = Date.parse('2026-11-27T12:00:00Z');
const RHYTHM: FeedRhythm = { itemGap: 2 * HOUR, maxAge: null, hasValidators: true };
const wait = (rhythm: Partial<FeedRhythm>, jitter = 0): number => nextPoll(NOW, { ...RHYTHM, ...rhythm }, jitter) - NOW;
/** Without the spread of what the feed asks for. */
const EARLIEST = -1;

describe('the next poll of a feed', () => {
  it('is after half the median gap between items, 15 minutes to 6 hours', () => {
    expect(wait({ itemGap: 2 * HOUR })).toBe(HOUR);
    expect(wait({ itemGap: 0 }, EARLIEST)).toBe(15 * MINUTE);
    expect(wait({ itemGap: 10 * DAY })).toBe(6 * HOUR);
    expect(wait({ itemGap: null })).toBe(HOUR);
  });

  it('is up to 10 % earlier or later', () => {
    expect(wait({}, -1)).toBe(54 * MINUTE);
    expect(wait({}, 1)).toBe(66 * MINUTE);
  });

  it('waits for max-age, up to a day, and never polls before it', () => {
    expect(wait({ maxAge: 3 * HOUR }, EARLIEST)).toBe(3 * HOUR);
    expect(wait({ maxAge: 365 * DAY }, EARLIEST)).toBe(DAY);
    expect(wait({ maxAge: 365 * DAY }, 1)).toBe(26.4 * HOUR);
    expect(wait({ maxAge: MINUTE })).toBe(HOUR);
  });

  it('is at least an hour later without validators', () => {
    expect(wait({ itemGap: 0, hasValidators: false }, EARLIEST)).toBe(HOUR);
    expect(wait({ itemGap: 0, hasValidators: false }, 1)).toBe(66 * MINUTE);
  });

  it('is within these bounds for every feed', () => {
    const milliseconds = fc.option(fc.integer({ min: 0, max: 400 * DAY }));
    const rhythm = fc.record({
      itemGap: milliseconds,
      maxAge: milliseconds,
      hasValidators: fc.boolean(),
    });
    const now = fc.integer({ min: NOW, max: NOW + 7 * DAY });
    fc.assert(
      fc.property(rhythm, now, fc.double({ min: -1, max: 1, noNaN: true }), (feed, at, jitter) => {
        const next = nextPoll(at, feed, jitter);
        const interval = next - at;
        expect(Number.isSafeInteger(next)).toBe(true);
        expect(interval).toBeLessThanOrEqual(1.1 * DAY + 1);
        expect(interval).toBeGreaterThanOrEqual(13.5 * MINUTE);
        const asked = Math.max(feed.maxAge ?? 0, feed.hasValidators ? 0 : HOUR);
        expect(interval).toBeGreaterThanOrEqual(Math.min(asked, DAY) - 1);
      }),
    );
  });
});

describe('the median gap', () => {
  it('is that of the instants in order, each counted once', () => {
    expect(medianGap([50, 10, 20, 20, 80])).toBe(30);
    expect(medianGap([0, 10, 30])).toBe(15);
  });

  it('is not known from fewer than three instants', () => {
    expect(medianGap([])).toBeNull();
    expect(medianGap([1, 2, 2])).toBeNull();
  });

  it('is that of the newest items: a feed may have changed its pace', () => {
    const recent = Array.from({ length: 60 }, (_, index) => NOW - index * MINUTE);
    const old = Array.from({ length: 500 }, (_, index) => NOW - DAY - index * DAY);
    expect(medianGap([...old, ...recent])).toBe(MINUTE);
  });
});

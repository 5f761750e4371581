import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatPercent,
  judgeRate,
  MINIMUM_EVENTS,
  mostMessages,
  percentOf,
  type RateKind,
  type RateLevel,
  type RateLimits,
} from '../../../src/delivery/rates/judge-rates.ts';

const COMPLAINTS: RateLimits = { alert: 0.1, pause: 0.3 };
const BOUNCES: RateLimits = { alert: 2, pause: 5 };

function judge(events: number, messages: number, limits = COMPLAINTS): RateLevel | null {
  return judgeRate('complaint', { events, messages }, limits);
}

describe('the rate of complaints', () => {
  it('alerts from 0.1 %, and pauses from 0.3 %, both included', () => {
    expect([9, 10, 29, 30].map((events) => judge(events, 10_000))).toEqual([null, 'alert', 'alert', 'pause']);
    expect(judge(6, 2_000)).toBe('pause');
    expect(judge(6, 2_001)).toBe('alert');
  });

  it('does not take chance for a rate: two complaints raise no alert, and five pause nothing', () => {
    expect(judge(1, 200)).toBeNull();
    expect(judge(2, 2)).toBeNull();
    expect(judge(3, 200)).toBe('alert');
    expect(judge(5, 200)).toBe('alert');
    expect(judge(6, 200)).toBe('pause');
  });

  it('never pauses where pausing is off', () => {
    expect(judge(1_000, 1_000, { alert: 0.1, pause: 101 })).toBe('alert');
    // As after the restore of a backup that knows no delivery of the edition.
    expect(judge(1_000, 0, { alert: 0.1, pause: 101 })).toBe('alert');
  });
});

it('bounces alert from 2 % and pause from 5 %, but not below 10 and 20 of them', () => {
  const bounces = (events: number, messages: number) => judgeRate('bounce', { events, messages }, BOUNCES);
  expect([9, 10].map((events) => bounces(events, 100))).toEqual([null, 'alert']);
  expect([19, 20].map((events) => bounces(events, 100))).toEqual(['alert', 'pause']);
  expect([199, 200, 499, 500].map((events) => bounces(events, 10_000))).toEqual([null, 'alert', 'alert', 'pause']);
});

const ORDER: (RateLevel | null)[] = [null, 'alert', 'pause'];
const cases = fc.record({
  kind: fc.constantFrom<RateKind>('complaint', 'bounce'),
  events: fc.nat({ max: 50_000 }),
  messages: fc.nat({ max: 1_000_000 }),
  more: fc.nat({ max: 10_000 }),
  limits: fc
    .tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.double({ min: 0.01, max: 100, noNaN: true }))
    .map(([a, b]): RateLimits => ({ alert: Math.min(a, b), pause: Math.max(a, b) })),
});
const level = (kind: RateKind, events: number, messages: number, limits: RateLimits): number =>
  ORDER.indexOf(judgeRate(kind, { events, messages }, limits));

it('a level is reached exactly if there are enough events, and their percentage is not below its limit', () => {
  fc.assert(
    fc.property(cases, ({ kind, events, messages, limits }) => {
      for (const one of ['alert', 'pause'] as const) {
        const percent = (100 * events) / messages;
        const limit = limits[one] as number;
        // At the limit itself, rounding decides.
        if (Math.abs(percent - limit) < limit * 1e-9) continue;
        const isReached = level(kind, events, messages, limits) >= ORDER.indexOf(one);
        expect(isReached, one).toBe(events >= MINIMUM_EVENTS[kind][one] && percent > limit);
      }
    }),
  );
});

it('a level is reached with as many messages as it says, and with none more', () => {
  fc.assert(
    fc.property(cases, ({ kind, events, limits }) => {
      const most = mostMessages(kind, 'pause', events, limits);
      fc.pre(most > 0);
      expect(judgeRate(kind, { events, messages: most }, limits)).toBe('pause');
      expect(judgeRate(kind, { events, messages: most + 1 }, limits)).not.toBe('pause');
    }),
  );
});

it('percentages are between 0 and 100, and written with three digits', () => {
  expect(percentOf({ events: 0, messages: 0 })).toBe(0);
  expect(percentOf({ events: 6, messages: 2_000 })).toBeCloseTo(0.3);
  expect(percentOf({ events: 3, messages: 0 })).toBe(100);
  expect([0, 0.3, 5 / 1.7, 12.3456, 100].map(formatPercent)).toEqual(['0', '0.3', '2.94', '12.3', '100']);
  expect(formatPercent(percentOf({ events: 5_961, messages: 2_000_000 }))).toBe('0.298');
});

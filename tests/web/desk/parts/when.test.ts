import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../../src/lib/time.ts';
import { whenText } from '../../../../src/web/desk/parts/when.ts';

describe('an instant on a page', () => {
  it('is named by its day where that is near, in the zone', () => {
    // 20:00 in Shanghai.
    const now = Date.UTC(2026, 10, 24, 12);
    const text = (at: number): string => whenText(at, now, 'Asia/Shanghai');
    expect(text(now)).toBe('today 20:00');
    expect(text(Date.UTC(2026, 10, 24, 15, 59))).toBe('today 23:59');
    expect(text(Date.UTC(2026, 10, 24, 16))).toBe('tomorrow 00:00');
    expect(text(Date.UTC(2026, 10, 23, 15, 59))).toBe('yesterday 23:59');
    expect(text(Date.UTC(2026, 10, 25, 16))).toBe('2026-11-26 00:00');
    expect(text(now - 3 * DAY)).toBe('2026-11-21 20:00');
    expect(whenText(now, now, 'America/New_York')).toBe('today 07:00');
  });

  it('is named again on the next day, and on days of 23 and 25 hours', () => {
    const zone = 'Europe/Berlin';
    // Midnight of the days on which clocks change.
    for (const [midnight, hours] of [
      [Date.UTC(2026, 2, 28, 23), 23],
      [Date.UTC(2026, 9, 24, 22), 25],
    ] as const) {
      const end = midnight + hours * HOUR;
      expect(whenText(end - MINUTE, midnight, zone)).toBe('today 23:59');
      expect(whenText(end, midnight, zone)).toBe('tomorrow 00:00');
      expect(whenText(end, end, zone)).toBe('today 00:00');
      expect(whenText(midnight, end, zone)).toBe('yesterday 00:00');
      expect(whenText(midnight - MINUTE, midnight, zone)).toBe('yesterday 23:59');
    }
  });
});

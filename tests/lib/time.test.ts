import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clockTime,
  datelineTime,
  formatDuration,
  HOUR,
  isZone,
  localDate,
  localDateTime,
  localDay,
  rfc3339,
  wallClock,
} from '../../src/lib/time.ts';

const at = (text: string): number => Date.parse(text);

describe('wall-clock time', () => {
  it('has the form of the dateline in the publication’s zone', () => {
    expect(datelineTime(at('2026-11-24T12:43:00Z'), 'Asia/Shanghai')).toBe('Nov 24, 2026 08:43 PM');
  });

  it('has 12 for noon and midnight', () => {
    expect(clockTime(at('2026-01-01T00:05:00Z'), 'UTC')).toBe('12:05 AM');
    expect(clockTime(at('2026-01-01T12:05:00Z'), 'UTC')).toBe('12:05 PM');
  });

  it('is that of the zone, also on the day on which its clocks change', () => {
    // Newfoundland changed its clocks at 00:01, Liberia by 44 min 30 s, and Lord Howe Island by half an hour.
    const zones = ['America/St_Johns', 'Africa/Monrovia', 'Australia/Lord_Howe', 'Europe/Berlin', 'Asia/Shanghai'];
    const changes = zones.flatMap((zone) => {
      const found: number[] = [];
      let next = wallClock(at('1970-01-01T00:00:00Z'), zone).getTimeZoneTransition('next');
      for (; next !== null && next.year < 2030; next = next.getTimeZoneTransition('next')) {
        found.push(next.epochMilliseconds);
      }
      return found;
    });
    const instant = fc.oneof(
      fc.integer({ min: at('1900-01-01T00:00:00Z'), max: at('2100-01-01T00:00:00Z') }),
      fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -26 * HOUR, max: 26 * HOUR })).map(([a, b]) => a + b),
    );
    fc.assert(
      fc.property(instant, fc.constantFrom(...zones), (at, zone) => {
        const wall = wallClock(at, zone).toPlainDateTime().toString({ smallestUnit: 'minute' });
        expect(localDateTime(at, zone)).toBe(wall.replace('T', ' '));
        expect(localDate(at, zone)).toBe(wall.slice(0, 'YYYY-MM-DD'.length));
        const sameInUtc = Date.parse(`${wall}:00Z`);
        expect(datelineTime(at, zone)).toBe(datelineTime(sameInUtc, 'UTC'));
        expect(clockTime(at, zone)).toBe(clockTime(sameInUtc, 'UTC'));
      }),
      { numRuns: 500 },
    );
  });

  it('has days that begin at midnight of the zone, and are 23 to 25 hours long', () => {
    expect(localDay(at('2026-11-24T16:30:00Z'), 'Asia/Shanghai')).toEqual({
      date: '2026-11-25',
      from: at('2026-11-24T16:00:00Z'),
      until: at('2026-11-25T16:00:00Z'),
    });
    const longest = localDay(at('2026-11-01T12:00:00Z'), 'America/New_York');
    expect(longest).toMatchObject({ date: '2026-11-01', from: at('2026-11-01T04:00:00Z') });
    expect(longest.until - longest.from).toBe(25 * HOUR);
    expect(localDay(longest.until, 'America/New_York').date).toBe('2026-11-02');
    expect(localDay(longest.until - 1, 'America/New_York')).toEqual(longest);
    // Where midnight is skipped, the day begins at one.
    expect(localDay(at('2018-11-04T12:00:00Z'), 'America/Sao_Paulo').from).toBe(at('2018-11-04T03:00:00Z'));
  });

  it('writes a duration in its two largest units, in days from two days on', () => {
    const hour = 3_600_000;
    const written = [40_000, 12.5 * 60_000, 26 * hour + 300_000, 48 * hour, 135.1 * hour].map(formatDuration);
    expect(written).toEqual(['40 s', '12 min', '26 h 5 min', '2 d', '5 d 15 h']);
  });

  it('has an RFC 3339 form in whole seconds', () => {
    expect(rfc3339(at('2026-11-24T12:43:00.987Z'))).toBe('2026-11-24T12:43:00Z');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (instant) => {
        expect(Date.parse(rfc3339(instant))).toBe(Math.floor(instant / 1_000) * 1_000);
      }),
    );
  });

  it('exists only in IANA zones', () => {
    expect(isZone('America/New_York')).toBe(true);
    expect(isZone('Mars/Olympus')).toBe(false);
  });
});

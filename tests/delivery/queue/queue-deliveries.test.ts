import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstDeliveryTime } from '../../../src/delivery/queue/queue-deliveries.ts';
import { DAY, HOUR, MINUTE, wallClock } from '../../../src/lib/time.ts';
import { runs } from '../../support/run-scope.ts';

const ZONES = Intl.supportedValuesOf('timeZone');

/** The wall clock of a zone as if it were UTC. */
function wall(instant: number, zone: string): number {
  return instant + wallClock(instant, zone).offsetNanoseconds / 1_000_000;
}

/** A second implementation: tries every offset of those days, and keeps the instants that show the time. */
function byOffsets(deliverAt: string, zone: string, closedAt: number): number {
  const [hours, minutes] = deliverAt.split(':').map(Number) as [number, number];
  const offsets = new Set<number>();
  for (let at = closedAt - 4 * DAY; at <= closedAt + 4 * DAY; at += 12 * HOUR) offsets.add(wall(at, zone) - at);
  const instants: number[] = [];
  const first = Math.floor(wall(closedAt, zone) / DAY) - 2;
  for (let day = first; day <= first + 5; day++) {
    const local = day * DAY + hours * HOUR + minutes * MINUTE;
    const shown = [...offsets].map((offset) => local - offset).filter((instant) => wall(instant, zone) === local);
    // Skipped: the offset before the change, which is the smaller one.
    instants.push(shown.length > 0 ? Math.min(...shown) : local - Math.min(...offsets));
  }
  return Math.min(...instants.filter((instant) => instant >= closedAt));
}

const timeOfDay = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);

describe('firstDeliveryTime', () => {
  it.each([
    ['later the same day', 'Europe/Berlin', '2026-11-24T05:00:00Z', '2026-11-24T06:00:00Z'],
    ['at the close itself', 'Europe/Berlin', '2026-11-24T06:00:00Z', '2026-11-24T06:00:00Z'],
    ['the next day, a millisecond after', 'Europe/Berlin', '2026-11-24T06:00:00.001Z', '2026-11-25T06:00:00Z'],
    ['in a zone where it is the next day already', 'Pacific/Auckland', '2026-11-24T12:00:00Z', '2026-11-24T18:00:00Z'],
    ['with daylight saving time', 'America/New_York', '2026-07-01T12:00:00Z', '2026-07-02T11:00:00Z'],
    ['on the day that Samoa skipped', 'Pacific/Apia', '2011-12-29T18:00:00Z', '2011-12-30T17:00:00Z'],
  ])('returns the time %s', (_, zone, closed, due) => {
    expect(new Date(firstDeliveryTime('07:00', zone, Date.parse(closed))).toISOString()).toBe(
      new Date(due).toISOString(),
    );
  });

  it('moves a skipped time forward by the gap, and returns the first of a repeated time', () => {
    const at = (closed: string) =>
      new Date(firstDeliveryTime('02:30', 'Europe/Berlin', Date.parse(closed))).toISOString();
    expect(at('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(at('2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    // Closed between both: the first has passed, and the second does not count.
    expect(at('2026-10-25T01:00:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  it('agrees with the second implementation in every zone, on any day', () => {
    for (const zone of ZONES) {
      fc.assert(
        fc.property(timeOfDay, fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2037, 0) }), (time, closedAt) => {
          expect(firstDeliveryTime(time, zone, closedAt)).toBe(byOffsets(time, zone, closedAt));
        }),
        { numRuns: runs(2) },
      );
    }
  });

  it('agrees with the second implementation around changes of the clock', () => {
    const zones = ZONES.filter((zone) => wallClock(Date.UTC(2005, 0), zone).getTimeZoneTransition('next') !== null);
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2026, 0) }),
        fc.integer({ min: -2 * DAY, max: 2 * HOUR }),
        timeOfDay,
        (zone, from, before, time) => {
          const change = wallClock(from, zone).getTimeZoneTransition('next');
          const closedAt = (change === null ? from : change.epochMilliseconds) + before;
          expect(firstDeliveryTime(time, zone, closedAt)).toBe(byOffsets(time, zone, closedAt));
        },
      ),
      { numRuns: runs(400) },
    );
  });
});

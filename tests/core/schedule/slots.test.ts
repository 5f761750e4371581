import fc from 'fast-check';
import cron from 'node-cron';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { nextSlot, slotsBetween } from '../../../src/core/schedule/slots.ts';
import { DAY, HOUR, MINUTE, wallClock } from '../../../src/lib/time.ts';
import { runs } from '../../support/run-scope.ts';

const NEW_YORK = 'America/New_York';
const SHANGHAI = 'Asia/Shanghai';

/** Slots on the local dates from `first` to `last`, as `03-08 03:30-04:00`. */
function onDays(cron: string, zone: string, first: string, last: string): string[] {
  const start = (day: Temporal.PlainDate): number => day.toZonedDateTime(zone).epochMilliseconds;
  const until = Temporal.PlainDate.from(last).add({ days: 1 });
  return slotsBetween(cron, zone, start(Temporal.PlainDate.from(first)) - 1, start(until) - 1).map((slot) => {
    const clock = wallClock(slot, zone);
    return `${clock.toPlainDateTime().toString({ smallestUnit: 'minute' }).slice(5).replace('T', ' ')}${clock.offset}`;
  });
}

describe('slots at fixed hours', () => {
  it('move forward by the gap on the same day when the clock skips them', () => {
    expect(onDays('30 2 * * *', NEW_YORK, '2026-03-07', '2026-03-09')).toEqual([
      '03-07 02:30-05:00',
      '03-08 03:30-04:00',
      '03-09 02:30-04:00',
    ]);
  });

  it('count once, the first time, when the clock repeats them', () => {
    expect(onDays('30 1 * * *', NEW_YORK, '2026-10-31', '2026-11-02')).toEqual([
      '10-31 01:30-04:00',
      '11-01 01:30-04:00',
      '11-02 01:30-05:00',
    ]);
  });

  it('move by half an hour where the clock does, on Lord Howe Island', () => {
    expect(onDays('15 2 * * *', 'Australia/Lord_Howe', '2026-10-04', '2026-10-04')).toEqual(['10-04 02:45+11:00']);
    expect(onDays('45 1 * * *', 'Australia/Lord_Howe', '2026-04-05', '2026-04-05')).toEqual(['04-05 01:45+11:00']);
  });

  it('move to one o’clock from a skipped midnight, in Cairo and Beirut', () => {
    expect(onDays('0 0 * * *', 'Africa/Cairo', '2026-04-23', '2026-04-25')).toEqual([
      '04-23 00:00+02:00',
      '04-24 01:00+03:00',
      '04-25 00:00+03:00',
    ]);
    expect(onDays('30 0 * * *', 'Asia/Beirut', '2026-03-29', '2026-03-29')).toEqual(['03-29 01:30+03:00']);
  });

  it('include those of a stepped hour field, so that none is lost', () => {
    expect(onDays('0 */2 * * *', NEW_YORK, '2026-03-08', '2026-03-08').slice(0, 3)).toEqual([
      '03-08 00:00-05:00',
      '03-08 03:00-04:00',
      '03-08 04:00-04:00',
    ]);
    expect(onDays('0 */2 * * *', NEW_YORK, '2026-11-01', '2026-11-01')).toHaveLength(12);
  });

  it('fall on those of the next date where a country left a date out', () => {
    expect(onDays('0 7 * * *', 'Pacific/Apia', '2011-12-29', '2011-12-31')).toEqual([
      '12-29 07:00-10:00',
      '12-31 07:00+14:00',
    ]);
  });
});

describe('slots of every hour', () => {
  it('follow elapsed time through a repeated hour and past a skipped one', () => {
    expect(onDays('*/30 * * * *', NEW_YORK, '2026-11-01', '2026-11-01')).toHaveLength(50);
    expect(onDays('*/30 * * * *', NEW_YORK, '2026-03-08', '2026-03-08')).toHaveLength(46);
    expect(onDays('30 0-23 * * *', NEW_YORK, '2026-11-01', '2026-11-01').slice(0, 4)).toEqual([
      '11-01 00:30-04:00',
      '11-01 01:30-04:00',
      '11-01 01:30-05:00',
      '11-01 02:30-05:00',
    ]);
  });

  it('follow the dates of the zone', () => {
    const days = onDays('0 * 25 * *', SHANGHAI, '2026-11-24', '2026-11-26');
    expect(days).toHaveLength(24);
    expect([days[0], days.at(-1)]).toEqual(['11-25 00:00+08:00', '11-25 23:00+08:00']);
  });
});

describe('the fields', () => {
  it('have the meaning that node-cron gives them: L, W, #, names, and day of month with weekday', () => {
    const year = (cron: string): string[] =>
      onDays(cron, 'UTC', '2026-01-01', '2026-12-31').map((slot) => slot.slice(0, 5));
    expect(year('0 9 L 2,4 *')).toEqual(['02-28', '04-30']);
    expect(year('0 9 15W 8 *')).toEqual(['08-14']);
    expect(year('0 9 * nov 2#1')).toEqual(['11-03']);
    expect(year('0 9 * 11 fri')).toEqual(['11-06', '11-13', '11-20', '11-27']);
    expect(year('0 9 * 11 5L')).toEqual(['11-27']);
    expect(year('0 9 13 * 5')).toEqual(['02-13', '03-13', '11-13']);
    expect(year('0 9 * 11 7')).toEqual(year('0 9 ? 11 sun'));
  });

  it('give a minute once that they name twice', () => {
    expect(slotsBetween('5,5 1 * * *', 'UTC', 0, DAY)).toEqual([HOUR + 5 * MINUTE]);
  });

  it('are refused where there are not five, or node-cron refuses them', () => {
    expect(() => slotsBetween('0 0 7 * * *', 'UTC', 0, DAY)).toThrow(/five fields/);
    expect(() => nextSlot('0 25 * * *', 'UTC', 0)).toThrow(/hour/);
  });
});

describe('the next slot', () => {
  it('is the first after the instant, never the instant itself', () => {
    const at = Date.UTC(2026, 10, 24, 7, 30);
    expect(nextSlot('30 7 * * *', 'UTC', at - 1)).toBe(at);
    expect(nextSlot('30 7 * * *', 'UTC', at)).toBe(at + DAY);
  });

  it('is found for 29 February across a century year without one', () => {
    expect(nextSlot('0 0 29 2 *', 'UTC', Date.UTC(2096, 2, 1))).toBe(Date.UTC(2104, 1, 29));
  });

  it('is null for a date that does not exist', () => {
    expect(nextSlot('0 0 L-30 2 *', 'UTC', Date.UTC(2026, 0, 1))).toBeNull();
  });
});

describe('slots of any expression, zone and span', () => {
  const zones = [
    NEW_YORK,
    SHANGHAI,
    'Australia/Lord_Howe',
    'Africa/Cairo',
    'Asia/Beirut',
    'Africa/Casablanca',
    'America/Havana',
    'UTC',
  ];
  const list = (min: number, max: number): fc.Arbitrary<string> =>
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join(','));
  const minute = fc.oneof(list(0, 59), fc.constantFrom('*/5', '*/20', '0'));
  const fixedHour = fc.oneof(list(0, 23), fc.constantFrom('*/2', '*/5', '0-4', '22-2'));
  const weekday = fc.constantFrom('*', '1-5', '0', '5L', '2#1');
  const expressions = fc.oneof(
    fc.tuple(minute, fixedHour, weekday).map(([m, h, w]) => `${m} ${h} * * ${w}`),
    fc.tuple(minute, weekday).map(([m, w]) => `${m} * * * ${w}`),
  );
  // Clock changes of the zones above fall between March and April and between September and November.
  const instant = fc
    .tuple(
      fc.integer({ min: 2024, max: 2030 }),
      fc.constantFrom(1, 2, 3, 8, 9, 10),
      fc.integer({ min: 0, max: 44_640 }),
    )
    .map(([year, month, minutes]) => Date.UTC(year, month, 1) + minutes * MINUTE + 17);
  const span = fc.integer({ min: 0, max: 10 * DAY });

  it('increase, and two spans have the same slots as one', () => {
    fc.assert(
      fc.property(expressions, fc.constantFrom(...zones), instant, span, span, (expression, zone, a, first, second) => {
        const all = slotsBetween(expression, zone, a, a + first + second);
        expect(all.every((slot, index) => slot > (all[index - 1] ?? a) && slot <= a + first + second)).toBe(true);
        expect([
          ...slotsBetween(expression, zone, a, a + first),
          ...slotsBetween(expression, zone, a + first, a + first + second),
        ]).toEqual(all);
        const next = nextSlot(expression, zone, a);
        if (all[0] === undefined) expect(next === null || next > a + first + second).toBe(true);
        else expect(next).toBe(all[0]);
      }),
      { numRuns: runs(150) },
    );
  });

  it('fall on the dates that node-cron matches', () => {
    const dayOfMonth = fc.constantFrom('*', '?', '1,15', '10-20/3', '28-5', 'L', 'L-2', 'LW', '1W,15W', '31');
    const month = fc.constantFrom('*', '2', '1-12/2', 'nov', 'nov-feb', '4,6');
    const dayOfWeek = fc.constantFrom('*', '?', '0', '7', 'mon-fri', '5-1', '5L', '1#2,3#5', 'sat,0');
    fc.assert(
      fc.property(dayOfMonth, month, dayOfWeek, fc.integer({ min: 0, max: 4_000 }), (...[dom, mon, dow, offset]) => {
        const days = `${dom} ${mon} ${dow}`;
        fc.pre(cron.validate(`0 0 ${days}`));
        const task = cron.createTask(`0 0 ${days}`, () => {}, { timezone: 'UTC' });
        const start = Date.UTC(2024, 0, 1) + offset * DAY;
        const expected = Array.from({ length: 90 }, (_, day) => start + day * DAY).filter((day) =>
          task.match(new Date(day)),
        );
        task.destroy();
        expect(slotsBetween(`0 0 ${days}`, 'UTC', start - 1, start + 89 * DAY)).toEqual(expected);
      }),
      { numRuns: runs(80) },
    );
  });

  it('at fixed hours are Temporal’s compatible instants of each date, counted once', () => {
    fc.assert(
      fc.property(list(0, 59), list(0, 23), fc.constantFrom(...zones), instant, (minutes, hours, zone, from) => {
        const until = from + 6 * DAY;
        const expected = new Set<number>();
        for (let days = -2; days <= 8; days++) {
          const date = wallClock(from, zone).toPlainDate().add({ days });
          for (const hour of hours.split(',').map(Number)) {
            for (const minute of minutes.split(',').map(Number)) {
              const at = date.toPlainDateTime({ hour, minute }).toZonedDateTime(zone, { disambiguation: 'compatible' });
              if (at.epochMilliseconds > from && at.epochMilliseconds <= until) expected.add(at.epochMilliseconds);
            }
          }
        }
        expect(slotsBetween(`${minutes} ${hours} * * *`, zone, from, until)).toEqual(
          [...expected].sort((a, b) => a - b),
        );
      }),
      { numRuns: runs(100) },
    );
  });

  it('at every hour are all instants whose local minute matches', () => {
    fc.assert(
      fc.property(list(0, 59), fc.constantFrom(...zones), instant, (minutes, zone, from) => {
        const until = from + 30 * HOUR;
        const expected: number[] = [];
        for (let at = Math.ceil(from / MINUTE) * MINUTE; at <= until; at += MINUTE) {
          if (minutes.split(',').map(Number).includes(wallClock(at, zone).minute)) expected.push(at);
        }
        expect(slotsBetween(`${minutes} * * * *`, zone, from, until)).toEqual(expected);
      }),
      { numRuns: runs(30) },
    );
  });
});

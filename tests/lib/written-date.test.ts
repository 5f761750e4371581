import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY } from '../../src/lib/time.ts';
import { parseWrittenDate, parseWrittenInstant } from '../../src/lib/written-date.ts';
import { anyText } from '../support/any-text.ts';

/** Both as an ISO instant, so that a failure can be read. */
const read = (text: string): string | null => {
  const at = parseWrittenDate(text);
  return at === null ? null : new Date(at).toISOString().replace('.000', '');
};

it.each([
  ['Thu, 26 Nov 2026 10:14:55 GMT', '2026-11-26T10:14:55Z'],
  ['Thu, 26 Nov 2026 10:14:55 +0200', '2026-11-26T08:14:55Z'],
  ['Thu, 26 Nov 2026 10:14:55 -03:30', '2026-11-26T13:44:55Z'],
  ['Thu, 26 Nov 2026 10:14:55 GMT+0200', '2026-11-26T08:14:55Z'],
  ['Thu, 26 Nov 2026 10:14:55 +0200 (CEST)', '2026-11-26T08:14:55Z'],
  ['Thu, 26 Nov 2026 10:14:55 -0500 EST', '2026-11-26T15:14:55Z'],
  ['Thu, 26 Nov 2026 10:14:55.123 GMT', '2026-11-26T10:14:55.123Z'],
])('reads the usual date of RSS: %s', (written, instant) => {
  expect(read(written)).toBe(instant);
});

it.each([
  ['two-digit year', 'Thu, 26 Nov 26 10:14:55 GMT', '2026-11-26T10:14:55Z'],
  ['two-digit year of the last century', '07 Sep 99 00:00:01 GMT', '1999-09-07T00:00:01Z'],
  ['no weekday', '26 Nov 2026 10:14:55 GMT', '2026-11-26T10:14:55Z'],
  ['a wrong weekday, without space', 'Monday,26 Nov 2026 10:14:55 GMT', '2026-11-26T10:14:55Z'],
  ['no seconds', 'Thu, 26 Nov 2026 10:14 GMT', '2026-11-26T10:14:00Z'],
  ['no zone', 'Thu, 26 Nov 2026 10:14:55', '2026-11-26T10:14:55Z'],
  ['one-digit day and hour', 'Thu, 5 Nov 2026 7:05:09 GMT', '2026-11-05T07:05:09Z'],
  ['month first', 'November 26, 2026 10:14 PM EST', '2026-11-27T03:14:00Z'],
  ['half of the day', 'Nov 26, 2026 12:05 am', '2026-11-26T00:05:00Z'],
  ['hours beyond the day', 'Thu, 26 Nov 2026 24:00:00 GMT', '2026-11-27T00:00:00Z'],
  ['year first', '2026 Nov 26 10:14:55', '2026-11-26T10:14:55Z'],
  ['asctime', 'Thu Nov 26 10:14:55 2026', '2026-11-26T10:14:55Z'],
  ['date(1)', 'Thu Nov 26 10:14:55 PST 2026', '2026-11-26T18:14:55Z'],
  ['white space', '\n  Thu, 26 Nov 2026   10:14:55   GMT\t', '2026-11-26T10:14:55Z'],
])('reads a date with %s', (_sin, written, instant) => {
  expect(read(written)).toBe(instant);
});

it.each([
  ['EST', '15:00'],
  ['PDT', '17:00'],
  ['PT', '18:00'],
  ['CET', '09:00'],
  ['Z', '10:00'],
  ['XYZ', '10:00'],
])('knows the zone %s, and takes an unknown one for UTC', (zone, utc) => {
  expect(read(`Thu, 26 Nov 2026 10:00:00 ${zone}`)).toBe(`2026-11-26T${utc}:00Z`);
});

it.each([
  ['Seg, 24 Set 2018 19:42:40 -0300', '2018-09-24T22:42:40Z'],
  ['mar., 24 nov. 2026 10:00 +0100', '2026-11-24T09:00:00Z'],
  ['4 juin 2026', '2026-06-04T00:00:00Z'],
  ['Sa, 05 Dez 2020 08:00:00 +0100', '2020-12-05T07:00:00Z'],
  ['12 März 2026', '2026-03-12T00:00:00Z'],
])('reads months that are not in English: %s', (written, instant) => {
  expect(read(written)).toBe(instant);
});

it.each([
  ['2026', '2026-01-01T00:00:00Z'],
  ['2026-11', '2026-11-01T00:00:00Z'],
  ['2026-11-26', '2026-11-26T00:00:00Z'],
  ['20261126', '2026-11-26T00:00:00Z'],
  ['2026-330', '2026-11-26T00:00:00Z'],
  ['2026-11-26T10:14:55Z', '2026-11-26T10:14:55Z'],
  ['2026-11-26t10:14:55z', '2026-11-26T10:14:55Z'],
  ['2026-11-26T10:14:55.123456+02:00', '2026-11-26T08:14:55.123Z'],
  ['2026-11-26T10:14:55-08', '2026-11-26T18:14:55Z'],
  ['2026-11-26T10', '2026-11-26T10:00:00Z'],
  ['20261126T101455Z', '2026-11-26T10:14:55Z'],
  ['2026-11-26 10:14:55', '2026-11-26T10:14:55Z'],
  ['2026-11-26 10:14:55 EST', '2026-11-26T15:14:55Z'],
  ['2026/11/5 7:05:00', '2026-11-05T07:05:00Z'],
  ['2026-11-26T23:59:60Z', '2026-11-27T00:00:00Z'],
])('reads W3CDTF with reduced precision, and its relatives: %s', (written, instant) => {
  expect(read(written)).toBe(instant);
});

it.each([
  ['1795778095', '2026-11-27T11:14:55Z'],
  [' 1795778095.25 ', '2026-11-27T11:14:55.250Z'],
  ['1795778095123', '2026-11-27T11:14:55.123Z'],
  ['987654321', '2001-04-19T04:25:21Z'],
])('reads Unix time in seconds and milliseconds: %s', (written, instant) => {
  expect(read(written)).toBe(instant);
});

it.each([
  ...[
    '',
    'today',
    'Nov',
    '26',
    '10:14',
    '2026-13-01',
    '2026-02-30',
    '31 Jun 2026',
    '0000-00-00T00:00:00',
    '0001-01-01',
  ],
  ...['26 Nov 2026 25:00', '26 Nov 2026 10:61', '26 Foo 2026', '1970-01-01T00:00:00Z', '179582400011', '2026-11-26T'],
  ...['26 Nov 2026 13:00 PM', '2026-11-26T10:14:55+99:00', '1 2 3 Nov 2026'],
])('reads no date in “%s”', (written) => {
  expect(read(written)).toBeNull();
});

const anyInstant = fc.date({
  min: new Date('1971-01-01'),
  max: new Date('2099-12-31'),
  noInvalidDate: true,
});

it('reads what Date writes, to the second', () => {
  fc.assert(
    fc.property(anyInstant, (date) => {
      const seconds = Math.floor(date.getTime() / 1_000) * 1_000;
      expect(parseWrittenDate(date.toUTCString())).toBe(seconds);
      expect(parseWrittenDate(date.toISOString())).toBe(date.getTime());
    }),
  );
});

it('never throws, and takes linear time', () => {
  fc.assert(fc.property(anyText(60), (text) => void parseWrittenDate(text)));
  fc.assert(fc.property(anyInstant, anyText(60), (date, text) => void parseWrittenDate(date.toUTCString() + text)));
  for (const part of ['1', '1:', 'a ', '( ', '-0', ' ']) parseWrittenDate(part.repeat(1_000_000));
});

const readIn = (text: string, zone = 'Asia/Shanghai'): string => {
  const result = parseWrittenInstant(text, zone);
  return result.kind === 'instant' ? new Date(result.at).toISOString() : result.rule;
};
const RULE =
  'must be a date that exists, like 2026-11-24 07:30 (local time, Asia/Shanghai) or 2026-11-24T07:30:00+08:00';

describe('parseWrittenInstant', () => {
  it.each([
    ['2026-11-24T07:30:00+08:00', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24t07:30:00.123z', '2026-11-24T07:30:00.123Z'],
    ['2026-11-24 07:30:00 +0800', '2026-11-23T23:30:00.000Z'],
    ['2015-03-19 18:00:00 -4', '2015-03-19T22:00:00.000Z'],
    ['2015-03-19 18:00:00 -0400', '2015-03-19T22:00:00.000Z'],
    ['2015-03-19 18:00 +02', '2015-03-19T16:00:00.000Z'],
    ['2015-3-9 8:05 -04:00', '2015-03-09T12:05:00.000Z'],
    ['2015-03-19 18:00:00.000000000 +00:00', '2015-03-19T18:00:00.000Z'],
    ['2026-11-24T07:30', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24 9:30', '2026-11-24T01:30:00.000Z'],
    ['2026-11-24, 9.30 pm', '2026-11-24T13:30:00.000Z'],
    ['2026-11-24 12 am', '2026-11-23T16:00:00.000Z'],
    ['2026-11-24 07:30 UTC', '2026-11-24T07:30:00.000Z'],
    ['Tue, 24 Nov 2026 07:30:00 +0800', '2026-11-23T23:30:00.000Z'],
  ])('reads %s as %s in Shanghai', (text, expected) => {
    expect(readIn(text)).toBe(expected);
  });

  it.each([
    ...['2026-11-24', '2026-1-4', '2026/11/24', '2026.11.24', '24.11.2026', '24/11/2026', '11/24/2026'],
    ...[
      '24 Nov 2026',
      '24. November 2026',
      'November 24th, 2026',
      'Nov. 24 2026',
      '24-Nov-2026',
      'tuesday, Nov 24, 2026',
    ],
  ])('reads %s as the start of that day', (text) => {
    const day = text === '2026-1-4' ? '2026-01-03' : '2026-11-23';
    expect(readIn(text)).toBe(`${day}T16:00:00.000Z`);
    expect(readIn(`${text} 7:30`)).toBe(`${day}T23:30:00.000Z`);
    const at = Date.parse(`${day}T16:00:00.000Z`);
    expect(parseWrittenInstant(text, 'Asia/Shanghai')).toMatchObject({ until: at + DAY });
  });

  it.each([
    ['11/12/2026', 'can be 2026-11-12 or 2026-12-11: write the one that is meant, with the year first'],
    ['9:30', 'has a time but no date: write both, such as 2026-11-24 07:30'],
    ['24.11.26', RULE],
    ['2026-02-30', RULE],
    ['31/31/2026', RULE],
    ['2026-11-24T25:00', RULE],
    ['2026-11-24T07:30[Asia/Tokyo]', RULE],
    ['2026-11-24 in the morning', RULE],
    ['1969-07-20', 'is before 1970: feeds, pages and mail have no earlier dates'],
    ['1970-01-01T07:59', 'is before 1970: feeds, pages and mail have no earlier dates'],
    ['1790000000000', RULE],
    ['yesterday', RULE],
    ['24 Nonsense 2026', RULE],
    ['', RULE],
    ['2'.repeat(70_000), RULE],
  ])('refuses %.40j, and says why', (text, rule) => {
    expect(readIn(text)).toBe(rule);
  });

  it('moves a skipped local time forward, and takes the first of a repeated one', () => {
    expect(readIn('2026-03-08 02:30', 'America/New_York')).toBe('2026-03-08T07:30:00.000Z');
    expect(readIn('2026-11-01 01:30', 'America/New_York')).toBe('2026-11-01T05:30:00.000Z');
  });

  it('reads every RFC 3339 instant, and does not throw for any text', () => {
    const instants = fc.date({
      min: new Date('1970-01-01T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instants, (date) => {
        expect(parseWrittenInstant(date.toISOString(), 'UTC')).toEqual({
          kind: 'instant',
          at: date.getTime(),
          until: null,
        });
      }),
    );
    const parts = fc.constantFrom('2026', '11', '24', '-', '/', '.', ' ', ':', 'Nov', 'T', 'pm', '+08:00', 'Z');
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(parts).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (written) => {
        expect(() => parseWrittenInstant(written, 'Europe/Berlin')).not.toThrow();
      }),
    );
  });

  it('reads what programs write as it reads what people write', () => {
    const two = (max: number) => fc.integer({ min: 0, max }).map((number) => String(number).padStart(2, '0'));
    const year = fc.constantFrom('0026', '1899', '1900', '2024', '2026', '9999');
    const zone = fc.oneof(
      fc.constantFrom('Z', '+08:00', '-03:30', '+23:59'),
      fc.tuple(fc.constantFrom('+', '-'), two(25), two(61)).map(([sign, h, m]) => `${sign}${h}:${m}`),
    );
    const fraction = fc.constantFrom('', '.5', '.123', '.123456789');
    const parts = fc.tuple(year, two(13), two(32), two(25), two(61), two(61), fraction, zone);
    fc.assert(
      fc.property(parts, ([year, month, day, hour, minute, second, fraction, zone]) => {
        const time = `${hour}:${minute}:${second}${fraction}${zone}`;
        const asPeople = parseWrittenInstant(`${year}-${month}-${day} ${time}`, 'UTC');
        expect(parseWrittenInstant(`${year}-${month}-${day}T${time}`, 'UTC')).toEqual(asPeople);
      }),
    );
  });
});

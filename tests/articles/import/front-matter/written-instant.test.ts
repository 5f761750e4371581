import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWrittenInstant } from '../../../../src/articles/import/front-matter/written-instant.ts';
import { DAY } from '../../../../src/lib/time.ts';

const read = (text: string, zone = 'Asia/Shanghai'): string => {
  const result = parseWrittenInstant(text, zone);
  return result.kind === 'instant' ? new Date(result.at).toISOString() : result.rule;
};
const RULE = 'must be like 2026-11-24 07:30 (local time, Asia/Shanghai), or 2026-11-24T07:30:00+08:00';
const DATE_RULE = 'must be a date such as 2026-11-24, or with a time 2026-11-24 07:30';

describe('parseWrittenInstant', () => {
  it.each([
    ['2026-11-24T07:30:00+08:00', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24T07:30:00Z', '2026-11-24T07:30:00.000Z'],
    ['2026-11-24t07:30:00.123z', '2026-11-24T07:30:00.123Z'],
    ['2026-11-24 07:30:00 +0800', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24 07:30:00+08', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24T07:30', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24 07:30:05', '2026-11-23T23:30:05.000Z'],
    ['2026-11-24 9:30', '2026-11-24T01:30:00.000Z'],
    ['2026-11-24, 9.30 pm', '2026-11-24T13:30:00.000Z'],
    ['2026-11-24 12 am', '2026-11-23T16:00:00.000Z'],
    ['2026-11-24 07:30 UTC', '2026-11-24T07:30:00.000Z'],
    ['Tue, 24 Nov 2026 07:30:00 +0800', '2026-11-23T23:30:00.000Z'],
  ])('reads %s as %s in Shanghai', (text, expected) => {
    expect(read(text)).toBe(expected);
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
    expect(read(text)).toBe(`${day}T16:00:00.000Z`);
    expect(read(`${text} 7:30`)).toBe(`${day}T23:30:00.000Z`);
    const at = Date.parse(`${day}T16:00:00.000Z`);
    expect(parseWrittenInstant(text, 'Asia/Shanghai')).toMatchObject({ until: at + DAY });
  });

  it.each([
    ['11/12/2026', 'can be 2026-11-12 or 2026-12-11: write the one that is meant, with the year first'],
    ['9:30', 'has a time but no date: write both, such as 2026-11-24 07:30'],
    ['24.11.26', 'has a year of two digits: write it with four, such as 2026-11-24'],
    ['2026-02-30', 'is not a day or time that exists: must be like 2026-11-24 07:30'],
    ['31/31/2026', 'is not a day or time that exists: must be like 2026-11-24 07:30'],
    ['2026-11-24T25:00', 'is not a day or time that exists: must be like 2026-11-24 07:30'],
    ['2026-11-24T07:30[Asia/Tokyo]', RULE],
    ['2026-11-24 in the morning', RULE],
    ['1899-12-31T23:59Z', RULE],
    ['1790000000000', DATE_RULE],
    ['yesterday', DATE_RULE],
    ['24 Nonsense 2026', DATE_RULE],
    ['', DATE_RULE],
    ['2'.repeat(70_000), RULE],
  ])('refuses %.40j, and says why', (text, rule) => {
    expect(read(text)).toBe(rule);
  });

  it('moves a skipped local time forward, and takes the first of a repeated one', () => {
    expect(read('2026-03-08 02:30', 'America/New_York')).toBe('2026-03-08T07:30:00.000Z');
    expect(read('2026-11-01 01:30', 'America/New_York')).toBe('2026-11-01T05:30:00.000Z');
  });

  it('reads every RFC 3339 instant, and does not throw for any text', () => {
    const instants = fc.date({
      min: new Date('1900-01-01T00:00:00Z'),
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

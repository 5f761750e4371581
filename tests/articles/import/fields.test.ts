import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/articles/import/fields.ts';

const read = (text: string, zone = 'Asia/Shanghai'): string | null => {
  const instant = parseInstant(text, zone);
  return instant === null ? null : new Date(instant).toISOString();
};

describe('parseInstant', () => {
  it.each([
    ['2026-11-24T07:30:00+08:00', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24T07:30:00Z', '2026-11-24T07:30:00.000Z'],
    ['2026-11-24t07:30:00.123z', '2026-11-24T07:30:00.123Z'],
    ['2026-11-24 07:30:00 +0800', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24T07:30', '2026-11-23T23:30:00.000Z'],
    ['2026-11-24 07:30:05', '2026-11-23T23:30:05.000Z'],
  ])('parses %s as %s in Shanghai', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    '2026-11-24',
    '2026-02-30T00:00Z',
    '2026-11-24T25:00',
    'Tue, 24 Nov 2026 07:30:00 +0800',
    '1790000000000',
    '1899-12-31T23:59Z',
    '2026-11-24T07:30[Asia/Tokyo]',
    '',
  ])('rejects %j', (text) => {
    expect(read(text)).toBeNull();
  });

  it('moves a skipped local time forward, and takes the first of a repeated one', () => {
    expect(read('2026-03-08 02:30', 'America/New_York')).toBe('2026-03-08T07:30:00.000Z');
    expect(read('2026-11-01 01:30', 'America/New_York')).toBe('2026-11-01T05:30:00.000Z');
  });

  it('parses every RFC 3339 instant, and does not throw for any text', () => {
    const instants = fc.date({
      min: new Date('1900-01-01T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instants, (date) => {
        expect(parseInstant(date.toISOString(), 'UTC')).toBe(date.getTime());
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => parseInstant(text, 'Europe/Berlin')).not.toThrow();
      }),
    );
  });
});

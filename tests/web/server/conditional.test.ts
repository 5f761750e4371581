import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { httpDate, isNotModified, matchesHash } from '../../../src/web/server/conditional.ts';
import { processorTime } from '../../support/processor-time.ts';

const MODIFIED = Date.UTC(2026, 10, 24, 12, 43, 0, 700);
const validators = { etag: '"abc"', modifiedAt: MODIFIED };
const asked = (headers: Record<string, string>): boolean => isNotModified(new Headers(headers), validators);

describe('If-None-Match', () => {
  it.each([['"abc"'], ['W/"abc"'], ['"x", "abc"'], ['"x",W/"abc" , "y"'], ['*'], [' * '], ['"a,b", "abc"']])(
    '%s matches',
    (value) => {
      expect(asked({ 'If-None-Match': value })).toBe(true);
    },
  );

  it.each([['"abcd"'], ['abc'], [''], ['"a,abc,b"'], ['"*"'], ['W/"*"'], ['w/"abd"']])('%s does not match', (value) => {
    expect(asked({ 'If-None-Match': value })).toBe(false);
  });

  it('takes precedence over If-Modified-Since', () => {
    expect(asked({ 'If-None-Match': '"other"', 'If-Modified-Since': httpDate(MODIFIED) })).toBe(false);
    expect(asked({ 'If-None-Match': '"abc"', 'If-Modified-Since': httpDate(0) })).toBe(true);
  });

  it('never throws, and matches only a tag or an asterisk', () => {
    fc.assert(
      fc.property(fc.string().map(headerValue), (value) => {
        const matches = asked({ 'If-None-Match': value });
        expect(matches).toBe(value.trim() === '*' || (matches && value.includes('"abc"')));
      }),
    );
  });
});

describe('matchesHash', () => {
  it.each(['"abc"', 'W/"abc-br"', '"x", "abc-gzip--gzip;gzip"'])('accepts %s', (noneMatch) => {
    expect(matchesHash(noneMatch, 'abc')).toBe(true);
  });

  it.each(['"abcd"', '"ab"', '"abc-gzipx"', '"abc-"', '"-gzip"', 'abc'])('does not accept %s', (noneMatch) => {
    expect(matchesHash(noneMatch, 'abc')).toBe(false);
  });

  it('takes no longer for a tag of many suffixes', () => {
    // The time was proportional to the square of the length: 1.5 s.
    for (const tag of ['"abc', '"']) {
      const time = processorTime(() => {
        expect(matchesHash(`${tag}${'-gzip'.repeat(20_000)}x"`, 'abc')).toBe(false);
      });
      expect(time).toBeLessThan(1_000);
    }
  });
});

describe('If-Modified-Since', () => {
  it.each([
    ['Tue, 24 Nov 2026 12:43:00 GMT'],
    ['Tuesday, 24-Nov-26 12:43:00 GMT'],
    ['Tue Nov 24 12:43:00 2026'],
    ['Wed, 25 Nov 2026 00:00:00 GMT'],
  ])('%s is not before the change, in whole seconds', (value) => {
    expect(asked({ 'If-Modified-Since': value })).toBe(true);
  });

  it.each([
    ['Tue, 24 Nov 2026 12:42:59 GMT'],
    ['Sunday, 06-Nov-94 08:49:37 GMT'],
    ['Tue Nov  3 12:43:00 2026'],
    ['2026-11-25T00:00:00Z'],
    ['Tue, 24 Nov 2099 12:43:00 +0000'],
    ['Tue, 99 Foo 2026 12:43:00 GMT'],
    [''],
  ])('"%s" is before the change, or not an HTTP date', (value) => {
    expect(asked({ 'If-Modified-Since': value })).toBe(false);
  });

  it('parses what httpDate writes, for every instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (instant) => {
        const headers = new Headers({ 'If-Modified-Since': httpDate(instant) });
        expect(isNotModified(headers, { etag: '"a"', modifiedAt: instant })).toBe(true);
        expect(isNotModified(headers, { etag: '"a"', modifiedAt: instant + 1_000 })).toBe(false);
      }),
    );
  });
});

function headerValue(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '');
}

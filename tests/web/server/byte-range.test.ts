import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestedRange } from '../../../src/web/server/byte-range.ts';

const MODIFIED = Date.UTC(2026, 10, 24, 12, 43) + 250;
const VALIDATORS = { etag: '"a-1"', modifiedAt: MODIFIED };
const BYTES = Buffer.from('0123456789');

/** The bytes that a client gets; null for the whole file. */
function part(range: string, more: Record<string, string> = {}, size = BYTES.length): string | null {
  const found = requestedRange(new Headers({ Range: range, ...more }), size, VALIDATORS);
  if (found === null || found === 'none') return found;
  return BYTES.subarray(found.start, found.end + 1).toString();
}

describe('a byte range', () => {
  it('is the first bytes, those in the middle, the last ones, or all from one on', () => {
    expect(part('bytes=0-0')).toBe('0');
    expect(part('bytes=2-4')).toBe('234');
    expect(part('bytes=7-')).toBe('789');
    expect(part('bytes=7-99')).toBe('789');
    expect(part('bytes=-3')).toBe('789');
    expect(part('bytes=-99')).toBe('0123456789');
    expect(part('Bytes= 2-4 ')).toBe('234');
  });

  it('cannot begin after the end, or be the last no bytes', () => {
    for (const range of ['bytes=10-', 'bytes=10-12', `bytes=${'9'.repeat(400)}-`, 'bytes=-0']) {
      expect(part(range), range).toBe('none');
    }
  });

  it('is the whole file for several ranges, another unit, and what is no range', () => {
    const ranges = ['bytes=0-1,4-5', 'bytes=0-1, -1', 'items=0-1', 'bytes=-', 'bytes=4-2', 'bytes=1-x', 'bytes=+1-2'];
    for (const range of [...ranges, 'bytes', '', 'bytes=1-2;q=1', 'bytes=0x1-2', 'bytes=1e0-2']) {
      expect(part(range), range).toBeNull();
    }
    expect(part('bytes=0-', {}, 0)).toBeNull();
    expect(requestedRange(new Headers(), BYTES.length, VALIDATORS)).toBeNull();
  });

  it('is sent only of the file that the client has, by its tag or its exact date', () => {
    const sent = [VALIDATORS.etag, 'Tue, 24 Nov 2026 12:43:00 GMT'];
    for (const tag of sent) expect(part('bytes=1-2', { 'If-Range': tag }), tag).toBe('12');
    const others = ['"b"', 'W/"a-1"', '*', '', 'Tue, 24 Nov 2026 12:43:01 GMT', 'Tue, 24 Nov 2026 12:42:59 GMT'];
    for (const tag of others) expect(part('bytes=1-2', { 'If-Range': tag }), tag).toBeNull();
    const undated = new Headers({ Range: 'bytes=1-2', 'If-Range': 'Tue, 24 Nov 2026 12:43:00 GMT' });
    expect(requestedRange(undated, BYTES.length, { etag: '"a-1"' })).toBeNull();
  });

  it('is what a naive reading of the header selects, whatever the numbers', () => {
    const number = fc.option(fc.nat(25), { nil: null });
    fc.assert(
      fc.property(fc.nat(20), number, number, (size, first, last) => {
        const found = requestedRange(new Headers({ Range: `bytes=${first ?? ''}-${last ?? ''}` }), size, VALIDATORS);
        const all = Array.from({ length: size }, (_, at) => at);
        const isRange = (first !== null || last !== null) && !(first !== null && last !== null && last < first);
        const from = first ?? size - (last ?? 0);
        const until = first === null ? size : (last ?? size);
        const chosen = all.filter((at) => at >= from && at <= until);
        const part = chosen.length === 0 ? 'none' : { start: chosen[0], end: chosen.at(-1) };
        expect(found).toEqual(size === 0 || !isRange ? null : part);
      }),
    );
  });

  it('is valid or the whole file for any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{0,40}$/), fc.nat(20), (range, size) => {
        const found = requestedRange(new Headers({ Range: `bytes=${range}` }), size, VALIDATORS);
        if (found === null || found === 'none') return;
        expect(found.start).toBeGreaterThanOrEqual(0);
        expect(found.start).toBeLessThanOrEqual(found.end);
        expect(found.end).toBeLessThan(size);
      }),
    );
  });
});

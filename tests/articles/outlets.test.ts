import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outlet } from '../../src/articles/article.ts';
import { otherOutlets, outletKey, outletKeys } from '../../src/articles/outlets.ts';

const outlet = (name: string, url: string | null = null): Outlet => ({ name, url });
const item = (name: string | null, ...also: string[]) => ({
  outlet: name === null ? null : { ...outlet(name), publishedAt: null },
  also: also.map((one) => outlet(one)),
});
const names = (...items: ReturnType<typeof item>[]): string[] => otherOutlets(items).map((one) => one.name);

describe('the other outlets of an event', () => {
  it('are those that its first item names, then the others with theirs, each once', () => {
    expect(names(item('A', 'B', 'C'), item('C', 'D'), item('B'), item('E', 'A'))).toEqual(['B', 'C', 'D', 'E']);
    expect(names(item('A'))).toEqual([]);
    expect(names(item(null, 'B'), item('A'))).toEqual(['B', 'A']);
  });

  it('are the same outlet in another case, width or spacing', () => {
    expect(names(item('The Example', 'THE  EXAMPLE', 'Ｔｈｅ Example', 'The Examples'))).toEqual(['The Examples']);
  });

  it('are at most 20', () => {
    const many = Array.from({ length: 15 }, (_, n) => `Outlet ${n}`);
    expect(names(item('A', ...many), item('B', ...many.map((name) => `${name} II`)))).toHaveLength(20);
  });

  it('lose addresses that would fill the email, and stay', () => {
    const long = `https://example.com/${'a'.repeat(3_000)}`;
    const also = ['A', 'B', 'C', 'D'].map((name) => outlet(name, long));
    expect(otherOutlets([{ outlet: null, also }]).map(({ url }) => url)).toEqual([long, long, null, null]);
  });

  it('are different ones, not the first, for any names', () => {
    const name = fc.oneof(fc.constantFrom('A', 'a', ' A ', 'ﬁ', 'FI', 'İ'), fc.string({ unit: 'binary' }));
    const items = fc.array(
      fc.tuple(fc.option(name), fc.array(name, { maxLength: 6 })).map(([first, also]) => item(first, ...also)),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(items, (some) => {
        const keys = otherOutlets(some).map((one) => outletKey(one.name));
        const [first] = some;
        expect(new Set(keys).size).toBe(keys.length);
        if (first?.outlet) expect(keys).not.toContain(outletKey(first.outlet.name));
        expect(keys.every((key) => some.flatMap(outletKeys).includes(key))).toBe(true);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinPieces, spansOf, withoutItems } from '../../../src/feeds/formats/pieces.ts';

const pieces = fc.record({
  head: fc.string({ unit: 'binary' }),
  items: fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.toWellFormed())),
  separator: fc.constantFrom('', ',', ',\n'),
  tail: fc.string({ unit: 'binary' }),
});

describe('a document in pieces', () => {
  it('without some of its items is what those of the others would join to', () => {
    fc.assert(
      fc.property(pieces, fc.func(fc.boolean()), (whole, isKnown) => {
        const spans = spansOf(whole);
        const known = new Set(spans.items.map(([key]) => key).filter((key) => isKnown(key)));
        const kept = whole.items.filter((_, index) => !known.has(spans.items[index]?.[0] as string));
        const cut = withoutItems(Buffer.from(joinPieces(whole)), spans, known);
        if (known.size === 0) expect(cut).toBeNull();
        else expect(cut?.toString()).toBe(Buffer.from(joinPieces({ ...whole, items: kept })).toString());
      }),
    );
  });

  it('names an item anew when a byte of it changes', () => {
    const key = (item: string): string | undefined =>
      spansOf({ head: '', items: [item], separator: '', tail: '' }).items[0]?.[0];
    expect(key('<item>a</item>')).toBe(key('<item>a</item>'));
    expect(key('<item>a</item>')).not.toBe(key('<item>b</item>'));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText } from '../../../src/lib/text/clean-text.ts';

const [LRE, RLO, PDF] = ['\u202a', '\u202e', '\u202c'];
const [LRI, FSI, PDI] = ['\u2066', '\u2068', '\u2069'];

const anyDirections = fc.array(
  fc.constantFrom('a', 'ש', '\n', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', LRI, '\u2067', FSI, PDI),
);
/** Text in which every direction that begins also ends. */
const { balanced } = fc.letrec<{ balanced: string; pair: string }>((tie) => ({
  balanced: fc
    .array(fc.oneof(fc.constantFrom('a', 'ש', ' '), tie('pair')), { maxLength: 4 })
    .map((parts) => parts.join('')),
  pair: fc
    .tuple(
      fc.constantFrom(
        ['\u202a', PDF],
        ['\u202b', PDF],
        ['\u202d', PDF],
        [RLO, PDF],
        [LRI, PDI],
        ['\u2067', PDI],
        [FSI, PDI],
      ),
      tie('balanced'),
    )
    .map(([[begin, end], inside]) => `${begin}${inside}${end}`),
}));

/** Removes pairs from the inside to the outside: what is left has no pair. */
function unpaired(text: string): string {
  const directions = text.replace(/[^\u202a-\u202e\u2066-\u2069]/g, '');
  const shorter = directions.replace(/[\u202a\u202b\u202d\u202e]\u202c|[\u2066-\u2068]\u2069/g, '');
  return shorter === directions ? directions : unpaired(shorter);
}

describe('cleaning directions of text', () => {
  it.each([
    [`invoice${RLO}fdp.exe`, 'invoicefdp.exe'],
    [`a${PDF}b${PDI}c`, 'abc'],
    // Each paragraph shows on its own.
    [`photo_${RLO}gnp.exe\n\nb${PDF}`, 'photo_gnp.exe\n\nb'],
    [`a ${FSI}שלום${PDI} b`, `a ${FSI}שלום${PDI} b`],
    [`a${LRE}b${PDF}${PDF}c`, `a${LRE}b${PDF}c`],
    // An isolate ends the embeddings within it (UAX #9, rule X6a).
    [`${LRI}a${RLO}b${PDI}c${PDF}`, `${LRI}ab${PDI}c`],
    [`${LRE}a${LRI}b${PDF}c${PDI}`, `a${LRI}bc${PDI}`],
    ['left-to-right mark \u200e, right-to-left mark \u200f', 'left-to-right mark \u200e, right-to-left mark \u200f'],
  ])('makes %j into %j', (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  it('leaves no direction without its pair, and no other change', () => {
    fc.assert(
      fc.property(anyDirections, (characters) => {
        const text = characters.join('');
        const clean = cleanText(text);
        expect(unpaired(clean)).toBe('');
        expect(clean.replace(/[\u202a-\u202e\u2066-\u2069]/g, '')).toBe(
          text.replace(/[\u202a-\u202e\u2066-\u2069]/g, ''),
        );
        expect(cleanText(clean)).toBe(clean);
      }),
    );
  });

  it('changes nothing in a text whose directions are paired', () => {
    fc.assert(
      fc.property(balanced, (text) => {
        expect(cleanText(text)).toBe(text);
      }),
    );
  });
});

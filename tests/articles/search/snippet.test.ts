import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWordQuery, type WordQuery } from '../../../src/articles/search/search-terms.ts';
import { excerpt, markParts } from '../../../src/articles/search/snippet.ts';
import { anyText } from '../../support/any-text.ts';

const query = (words: string): WordQuery => parseWordQuery(words) as WordQuery;
const marked = (text: string, words: string): string =>
  markParts(text, query(words))
    .map((part) => (part.isMatch ? `[${part.text}]` : part.text))
    .join('');

describe('markParts', () => {
  it.each([
    ['ferr', 'A Ferry and two ferries', 'A [Ferry] and two [ferries]'],
    ['elysee', 'À l’Élysée, hier', 'À [l’Élysée], hier'],
    ['strasse', 'Die Straße', 'Die [Straße]'],
    ['下调', '央行下调利率，再下调', '央行[下调]利率，再[下调]'],
    ['央行 行下', '央行下调', '[央行][下]调'],
    ['شركة', 'شَرِكَة الطاقة', '[شَرِكَة] الطاقة'],
    ['b', '<b>&amp;', '<[b]>&amp;'],
  ])('marks %j in %j', (words, text, expected) => {
    expect(marked(text, words)).toBe(expected);
  });

  it('loses nothing of a text, whatever it is', () => {
    fc.assert(
      fc.property(anyText(60), anyText(8), (text, words) => {
        const parsed = parseWordQuery(words);
        if (parsed === null) return;
        expect(
          markParts(text, parsed)
            .map((part) => part.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });
});

describe('excerpt', () => {
  const textOf = (text: string, words: string): string =>
    excerpt(text, query(words))
      .map((part) => part.text)
      .join('');

  it('shows the words around the first match, cut between words', () => {
    const text = `${'alpha beta '.repeat(50)}ferry ${'gamma delta '.repeat(50)}`.trim();
    expect(textOf(text, 'ferry')).toMatch(/^…(alpha |beta )+ferry (gamma |delta )+(gamma|delta)…$/);
  });

  it('cuts Chinese between characters, also those of two code units', () => {
    const text = `${'\u{20000}'.repeat(100)}央行${'利'.repeat(300)}`;
    expect(textOf(text, '央行')).toMatch(/^…\u{20000}{20,31}央行利+…$/u);
  });

  it('is the beginning of a text without the words', () => {
    expect(textOf('A short text.', 'ferry')).toBe('A short text.');
  });
});

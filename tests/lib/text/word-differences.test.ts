import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TextPart, wordDifferences } from '../../../src/lib/text/word-differences.ts';
import { anyText } from '../../support/any-text.ts';

/** As in `the [-old-] {+new+} ferry`. */
const inMarks = (parts: TextPart[]): string =>
  parts.map(({ kind, text }) => (kind === 'same' ? text : kind === 'removed' ? `[-${text}-]` : `{+${text}+}`)).join('');

const textOf = (parts: TextPart[], other: TextPart['kind']): string =>
  parts
    .filter(({ kind }) => kind !== other)
    .map(({ text }) => text)
    .join('');

describe('the differences of two texts', () => {
  it.each([
    ['', '', ''],
    ['same', 'same', 'same'],
    ['', 'new', '{+new+}'],
    ['old', '', '[-old-]'],
    ['The ferry burns off Naxos.', 'The ferry sinks off Naxos.', 'The ferry [-burns-]{+sinks+} off Naxos.'],
    ['Ferry burns', 'Ferry burns again', 'Ferry burns{+ again+}'],
    ['央行下调利率', '央行上调利率', '央行[-下-]{+上+}调利率'],
    ['غادرت العبّارة الميناء', 'غادرت السفينة الميناء', 'غادرت [-العبّارة-]{+السفينة+} الميناء'],
  ])('of %j and %j are whole words', (first, second, marked) => {
    expect(inMarks(wordDifferences(first, second))).toBe(marked);
  });

  it('give both texts back, with no empty part and no two neighbours of one kind', () => {
    const words = fc.array(fc.constantFrom('a', 'b', ' ', '\n', '船', 'ß', '🚢', '.'), { maxLength: 30 });
    const text = fc.oneof(
      anyText(40),
      words.map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, text, (first, second) => {
        const parts = wordDifferences(first, second);
        expect([textOf(parts, 'added'), textOf(parts, 'removed')]).toEqual([first, second]);
        expect(parts.every(({ text: part }) => part !== '')).toBe(true);
        expect(parts.some(({ kind }, index) => kind === parts[index - 1]?.kind)).toBe(false);
      }),
    );
  });

  it('are found by lines in long texts, and as one change where nothing is in common', () => {
    const line = (n: number): string => `Line ${n} of a long text about a ferry.\n`;
    const lines = Array.from({ length: 2_000 }, (_, n) => line(n));
    const changed = lines.with(700, 'Another line.\n');
    const parts = wordDifferences(lines.join(''), changed.join(''));
    expect(parts.filter(({ kind }) => kind !== 'same')).toEqual([
      { kind: 'removed', text: line(700) },
      { kind: 'added', text: 'Another line.\n' },
    ]);
    const [first, second] = ['a\n'.repeat(100_000), 'b\n'.repeat(100_000)];
    expect(wordDifferences(first, second)).toEqual([
      { kind: 'removed', text: first },
      { kind: 'added', text: second },
    ]);
  });
});

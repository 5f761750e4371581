import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrapText } from '../../../src/editions/rendering/wrap-text.ts';
import { processorTime } from '../../support/processor-time.ts';
import { runs } from '../../support/run-scope.ts';

const words = fc.array(
  fc.oneof(
    fc.stringMatching(/^[a-z.,]{1,12}$/),
    fc.constantFrom('高温来袭，', '云南（水电）减少。', '🚀', 'e\u0301a', '5G手机', '(https://a.example/b)', '…'),
    fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }),
  ),
  { maxLength: 40 },
);

describe('wrapText', () => {
  it('breaks at spaces, before the line is too wide', () => {
    expect(wrapText('one two three four', 9)).toBe('one two\nthree\nfour');
    expect(wrapText('costs 3\u00a0000\u202f€ now', 11)).toBe('costs\n3\u00a0000\u202f€ now');
  });

  it('indents continuation lines like their first line', () => {
    expect(wrapText('  one two three', 9)).toBe('  one two\n  three');
  });

  it('breaks CJK text except before closing and after opening punctuation', () => {
    expect(wrapText('高温来袭，云南水电减少', 8)).toBe('高温来\n袭，云南\n水电减少');
    expect(wrapText('高温来（云南）', 8)).toBe('高温来\n（云南）');
  });

  it('breaks Korean at spaces only, and no line after an opening bracket', () => {
    expect(wrapText('전력 수급이 빠듯하다', 11)).toBe('전력 수급이\n빠듯하다');
    expect(wrapText('高温来（Nio）', 8)).toBe('高温来\n（Nio）');
    expect(wrapText('prices (三星)', 8)).toBe('prices\n(三星)');
    expect(wrapText('水电(三星)', 6)).toBe('水电\n(三星)');
    expect(wrapText('三星“「Nio」', 8)).toBe('三星\n“「Nio」');
    expect(wrapText('か\u3099か\u3099', 2)).toBe('か\u3099\nか\u3099');
  });

  it('ends a URL at the first character that no URL has', () => {
    expect(wrapText('https://a.example/b。三星发布新品', 22)).toBe('https://a.example/b 。\n三星发布新品');
    expect(wrapText('（https://a.example/b）三星', 24)).toBe('（https://a.example/b ）\n三星');
  });

  it.each([
    ['（mei@example.com）、编辑', '（mei@example.com ）、编辑'],
    ['(https://example.com/a)、b', '(https://example.com/a )、b'],
    ['(https://example.com/a)7000万', '(https://example.com/a )7000万'],
    ['(https://example.com/a)، (https://example.com/b)', '(https://example.com/a )، (https://example.com/b)'],
    ['\u2068mei@example.com\u2069)', '\u2068mei@example.com \u2069)'],
    ['为ada@example.com订阅：', '为ada@example.com 订阅：'],
    ['%%a1:unsubscribe%%）', '%%a1:unsubscribe%% ）'],
    ...['(https://example.com/a_(b)), (https://example.com/c).', 'ada@example.com, https://example.com/?a=1&b'].map(
      twice,
    ),
    ...['https://example.com/straße/x', 'ada@mail.bücher.example', 'medium.example/@ada.b/x', '%%a1:headline%%）'].map(
      twice,
    ),
  ])('separates an address from what mail programs would take for a part of it: %s', (text, expected) => {
    expect(wrapText(text, 200)).toBe(expected);
  });

  it('leaves no address with more at its end, in any brackets, lists and languages', () => {
    const address = fc.constantFrom('https://example.com/a?b=c', 'https://example.com/(d)', 'ada.b@mail.example.com');
    const after = fc.stringMatching(/^[)\]）】」、，。；：،؛\u2069"'.,;:!?]{0,3}[和から은]{0,2}[ \n三]$/u);
    fc.assert(
      fc.property(fc.constantFrom('(', '（', '\u2068', ' ', '：'), address, after, (before, one, rest) => {
        const [found = ''] = wrapText(before + one + rest, 200)
          .slice(before.length)
          .split(/\s/);
        expect(found.replace(/[)\].,;:!?'"]+$/, '')).toBe(one.replace(/\)$/, ''));
      }),
      { numRuns: runs(1_000) },
    );
  });

  it('takes as long for brackets as for letters', () => {
    const took = processorTime(() => expect(wrapText('('.repeat(300_000), 20)).toHaveLength(300_000));
    expect(took).toBeLessThan(2_000);
  });

  it('counts two columns for wide characters and none for combining marks', () => {
    expect(wrapText('三星 abc', 8)).toBe('三星 abc');
    expect(wrapText('三星 abc', 7)).toBe('三星\nabc');
    expect(wrapText('🚀🚀 a', 5)).toBe('🚀🚀\na');
    expect(wrapText('e\u0301e\u0301e\u0301 a', 5)).toBe('e\u0301e\u0301e\u0301 a');
  });

  it('never breaks a URL or separates it from its bracket', () => {
    const url = `https://wire.example.com/articles/${'long-'.repeat(20)}end`;
    expect(wrapText(`See 新闻（${url} or more (${url})`, 40).split('\n')).toEqual(
      expect.arrayContaining([`（${url}`, `(${url})`].map((expected) => expect.stringContaining(expected))),
    );
  });

  it('removes only the spaces at line breaks, for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          words.map((list) => list.join(' ')),
          fc.string({ unit: 'binary', maxLength: 300 }),
        ),
        (text) => {
          expect(wrapText(text, 20).replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        },
      ),
    );
  });

  it('leaves no line too wide that can be broken, and breaks no URL', () => {
    fc.assert(
      fc.property(words, (list) => {
        const lines = wrapText(list.join(' '), 20).split('\n');
        for (const line of lines) if (line.includes(' ')) expect(columns(line)).toBeLessThanOrEqual(20);
        for (const url of list.filter((word) => word.startsWith('https:')))
          expect(lines.some((line) => line.includes(url))).toBe(true);
      }),
    );
  });
});

function twice(text: string): [string, string] {
  return [text, text];
}

/** Sufficient for the words above. */
function columns(line: string): number {
  return [...line].reduce(
    (sum, character) => sum + (character === '\u0301' ? 0 : /[\u3000-\u9fff\uff00-\uffef🚀]/u.test(character) ? 2 : 1),
    0,
  );
}

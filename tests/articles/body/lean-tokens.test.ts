import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { useLeanTokens } from '../../../src/articles/body/lean-tokens.ts';

const PIECES = [
  ...['*', '**', '_', '__', '~~', '`', '``', '[', '](', ')', '](/x "t")', '![', '[r]', '\n[r]: /r\n', '<b>', '</b>'],
  ...[
    '# ',
    '> ',
    '- ',
    '1. ',
    '    ',
    '---\n',
    '```js\n',
    '| a | b |\n|---|---|\n',
    '| c | d |\n',
    '\\*',
    '&amp;',
    '\\',
  ],
  ...['\n', '\n\n', '  \n', 'a', 'B c', '三', '“', 'http://x.example', '<http://y.example>', '<!-- x -->', '<div>\n'],
];

describe('lean tokens', () => {
  it('are those of markdown-it, with its methods', () => {
    const [usual, lean] = [new MarkdownIt({ html: true }), new MarkdownIt({ html: true })];
    useLeanTokens(lean);
    const sources = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(sources, (source) => {
        const tokens = lean.parse(source, {});
        expect(tokens).toEqual(usual.parse(source, {}));
        for (const token of tokens.flatMap((one) => [one, ...(one.children ?? [])])) {
          expect(token).toBeInstanceOf(MarkdownIt.Token);
          expect(Object.getPrototypeOf(token)).not.toBe(MarkdownIt.Token.prototype);
        }
        expect(lean.render(source)).toBe(usual.render(source));
      }),
      { numRuns: 2_000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginningOfText } from '../../src/articles/beginning.ts';
import { sanitiseHtml } from '../../src/articles/sanitise.ts';
import { cleanLine } from '../../src/lib/text/clean-text.ts';

const SITES = { publicUrl: 'http://a.example', sourceOrigins: [] };

describe('beginningOfText', () => {
  it('is the text on one line, without tags and references', () => {
    const body = '<p>A &amp; B &lt;c&gt;</p>\n<p>three &#x33; &hellip;<br />&am<b>p;</b></p>';
    expect(beginningOfText(body, 100)).toBe('A & B <c> three 3 &hellip; &');
  });

  it('is the beginning of the whole text, for any body', () => {
    const piece = fc.oneof(
      fc.constantFrom('<p>', '</p>', '<b>', '<br>', '<a href="http://a.example/?a=1&b=2">', '<', '>', '&', '&amp;amp;'),
      fc.constantFrom('  \n', '\u00a0', '\u200b', 'word ', 'e\u0301', '三', '😀'.repeat(20), 'some words '.repeat(300)),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
    );
    const body = fc.array(piece, { maxLength: 30 }).map((pieces) => sanitiseHtml(pieces.join(''), SITES));
    const lengths = fc.constantFrom(1, 20, 280, 5_000);
    fc.assert(
      fc.property(body, lengths, ({ html }, length) => {
        const text = cleanLine(
          html
            .replace(/<\/?[ab]\b[^>]*>/g, '')
            .replace(/<[^>]*>/g, ' ')
            .replace(/&(amp|lt|gt|quot);/g, (_, name: 'amp') => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name]),
        );
        const beginning = beginningOfText(html, length);
        expect(beginning.slice(0, length)).toBe(text.slice(0, length));
        expect(beginning.length).toBeGreaterThanOrEqual(Math.min(length, text.length));
      }),
    );
  });

  it('has no references to footnotes', () => {
    expect(beginningOfText('<p>Up a fifth,<sup>[1]</sup> in m<sup>2</sup>.</p>', 100)).toBe('Up a fifth, in m2.');
  });

  it('does not read a body to its end', () => {
    expect(beginningOfText('<p>some words</p>'.repeat(60_000), 280).length).toBeLessThan(5_000);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NOTE_LENGTH, renderNote } from '../../../src/editions/rendering/note.ts';
import { anyText } from '../../support/any-text.ts';

const config = { publication: { url: 'https://wire.example.com' }, sources: [] } as unknown as Parameters<
  typeof renderNote
>[1];
const note = (markdown: string) => renderNote(markdown, config);

describe("the editor's note", () => {
  it('has paragraphs, lists, links and emphasis, as HTML and as text', () => {
    expect(note('Good *morning*.\n\n- One, [here](/articles/one)\n- Two\n\nSee you **tomorrow**.')).toEqual([
      { html: 'Good <em>morning</em>.', text: 'Good morning.' },
      {
        html: '• One, <a href="https://wire.example.com/articles/one">here</a>',
        text: '• One, here (https://wire.example.com/articles/one)',
      },
      { html: '• Two', text: '• Two' },
      { html: 'See you <strong>tomorrow</strong>.', text: 'See you tomorrow.' },
    ]);
  });

  it('shows a heading as a bold paragraph, even if it has nothing else', () => {
    expect(note('# A word')).toEqual([{ html: '<strong>A word</strong>', text: 'A word' }]);
  });

  it('is empty without visible text', () => {
    for (const markdown of ['', ' \n\n ', '![](https://example.com/i.png)', '<!-- later -->'])
      expect(note(markdown)).toEqual([]);
  });

  it('is harmless markup of bounded length for any text', () => {
    const piece = fc.oneof(
      anyText(20),
      fc.constantFrom('<script>alert(1)</script>', '<p onclick=x>', '[a](javascript:alert(1))', '<td>', '</p>', '# '),
      fc.constantFrom('[a](http://127.0.0.1/)', '<img src=x onerror=alert(1)>', '| a |\n|---|\n', '- ', '\n\n', '`'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const html = note(pieces.join('')).map((paragraph) => paragraph.html);
        const tags = html.join('').match(/<[^>]*>/g) ?? [];
        for (const tag of tags)
          expect(tag).toMatch(/^<(?:\/?(?:em|strong|b|i|s|code|sub|sup|a)|br \/|a href="(?:https?|mailto):[^"<>]*")>$/);
        expect(html.join('').replace(/<[^>]*>/g, '')).not.toMatch(/[<>]/);
      }),
      { numRuns: 100 },
    );
  });

  it('is cut off at its longest, and links that are used by reference do not multiply it', () => {
    const text = note('好'.repeat(3 * MAX_NOTE_LENGTH)).map((paragraph) => paragraph.text);
    expect(text).toEqual(['好'.repeat(MAX_NOTE_LENGTH)]);
    const references = `[a]: https://example.com/${'x'.repeat(900)}\n\n${'[a]\n\n'.repeat(200)}`;
    const bytes = note(references).reduce((sum, { html }) => sum + Buffer.byteLength(html), 0);
    expect(bytes).toBeLessThanOrEqual(12_000);
  });
});

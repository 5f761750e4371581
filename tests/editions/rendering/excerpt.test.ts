import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sanitiseHtml } from '../../../src/articles/sanitise.ts';
import { buildExcerpt } from '../../../src/editions/rendering/excerpt.ts';
import { processorTime } from '../../support/processor-time.ts';
import { runs } from '../../support/run-scope.ts';

const UNLIMITED = { paragraphs: 20, bytes: 20_000 };
const texts = (html: string, limits = UNLIMITED): string[] => buildExcerpt(html, limits).paragraphs.map((p) => p.text);

describe('an excerpt', () => {
  it('keeps links and emphasis, and has the same content as text', () => {
    const { paragraphs, more } = buildExcerpt(
      '<p>Shipments <strong>rose</strong> by <a href="https://example.com/a?b=1&amp;c=2">67.7%</a> &amp; more.</p>',
      UNLIMITED,
    );
    expect(more).toBe(false);
    expect(paragraphs).toEqual([
      {
        html: 'Shipments <strong>rose</strong> by <a href="https://example.com/a?b=1&amp;c=2">67.7%</a> &amp; more.',
        text: 'Shipments rose by 67.7% (https://example.com/a?b=1&c=2) & more.',
      },
    ]);
  });

  it('has no references to footnotes, which it leaves out', () => {
    const body = '<p>Up a fifth,<sup>[1]</sup> they say.</p><p><sup>[2]</sup></p>';
    expect(buildExcerpt(body, UNLIMITED).paragraphs).toEqual([
      { html: 'Up a fifth, they say.', text: 'Up a fifth, they say.' },
    ]);
  });

  it('takes headings, list items and quotations as paragraphs', () => {
    expect(
      texts(
        '<h2>Why</h2><ul><li>One</li><li><p>Two</p><p>and on</p></li></ul><blockquote><p>Said</p></blockquote>tail',
      ),
    ).toEqual(['Why', '• One', '• Two', 'and on', 'Said', 'tail']);
    expect(buildExcerpt('<h2>Why</h2><p>So.</p>', UNLIMITED).paragraphs[0]?.html).toBe('<strong>Why</strong>');
  });

  it('never ends on a heading, and says then that there is more', () => {
    const body = '<p>One.</p><h2>Why</h2><h3>And how</h3><p>Two.</p>';
    expect(texts(body, { paragraphs: 3, bytes: 900 })).toEqual(['One.']);
    expect(texts(body, { paragraphs: 4, bytes: 900 })).toEqual(['One.', 'Why', 'And how', 'Two.']);
    expect(buildExcerpt('<h2>Why</h2>', UNLIMITED)).toEqual({ paragraphs: [], more: true });
  });

  it('shows the first paragraph even where headings before it take all the space', () => {
    const body = '<h2>Why</h2><p>Because it rained.</p><p>Two.</p>';
    expect(texts(body, { paragraphs: 1, bytes: 900 })).toEqual(['Because it rained.']);
    expect(texts(body, { paragraphs: 3, bytes: 30 })).toEqual(['Because it rained.', 'Two.']);
    expect(texts(`<h2>Why</h2><p>${'word '.repeat(99)}</p>`, { paragraphs: 3, bytes: 60 })).toEqual(['word word…']);
    expect(texts(`<h2>${'Why '.repeat(99)}</h2><p>So.</p>`, { paragraphs: 3, bytes: 60 })).toEqual(['So.']);
  });

  it('ends on no heading, and is empty only if there is nothing else, for any order of blocks and any limits', () => {
    const block = fc.record({
      tag: fc.constantFrom('h2', 'h3', 'dt', 'p', 'li', 'blockquote'),
      length: fc.integer({ min: 1, max: 60 }),
    });
    const limits = fc.record({ paragraphs: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 12, max: 120 }) });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 10 }), limits, (blocks, limit) => {
        const isHeading = (tag: string): boolean => /^h|dt/.test(tag);
        const body = blocks.map(({ tag, length }) => `<${tag}>${(isHeading(tag) ? 'H' : 'p').repeat(length)}</${tag}>`);
        const { paragraphs, more } = buildExcerpt(body.join(''), limit);
        expect(paragraphs.at(-1)?.text ?? '').not.toContain('H');
        expect(paragraphs.length > 0).toBe(blocks.some(({ tag }) => !isHeading(tag)));
        expect(paragraphs.length).toBeLessThanOrEqual(limit.paragraphs);
        if (paragraphs.length < blocks.length) expect(more).toBe(true);
      }),
      { numRuns: runs(300) },
    );
  });

  it('omits pictures, tables and listings with their text, and reports that there is more', () => {
    const { paragraphs, more } = buildExcerpt(
      '<p>A</p><figure><img src="https://example.com/i.png" alt="x" /><figcaption>Cap</figcaption></figure>' +
        '<table><tbody><tr><td><p>cell</p><table></table>more</td></tr></tbody></table><pre>code</pre><p>B</p>',
      UNLIMITED,
    );
    expect(paragraphs.map((p) => p.text)).toEqual(['A', 'B']);
    expect(more).toBe(true);
  });

  it.each([
    ['<p>A first. Installing is as easy as:</p><pre>npm i</pre><p>B.</p>', ['A first.']],
    ['<p>A.</p><p>Installing is <em>as easy as</em>:</p><pre>npm i</pre>', ['A.']],
    ['<p>Installing is as easy as:</p><pre>npm i</pre><p>Then run it.</p>', ['Then run it.']],
    [
      '<p>A <a href="https://example.com/">b.</a> &quot;Well?&quot; See:</p><table></table>',
      ['A b. (https://example.com/) "Well?"'],
    ],
    ['<p><em>Two of us. So:</em></p><pre>x</pre>', []],
    ['<p>Man kann z. B. so:</p><pre>x</pre><p>Fertig.</p>', ['Fertig.']],
    ['<p>第一句。安装如下：</p><pre>x</pre>', ['第一句。']],
    ['<p>One.</p><h2>How</h2><p>Like this:</p><ul><li>First:</li></ul><pre>x</pre>', ['One.']],
    ['<p>It says:</p><p>“Yes.”</p>', ['It says:', '“Yes.”']],
    ['<p>At the end:</p>', ['At the end:']],
  ])('ends before a sentence that ends with a colon where what follows is omitted: %s', (body, expected) => {
    expect(texts(body)).toEqual(expected);
  });

  it('ends before such a sentence at its limit, too', () => {
    const body = '<p>One. Three things:</p><ul><li>A</li><li>B</li></ul>';
    expect(texts(body, { paragraphs: 1, bytes: 900 })).toEqual(['One.']);
    expect(texts(body, { paragraphs: 2, bytes: 900 })).toEqual(['One. Three things:', '• A']);
  });

  it('omits captions without a figure, and keeps paragraphs together around them', () => {
    const body = '<figcaption>Cap</figcaption><p>A <figcaption>cap <em>tion</em></figcaption>b</p>';
    expect(buildExcerpt(body, UNLIMITED)).toEqual({ paragraphs: [{ html: 'A b', text: 'A b' }], more: false });
  });

  it('ends at the limit of paragraphs or of bytes', () => {
    const body = '<p>One.</p><p>Two.</p><p>三三三三</p><p>Four.</p>';
    expect(buildExcerpt(body, { paragraphs: 2, bytes: 900 })).toMatchObject({ more: true, paragraphs: [{}, {}] });
    expect(texts(body, { paragraphs: 9, bytes: 19 })).toEqual(['One.', 'Two.']);
    expect(texts(body, { paragraphs: 9, bytes: 20 })).toEqual(['One.', 'Two.', '三三三三']);
  });

  it('shortens a long first paragraph, without markup', () => {
    const { paragraphs, more } = buildExcerpt(`<p><a href="https://example.com/">${'word & '.repeat(9_000)}</a></p>`, {
      paragraphs: 3,
      bytes: 600,
    });
    expect(more).toBe(true);
    expect(paragraphs).toHaveLength(1);
    expect(Buffer.byteLength(paragraphs[0]?.html ?? '')).toBeLessThanOrEqual(600);
    expect(paragraphs[0]?.html).toMatch(/^word &amp; word .*…$/);
  });

  it('reads only the beginning of a long paragraph, and keeps its tags and references whole', () => {
    const limits = { paragraphs: 3, bytes: 600 };
    const parse = vi.spyOn(Parser.prototype, 'write');
    onTestFinished(() => parse.mockRestore());
    for (const word of ['word ', '<b>word</b> ', '&amp; ', '三', '😀']) {
      const beginning = buildExcerpt(`<p>${word.repeat(20_000)}</p>`, limits);
      expect(buildExcerpt(`<p>${word.repeat(200_000)}</p>`, limits)).toEqual(beginning);
      expect(beginning).toMatchObject({ more: true, paragraphs: [{ text: expect.stringMatching(/…$/) }] });
    }
    const lengths = parse.mock.calls.map(([html]) => html.length);
    expect(lengths).toHaveLength(10);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(50_000);
  });

  it('finds the text after what it omits, however long that is', () => {
    const table = `<table>${'<tr><td>cell</td></tr>'.repeat(10_000)}</table>`;
    expect(buildExcerpt(`${table}<p>${'<br />'.repeat(5_000)}text</p>`, UNLIMITED)).toEqual({
      paragraphs: [{ html: 'text', text: 'text' }],
      more: true,
    });
  });

  it('takes no longer for a long run of spaces or line breaks', () => {
    const unlimited = { paragraphs: 20, bytes: 100_000 };
    for (const space of [' ', '<br />']) {
      let excerpt = buildExcerpt('', unlimited);
      const time = processorTime(() => {
        excerpt = buildExcerpt(`<p>word${space.repeat(45_000 / space.length)}word</p>`, unlimited);
      });
      expect(excerpt.paragraphs[0]?.text).toMatch(/^word\s+word$/);
      // The time was proportional to the square of the length: 1.5 s.
      expect(time).toBeLessThan(1_000);
    }
  });

  it('is sanitised for any input', () => {
    const { paragraphs } = buildExcerpt(
      '<p onclick="x()">A<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">b</a></p>',
      UNLIMITED,
    );
    expect(paragraphs.map((p) => p.html)).toEqual(['Ab']);
  });

  it('is empty for a body without text', () => {
    expect(buildExcerpt('<p> </p><p><br /></p>', UNLIMITED)).toEqual({ paragraphs: [], more: false });
    expect(buildExcerpt('', UNLIMITED)).toEqual({ paragraphs: [], more: false });
  });

  it('is balanced inline markup within its limits, and keeps the words of plain paragraphs in order', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), (paragraphs) => {
        const body = paragraphs.map((p) => `<p>${p.join(' ')}</p>`).join('\n');
        expect(texts(body)).toEqual(paragraphs.map((p) => p.join(' ')));
      }),
    );
    const tags = [
      'p',
      'li',
      'ul',
      'em',
      'a href="https://example.com/"',
      'table',
      'figure',
      'figcaption',
      'pre',
      'h2',
      'br',
      'hr',
      'img',
    ];
    const piece = fc.oneof(
      fc.constantFrom(...tags.flatMap((tag) => [`<${tag}>`, `</${tag.split(' ')[0]}>`])),
      fc.constantFrom('word ', '<', '&', '三星', '"', '<!--', '<script>'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { paragraphs } = buildExcerpt(
          sanitiseHtml(pieces.join(''), { publicUrl: 'https://example.com', sourceOrigins: [] }).html,
          {
            paragraphs: 3,
            bytes: 120,
          },
        );
        expect(paragraphs.length).toBeLessThanOrEqual(3);
        const html = paragraphs.map((p) => p.html).join('');
        expect(Buffer.byteLength(html)).toBeLessThanOrEqual(120 + 30);
        expect(html.replace(/<\/?(em|a|strong|br)( href="[^"]*")?( \/)?>/g, '')).not.toContain('<');
        expect(html.split('<a ').length).toBe(html.split('</a>').length);
        expect(paragraphs.every((p) => p.text.trim() !== '')).toBe(true);
      }),
      { numRuns: runs(300) },
    );
  });
});

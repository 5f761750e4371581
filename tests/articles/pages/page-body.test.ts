import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { pageBody } from '../../../src/articles/pages/page-body.ts';
import { sanitiseHtml, sanitiseMarkdown } from '../../../src/articles/sanitise.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';

const SITE = { publicUrl: 'https://news.example', sourceOrigins: [] };
const LOCALE = localeOf('en', {});
const ofMarkdown = (source: string): string => pageBody(sanitiseMarkdown(source, SITE).html, LOCALE);
const ofHtml = (source: string): string => pageBody(sanitiseHtml(source, SITE).html, LOCALE);

describe('the body of an article on its page', () => {
  it('links footnotes with their places, and back to the first of them', () => {
    const html = ofMarkdown('A.[^x] B.[^y] C.[^x]\n\n[^x]: One.\n\n    More.\n\n[^y]: `Two`');
    const reference = (id: string, number: number): string =>
      `<sup><a${id} href="#note-${number}" role="doc-noteref">[${number}]</a></sup>`;
    const back = (number: number): string =>
      ` <a href="#ref-${number}" role="doc-backlink" aria-label="Back to the text">↩\ufe0e</a>`;
    expect(html.replace(/\n+/g, '')).toBe(
      `<p>A.${reference(' id="ref-1"', 1)} B.${reference(' id="ref-2"', 2)} C.${reference('', 1)}</p>` +
        `<section class="notes" role="doc-endnotes"><ol><li id="note-1"><p>One.</p><p>More.${back(1)}</p></li>` +
        `<li id="note-2"><p><code>Two</code>${back(2)}</p></li></ol></section>`,
    );
  });

  it.each([
    ['a list without references', '<p>a</p><hr><ol><li>b</li></ol>'],
    ['a reference without a note', '<p>a<sup>[1]</sup><sup>[2]</sup></p><hr><ol><li>b</li></ol>'],
    ['a note without a reference', '<p>a<sup>[1]</sup></p><hr><ol><li>b</li><li>c</li></ol>'],
    ['another number', '<p>a<sup>[7]</sup></p><hr><ol><li>b</li></ol>'],
    ['a power', '<p>a<sup>1</sup></p><hr><ol><li>b</li></ol>'],
    ['a text after the list', '<p>a<sup>[1]</sup></p><hr><ol><li>b</li></ol><p>c</p>'],
  ])('links nothing in %s', (_, source) => {
    const { html } = sanitiseHtml(source, SITE);
    expect(pageBody(html, LOCALE)).toBe(html);
  });

  it('aligns the columns that hold numbers alone, with their heads, but never the names of rows', () => {
    const html = ofMarkdown(
      '| Year | Sales | Change | Site |\n|---|---|---|---|\n| 2025 | €1,200 | **−3.5%** | A |\n| 2026 | | – | 4 |',
    );
    const classes = [...html.matchAll(/<(t[hd])( class="number")?>/g)].map(([, , marked]) => marked !== undefined);
    expect(classes).toEqual(Array(3).fill([false, true, true, false]).flat());
    expect(ofHtml('<table><tr><th>a</th><td colspan="2">1</td></tr></table>')).not.toContain('class');
  });

  it('lets the keyboard reach what may scroll by itself', () => {
    expect(ofHtml('<pre>a</pre><table><tr><td>b</td></tr></table>')).toBe(
      '<pre tabindex="0">a</pre><table tabindex="0"><tr><td>b</td></tr></table>',
    );
  });

  it('lets wide pictures be wider than the text, but no tall or small one, and none of unknown size', () => {
    const figure = (attributes: string): string =>
      `<figure><img src="https://e.example/a.png" alt="a > b" ${attributes}></figure>`;
    expect(ofHtml(figure('width="1200" height="800"'))).toContain('<figure class="wide"><img ');
    for (const size of ['width="1200" height="1200"', 'width="1199" height="500"', 'width="1600"', '']) {
      expect(ofHtml(figure(size)), size).toContain('<figure><img ');
    }
  });

  it('stays well-formed with unique ids, and keeps the text, for any body', () => {
    const part = fc.constantFrom(
      ...['<p>', '</p>', '<sup>[1]</sup>', '<sup>[2]</sup>', '<hr>', '<ol>', '</ol>', '<li>', '</li>', '<ul>', '</ul>'],
      ...['<table>', '<tr>', '<td>', '<th>', '</table>', '<figure>', '<img src="/a" width="1500" height="500">'],
      ...['7', 'x', '"', '&lt;li&gt;', '<hr><ol><li>a</li></ol>', '<blockquote>', '<pre>'],
    );
    let linked = 0;
    fc.assert(
      fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
        const { html } = sanitiseHtml(parts.join(''), SITE);
        const shown = pageBody(html, LOCALE);
        const open: string[] = [];
        const ids: string[] = [];
        let text = '';
        const parser = new Parser(
          {
            onopentag: (name, { id }) => {
              open.push(name);
              if (id !== undefined) ids.push(id);
            },
            onclosetag: (name) => expect(open.pop()).toBe(name),
            ontext: (words) => {
              text += words;
            },
          },
          { xmlMode: true },
        );
        parser.end(shown);
        expect(open).toEqual([]);
        expect(new Set(ids).size).toBe(ids.length);
        expect(text.replaceAll(' ↩\ufe0e', '').replace(/\s/g, '')).toBe(
          html
            .replace(/<[^>]*>|\s/g, '')
            .replaceAll('&lt;', '<')
            .replaceAll('&gt;', '>')
            .replaceAll('&amp;', '&'),
        );
        if (ids.length > 0) linked += 1;
      }),
      { examples: [[['<p>', '<sup>[1]</sup>', '<hr><ol><li>a</li></ol>']]] },
    );
    expect(linked).toBeGreaterThan(0);
  });
});

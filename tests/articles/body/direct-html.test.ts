import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { directHtml, type ElementRules } from '../../../src/articles/body/direct-html.ts';
import { BodyError, sanitiseHtml, sanitiseMarkdown } from '../../../src/articles/sanitise.ts';
import { cleanText } from '../../../src/lib/text/clean-text.ts';

const SITE = { publicUrl: 'https://news.example', sourceOrigins: [] };
const markdown = new MarkdownIt({ html: true });

const RULES: ElementRules = {
  renamed: new Map([['h1', 'h2']]),
  maxDepth: 4,
  maxLength: 100,
  attributesOf: (_element, { href, src, alt }): Record<string, string> | null =>
    href?.startsWith('/') ? { href } : src === undefined ? null : { src, alt: alt ?? '' },
};
const direct = (source: string): string | null => directHtml(markdown.parse(source, {}), RULES);

describe('directHtml', () => {
  it.each([
    ['# One & "two"', '<h2>One &amp; "two"</h2>'],
    ['*a* **b** ~~c~~ `d<e>`  \nf', '<p><em>a</em> <strong>b</strong> <s>c</s> <code>d&lt;e&gt;</code><br />\nf</p>'],
    ['[a](/b "t")', '<p><a href="/b">a</a></p>'],
    ['![*a* "b"](/c.png "t")', '<p><img src="/c.png" alt="a &quot;b&quot;" /></p>'],
    ['```js\na < b\n```', '<pre><code>a &lt; b\n</code></pre>'],
    ['- a\n- b\n\n---', '<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<hr />'],
  ])('renders %j', (source, expected) => {
    expect(direct(source)).toBe(expected);
  });

  it.each([
    ['raw HTML', 'a <b>c</b>'],
    ['a block of HTML', '<p>a</p>'],
    ['a link that is removed', '[a](#b)'],
    ['elements that nest deep', '> > > > > a'],
    ['a link in a link', '[a <https://example.com> b](/c)'],
    ['long HTML', 'a'.repeat(101)],
    ['long addresses', '[a](/b)'.repeat(60)],
    ['text in another direction', 'a &#x202A; b'],
    ['a character that is not stored', 'a \ufffe b'],
  ])('leaves %s to the sanitiser', (_what, source) => {
    expect(direct(source)).toBeNull();
  });
});

describe('sanitiseMarkdown', () => {
  const outcome = (sanitised: () => unknown): unknown => {
    try {
      return sanitised();
    } catch (error) {
      if (error instanceof BodyError) return error.message;
      throw error;
    }
  };

  it('gives what the sanitiser makes of the HTML of the Markdown', () => {
    const pieces = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('a', 'b c', ' ', '\n', '\n\n', '*', '**', '_', '~~', '`', '> ', '- ') },
      fc.constantFrom(
        '\n- ',
        '\n  - ',
        '\n1. ',
        '\n123456789. ',
        '\n7) ',
        '\n> ',
        '# ',
        '\n###### ',
        '\n---\n',
        '\n===\n',
      ),
      fc.constantFrom(
        '\n```js\n',
        '\n    ',
        '\t',
        '  \n',
        '\\\n',
        '|',
        '\n|a|b|\n|:-|-:|\n|c|d|\n',
        '\\',
        '<br>',
        '</b>',
      ),
      fc.constantFrom('[', ']', '](', ')', '![', '](/p?a=1&b=2 "t")', '](#x)', '](mailto:a@example.com)', '](i.png)'),
      fc.constantFrom(
        '](javascript:x)',
        '](http://10.0.0.1/)',
        '<https://e.example/é>',
        '[r]',
        '\n[r]: /r\n',
        '<!-- x -->',
      ),
      fc.constantFrom(
        '&amp;',
        '&quot;',
        '&#x202A;',
        '\u202a',
        '\u202c',
        '"',
        "'",
        '<',
        '>',
        '&',
        '😀',
        '\ud800',
        '\u0001',
      ),
    );
    const sources = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(sources, (source) => {
        const rendered = markdown.render(cleanText(source));
        expect(outcome(() => sanitiseMarkdown(source, SITE))).toEqual(outcome(() => sanitiseHtml(rendered, SITE)));
      }),
      { numRuns: 500 },
    );
  });
});

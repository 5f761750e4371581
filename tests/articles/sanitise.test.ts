import fc from 'fast-check';
import sanitizeHtml from 'sanitize-html';
import { describe, expect, it } from 'vitest';
import { BodyError, isBlankBody, sanitiseHtml, sanitiseMarkdown } from '../../src/articles/sanitise.ts';
import { expectGolden } from '../support/golden.ts';
import { runs } from '../support/run-scope.ts';

const SITE = { publicUrl: 'https://news.example', sourceOrigins: [] };
const html = (source: string): string => sanitiseHtml(source, SITE).html;

describe('sanitiseHtml', () => {
  it.each([
    ['<script>alert(1)</script><p>a</p>', '<p>a</p>'],
    ['<p onclick="x()" style="color:red" class="c" id="i">a</p>', '<p>a</p>'],
    ['<a href="javascript:alert(1)">a</a>', 'a'],
    ['<a href="&#106;avascript:alert(1)">a</a>', 'a'],
    ['<a href="java\nscript:alert(1)">a</a>', 'a'],
    ['<a href="https://user:pw@example.com">a</a>', 'a'],
    ['<a href="/x?a=1&b=2">a</a>', '<a href="https://news.example/x?a=1&amp;b=2">a</a>'],
    ['<a href="#note">a</a>', 'a'],
    ['<a href="mailto:a@example.com">a</a>', '<a href="mailto:a@example.com">a</a>'],
    ['<a href="/1"><b>a<a href="/2">b</a></b></a>', '<a href="https://news.example/1"><b>ab</b></a>'],
    ['<img src="/m/a.png">', '<img src="https://news.example/m/a.png" alt="" />'],
    ['<img src="data:image/png;base64,AA" alt="x">', ''],
    [
      '<img src="https://e.example/a.png" alt="&quot;a&quot; <b>" width="10" height="x" srcset="evil">',
      '<img src="https://e.example/a.png" alt="&quot;a&quot; &lt;b&gt;" width="10" />',
    ],
    ['<h1>a</h1><h5>b</h5>', '<h2>a</h2><h4>b</h4>'],
    ['<del>a</del>', '<s>a</s>'],
    ['<div><section>a</section></div>', 'a'],
    ['a<br>b<hr>', 'a<br />b<hr />'],
    ['<p>a<p>b', '<p>a</p><p>b</p>'],
    ['<b><i>a</b></i>', '<b><i>a</i></b>'],
    ['<svg><script>x</script><text>y</text></svg>a', 'a'],
    ['<math><mi>x</mi></math><iframe src="https://e.example">f</iframe>a', 'a'],
    ['<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>', ''],
    ['<!-- c --><![CDATA[x]]>a<?php x ?>', 'a'],
    ['a&#0;b&#1;c&#xFFFE;d&#xD800;', 'a\ufffdbcd\ufffd'],
    ['&lt;script&gt; &amp;amp; ]]>', '&lt;script&gt; &amp;amp; ]]&gt;'],
    ['<td colspan="2" rowspan="0x1">a</td>', '<td colspan="2">a</td>'],
  ])('turns %s into %s', (source, expected) => {
    expect(html(source)).toBe(expected);
  });

  it('refuses a body that becomes far longer than it was written', () => {
    const refused = 'becomes more than 2000000 characters of HTML';
    expect(() => html('&'.repeat(400_001))).toThrow(new BodyError(refused));
    // Two megabytes of links.
    const definition = `[a]: https://e.example/${'x'.repeat(20_000)}`;
    expect(() => sanitiseMarkdown(`${definition}\n\n${'[a] '.repeat(100)}`, SITE)).toThrow(new BodyError(refused));
    expect(html('&'.repeat(399_000))).toHaveLength(1_995_000);
  });

  it('names the elements that were removed with their content', () => {
    const { removed } = sanitiseHtml(
      '<script>a</script><p>x</p><iframe></iframe><img src="x:y"><script></script>',
      SITE,
    );
    expect(removed).toEqual(['<script>', '<iframe>', 'an image without an http or https address']);
  });

  it.each([
    'http://127.0.0.1/',
    'http://10.1.2.3/',
    'https://192.168.1.1:8443/admin',
    'http://0x7f.1/',
    'http://１２７.0.0.1/',
    'http://[::1]/',
    'http://localhost:3000/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://printer.local/',
    'http://cms.internal/',
    'http://intranet/',
    'http://localhost../',
    'http://router.lan/',
    'http://wiki.corp/',
    '//router/',
  ])('removes links and images at the private address %s, and keeps the text of links', (url) => {
    const body = `<p><a href="${url}">the text</a><img src="${url}" alt="x"></p>`;
    const { html, removed } = sanitiseHtml(body, SITE);
    expect(html).toBe('<p>the text</p>');
    expect(removed).toEqual([
      expect.stringMatching(/^a link at the private address .+/),
      expect.stringMatching(/^an image at the private address .+/),
    ]);
  });

  it.each(['https://example.com/', 'https://local.example/', 'https://10.example.com/'])(
    'keeps links to the public address %s',
    (url) => {
      expect(html(`<a href="${url}">a</a>`)).toBe(`<a href="${url}">a</a>`);
    },
  );

  it('keeps links in Markdown to an address of IPv6, and text of images with escapes and entities', () => {
    const source = '[a](http://[2606:4700::1111]:8080/b) ![c \\* AT&amp;T &copy;](/d.png)';
    expect(sanitiseMarkdown(source, SITE).html).toMatch(
      /<a href="http:\/\/\[2606:4700::1111\]:8080\/b">a<\/a> <img src="[^"]+\/d\.png" alt="c \* AT&amp;T ©" \/>/,
    );
  });

  it('keeps links to the publication and its sources at private addresses, but none to others', () => {
    const body = ['/a', 'http://localhost:8080/b', 'http://10.0.0.5/c', 'http://localhost:9000/', 'http://10.0.0.5:81/']
      .map((url) => `<a href="${url}">a</a>`)
      .join('');
    const sites = { publicUrl: 'http://localhost:8080', sourceOrigins: ['http://10.0.0.5'] };
    expect(sanitiseHtml(body, sites).html).toBe(
      '<a href="http://localhost:8080/a">a</a><a href="http://localhost:8080/b">a</a><a href="http://10.0.0.5/c">a</a>aa',
    );
  });

  it.each([
    'mailto:a@example.com%0D%0ABcc:b@example.com',
    'mailto:a@example.com?subject=x%0aBcc:y',
    'mailto:a\nb@example.com',
    'mailto:a@example.com?subject=x%0\tABcc:y',
    'mailto:a@example.com?subject=x%\t0dBcc:y',
  ])('removes the link %j, which has a line break', (url) => {
    const { html, removed } = sanitiseHtml(`<a href="${url}">a</a>`, SITE);
    expect(html).toBe('a');
    expect(removed).toEqual(['a link to an email address with a line break']);
  });

  it.each(['http://user:pw@10.0.0.1/', 'https://user@example.com/', 'javascript:alert(1)', 'ftp://example.com/'])(
    'names a link to %s as removed',
    (url) => {
      expect(sanitiseHtml(`<a href="${url}">a</a>`, SITE)).toEqual({
        html: 'a',
        removed: ['a link that is not http, https or mailto, or has a user name'],
      });
    },
  );

  it.each(['<a name="x">a</a>', '<a href="">a</a>', '<a href="#note">a</a>'])('removes %s without a word', (source) => {
    expect(sanitiseHtml(source, SITE)).toEqual({ html: 'a', removed: [] });
  });

  it('limits the depth of elements, and rejects extreme depths', () => {
    const nested = (depth: number): string => `${'<blockquote>'.repeat(depth)}a${'</blockquote>'.repeat(depth)}`;
    expect(html(nested(900))).toBe(nested(64));
    expect(() => html(nested(50_000))).toThrow(BodyError);
    expect(() => html('<svg>'.repeat(50_000))).toThrow(BodyError);
  });

  it.each([
    // A browser, too, reads an end tag without a start as an empty paragraph.
    ['<p>one<a><p>two</p></a>', '<p>one</p><p>two</p><p></p>'],
    ['<ul><li>one<font><li>two</font></ul>', '<ul><li>one</li><li>two</li></ul>'],
    ['<blockquote><div><p>one</p></div></blockquote>', '<blockquote><p>one</p></blockquote>'],
  ])('ends a block before the next one where it drops what was between them: %s', (source, expected) => {
    expect(html(source)).toBe(expected);
  });

  it('writes well-formed HTML that neither sanitize-html nor a second pass changes', () => {
    const pieces = fc.oneof(
      fc.constantFrom('<', '>', '</', '/>', '"', "'", '=', '&', ';', '<!--', '-->', '<![CDATA[', ']]>', ' ', '\n'),
      fc.constantFrom(
        'p',
        'a',
        'img',
        'svg',
        'math',
        'style',
        'script',
        'noscript',
        'title',
        'textarea',
        'table',
        'td',
        'li',
      ),
      fc.constantFrom(
        '<p>',
        '</p>',
        '<a href="',
        '<img src="',
        ' onerror=',
        'javascript:',
        'https://e.example/',
        '&#x1;',
        '&colon;',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    );
    const sources = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(sources, (source) => {
        for (const sanitise of [sanitiseHtml, sanitiseMarkdown]) {
          const { html } = sanitise(source, SITE);
          expect(malformed(html)).toBeNull();
          expect(sanitisedByPackage(html)).toBe(html);
          expect(sanitiseHtml(html, SITE).html).toBe(html);
        }
      }),
      { numRuns: runs(400) },
    );
  });

  it('keeps the structure of Markdown', () => {
    const source = `# Shipments Rise

The ministry’s academy *reported* **35.3 million** units & more; see [the filing](/filings/1 "x") or <https://example.com/a?b=1&c=2>.

![A line of phones](media/phones.jpg)

> A shortage remains, one said.

| Maker | Units |
|:------|------:|
| A     | 10    |

1. first
2. ~~second~~

- \`code <b>\`

<figure><img src="https://example.com/x.png" width="640" height="480"><figcaption>Photo: VCG</figcaption></figure>

<script>alert(1)</script>
`;
    expectGolden('articles/body.html', `${sanitiseMarkdown(source, SITE).html}\n`);
  });
});

describe('sanitiseMarkdown', () => {
  it('writes footnotes that read well without links: numbers in the text, and a list at the end', () => {
    const source = 'One.[^a] Two.[^b] One again.[^a]\n\n[^a]: *First*.\n\n    And on.\n\n[^b]: Second.\n\nLast.';
    const { html: footnotes, removed } = sanitiseMarkdown(source, SITE);
    expect(footnotes.replace(/\n+/g, '')).toBe(
      '<p>One.<sup>[1]</sup> Two.<sup>[2]</sup> One again.<sup>[1]</sup></p><p>Last.</p><hr /><ol>' +
        '<li><p><em>First</em>.</p><p>And on.</p></li><li><p>Second.</p></li></ol>',
    );
    expect(removed).toEqual([]);
    expect(html(footnotes)).toBe(footnotes);
  });
});

describe('isBlankBody', () => {
  it.each([
    ['', true],
    ['<p> \u200b\u00a0<br /></p>', true],
    ['<p>a</p>', false],
    ['<img src="https://e.example/a.png" alt="" />', false],
  ])('returns for %j %s', (body, expected) => {
    expect(isBlankBody(body)).toBe(expected);
  });
});

const ATTRIBUTE = `[a-z]+="[^"<>&]*(?:&(?:amp|lt|gt|quot);[^"<>&]*)*"`;
const TOKEN = new RegExp(`[^<>&]+|&(?:amp|lt|gt);|<([a-z0-9]+)((?: ${ATTRIBUTE})*)( /)?>|</([a-z0-9]+)>`, 'uy');

/** The first violation of well-formedness, or null; stricter than XML about entities and spaces. */
function malformed(text: string): string | null {
  const open: string[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const [, start, attributes, empty, end] = TOKEN.exec(text) ?? [];
    if (TOKEN.lastIndex === 0) return `unexpected at ${at}: ${text.slice(at, at + 40)}`;
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/u.test(text.slice(at, TOKEN.lastIndex)))
      return 'character';
    const names = [...(attributes ?? '').matchAll(/ ([a-z]+)=/g)].map((match) => match[1]);
    if (new Set(names).size !== names.length) return `attribute twice: ${attributes}`;
    if (start === 'img' && !(names.includes('src') && names.includes('alt'))) return `img: ${attributes}`;
    if (start !== undefined && empty === undefined) open.push(start);
    if (end !== undefined && open.pop() !== end) return `closes </${end}>`;
  }
  return open.length === 0 ? null : `open: ${open.join()}`;
}

/** The output of sanitize-html with the same rules. */
function sanitisedByPackage(text: string): string {
  return sanitizeHtml(text, {
    allowedTags: [
      ...['p', 'br', 'hr', 'h2', 'h3', 'h4', 'blockquote', 'pre', 'figure', 'figcaption', 'img', 'a'],
      ...['em', 'strong', 'b', 'i', 's', 'code', 'sub', 'sup', 'ul', 'ol', 'li', 'dl', 'dt', 'dd'],
      ...['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
    ],
    allowedAttributes: {
      a: ['href'],
      img: ['src', 'alt', 'width', 'height'],
      ol: ['start'],
      td: ['colspan', 'rowspan'],
      th: ['colspan', 'rowspan'],
    },
    allowedSchemes: ['http', 'https', 'mailto'],
    allowProtocolRelative: false,
  });
}

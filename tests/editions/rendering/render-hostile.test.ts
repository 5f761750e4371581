import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SiteView } from '../../../src/core/config/site-view.ts';
import type { EditionView } from '../../../src/editions/rendering/edition-view.ts';
import { renderEdition } from '../../../src/editions/rendering/render.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { runs } from '../../support/run-scope.ts';
import { FULL_VIEW, LOGO_SITE, SAMPLE_NONCE } from './sample-view.ts';

const templates = openTemplates(BUILT_IN_TEMPLATES, LOGO_SITE.zone);

// One story of each kind keeps the test fast.
const SHORT: EditionView = {
  ...FULL_VIEW,
  news: FULL_VIEW.news.slice(4, 6),
  analysis: FULL_VIEW.analysis.slice(1, 2),
  roundup: FULL_VIEW.roundup.slice(0, 1),
  latest: FULL_VIEW.latest.slice(3, 4),
};

const hostile = fc.oneof(
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .filter((text) => text.isWellFormed() && !text.includes('\0'))
    // Imports store no blank text.
    .filter((text) => text.trim() !== ''),
  fc.constantFrom(
    '</title><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</mj-text></mj-column><mj-raw><script>',
    '</td></tr></table>',
    '<![endif]--><!--[if mso]>',
    '-->',
    ']]>',
    '{{ site.name }}{% raw %}',
    '&lt;b&gt; &amp;amp;',
    '$& $1 $`',
    '<!-- htmlmin:ignore -->',
    'Vec<T> & AT&T “三星” 🚀',
    'שלום "><img src=x>',
    '</bdi>سلام\u202e\u2067',
    '[[x]] {{x}}',
  ),
);

describe('hostile strings', () => {
  it.each(['en', 'he'])('add no element, attribute or comment in any field of an edition in %s', async (language) => {
    const plain = await renderWith('x', { language });
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const rendered = await renderWith(text, { language });
        for (const page of ['html', 'archiveHtml'] as const) {
          // Only the template's own: one more means that a string has escaped from its context.
          for (const mark of ['<', '>', '"']) expect(count(rendered[page], mark)).toBe(count(plain[page], mark));
        }
      }),
      { numRuns: runs(60) },
    );
  });

  it('are shown as text', async () => {
    const { html, text } = await renderWith('Vec<T> & "AT&T" <script>');
    expect(html).toContain('Vec&lt;T&gt; &amp; &#34;AT&amp;T&#34; &lt;script&gt;');
    expect(text).toContain('Vec<T> & "AT&T" <script>');
    expect(html).not.toContain('<script');
  });

  it.each(['weekly-roundup', 'breaking-alert'])('add no element to the template %s', async (template) => {
    const hostile = await renderWith('"><img src=x> <!-- {{ site.name }} </td>', { template });
    const plain = await renderWith('x', { template });
    for (const mark of ['<', '>', '"']) expect(count(hostile.html, mark)).toBe(count(plain.html, mark));
  });

  it('add nothing but isolation to an Arabic edition', async () => {
    const shown = async (text: string): Promise<string> => {
      const { html } = await renderWith(text, { language: 'ar' });
      return html.replace(/<\/?bdi(?: dir="\w+")?>/g, '');
    };
    const plain = await shown('x');
    for (const text of [
      '</title><script>alert(1)</script>',
      '"><img src=x> {name} <link>a</link>',
      '\u202eخبر\u2066',
    ]) {
      const html = await shown(text);
      for (const mark of ['<', '>', '"']) expect([text, count(html, mark)]).toEqual([text, count(plain, mark)]);
    }
  });

  it('are not interpreted as Liquid or MJML', async () => {
    const { html } = await renderWith('{{ site.name }}<mj-raw>{% if %}');
    expect(html).toContain('{{ site.name }}&lt;mj-raw&gt;{% if %}');
  });
});

function renderWith(
  text: string,
  { template = 'daily-roundup', language = 'en' } = {},
): ReturnType<typeof renderEdition> {
  const site: SiteView = {
    ...replaceStrings(LOGO_SITE, text, ['name', 'about', 'email', 'postalAddress', 'copyright', 'title', 'alt']),
    // The configuration validates the site's address and language.
    url: LOGO_SITE.url,
    language,
  };
  const fields = [
    'headline',
    'kicker',
    'dek',
    'topic',
    'section',
    'name',
    'email',
    'title',
    'note',
    'credit',
    'alt',
    'preheader',
    'subject',
    'label',
    'text',
    'host',
    'revisionNote',
  ];
  const view = replaceStrings(SHORT, text, fields);
  return renderEdition(withUrls(view, `https://example.com/?q=${text}`), site, templates, {
    template,
    nonce: SAMPLE_NONCE,
  });
}

/** Replaces every string under one of the keys by `text`. */
function replaceStrings<T>(value: T, text: string, keys: string[]): T {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => (typeof inner === 'string' && keys.includes(key) ? text : inner)),
  ) as T;
}

function withUrls(view: EditionView, url: string): EditionView {
  return replaceStrings(view, url, ['url', 'home', 'archive', 'editions', 'feeds', 'newsletters']);
}

/** Without isolates, of which there are as many as texts in the other direction. */
function count(page: string, mark: string): number {
  return page.replace(/<\/?bdi(?: dir="(?:ltr|rtl)")?>/g, '').split(mark).length - 1;
}

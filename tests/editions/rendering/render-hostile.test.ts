import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SiteView } from '../../../src/config/site-view.ts';
import type { EditionView } from '../../../src/editions/rendering/edition-view.ts';
import { renderEdition } from '../../../src/editions/rendering/render.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { SAMPLE_NONCE, SAMPLE_SITE, SAMPLE_VIEW } from './sample-view.ts';

const templates = openTemplates(BUILT_IN_TEMPLATES, SAMPLE_SITE.zone);
const options = { template: 'daily-roundup', nonce: SAMPLE_NONCE };

// One story of each kind keeps the test fast.
const SHORT: EditionView = {
  ...SAMPLE_VIEW,
  news: SAMPLE_VIEW.news.slice(4, 6),
  analysis: SAMPLE_VIEW.analysis.slice(1, 2),
  roundup: SAMPLE_VIEW.roundup.slice(0, 1),
  latest: SAMPLE_VIEW.latest.slice(3, 4),
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
    '[[x]] {{x}}',
  ),
);

describe('hostile strings', () => {
  it('add no element, attribute or comment in any field', async () => {
    const plain = await renderWith('x');
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const rendered = await renderWith(text);
        for (const page of ['html', 'archiveHtml'] as const) {
          // Only the template's own: one more means that a string has escaped from its context.
          for (const mark of ['<', '>', '"']) expect(count(rendered[page], mark)).toBe(count(plain[page], mark));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are shown as text', async () => {
    const { html, text } = await renderWith('Vec<T> & "AT&T" <script>');
    expect(html).toContain('Vec&lt;T&gt; &amp; &#34;AT&amp;T&#34; &lt;script&gt;');
    expect(text).toContain('Vec<T> & "AT&T" <script>');
    expect(html).not.toContain('<script');
  });

  it('are not interpreted as Liquid or MJML', async () => {
    const { html } = await renderWith('{{ site.name }}<mj-raw>{% if %}');
    expect(html).toContain('{{ site.name }}&lt;mj-raw&gt;{% if %}');
  });
});

function renderWith(text: string): ReturnType<typeof renderEdition> {
  const site: SiteView = {
    ...replaceStrings(SAMPLE_SITE, text, ['name', 'about', 'email', 'postalAddress', 'copyright', 'title']),
    // The configuration validates the site's address and language.
    url: SAMPLE_SITE.url,
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
  ];
  const view = replaceStrings(SHORT, text, fields);
  return renderEdition(withUrls(view, `https://example.com/?q=${text}`), site, templates, options);
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

function count(page: string, mark: string): number {
  return page.split(mark).length - 1;
}

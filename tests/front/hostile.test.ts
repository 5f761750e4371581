import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/store.ts';
import { cleanLine } from '../../src/lib/text/clean-text.ts';
import { NOW, openTestSite, preferencesPath, save, saveEdition, type TestSite } from '../app/test-site.ts';
import { addConfirmed } from '../audience/fixtures.ts';
import { openMigrated } from '../support/databases.ts';
import { runs } from '../support/run-scope.ts';
import { sampleConfig } from '../support/sample.ts';
import { filled } from './filled-article.ts';

const PAYLOADS = [
  '<script>window.hurt=1;alert(1)</script>',
  '"><img src=x onerror="window.hurt=1;alert(1)">',
  "' onmouseover='alert(1)' x='",
  '</title></style></textarea><svg onload=alert(1)>',
  '{{ site.name }}{% raw %}{% include "x" %}',
  '<!--><script>alert(1)</script>',
  '&lt;b&gt; &amp;amp; &#60;script&#62;',
  ']]><?php echo 1 ?>',
  'javascript:alert(1)',
  '\u202eevil\u2066 \u0000 zero\u200bwidth',
  'Vec<T> & AT&T “三星” 🚀',
  'שלום</bdi><script>alert(1)</script>',
];

const PATHS = [
  '/',
  '/articles/hostile',
  '/sections/business-tech',
  '/archive/2026-11',
  '/editions',
  '/editions/daily-roundup/2026-11-24',
];

describe('hostile text in every field', () => {
  let store: Store;
  let site: TestSite;
  let hebrew: TestSite;
  beforeAll(async () => {
    store = await openMigrated();
    site = openTestSite(store);
    hebrew = openTestSite(
      store,
      sampleConfig((yaml) => yaml.replace('language: en', 'language: he')),
    );
    await save(store, filled('-'));
    await saveEdition(store, { slot: '2026-11-24', slotAt: NOW, number: 1, headline: 'H', articles: ['hostile'] });
  });
  afterAll(() => store.close());

  it.each(['en', 'he'])('adds no element and no attribute to any page in %s', async (language) => {
    const own = language === 'he' ? hebrew : site;
    const withWords = async (words: string): Promise<string[][]> => {
      const one = filled(words);
      // The body may have elements of its own: the import sanitises it.
      await save(store, { ...one, bodyHtml: '<p>Body</p>' });
      own.later();
      await store.db
        .updateTable('editions')
        .set({ headline: cleanLine(words) || '-' })
        .execute();
      return Promise.all(PATHS.map(async (path) => skeletonOf(withoutFeeds(await own.read(path)))));
    };
    const plain = await withWords('plain');
    for (const payload of PAYLOADS) expect(await withWords(payload)).toEqual(plain);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (words) => {
        expect(await withWords(words)).toEqual(plain);
      }),
      { numRuns: runs(40) },
    );
  });

  it('adds none to the page after a form, in whatever field it is posted', async () => {
    const preferences = preferencesPath(await addConfirmed(store, 'ada@example.com', ['daily-roundup']));
    const honeypot = { email: "a'&b@example.com", newsletter: 'daily-roundup' };
    const posts = (words: string): [path: string, fields: Record<string, string>, status: number][] => [
      ['/subscribe', { email: `${words} `, newsletter: words, zone: `${words}x` }, 422],
      ['/subscribe', { ...honeypot, website: `${words}x` }, 200],
      [preferences, { newsletter: words, zone: `${words}x`, paused: `${words}x`, [words]: words }, 422],
    ];
    const withWords = (words: string): Promise<string[][]> =>
      Promise.all(
        posts(words).map(async ([path, fields, status]) => {
          const response = await site.post(path, Object.entries(fields));
          expect([path, response.status]).toEqual([path, status]);
          return skeletonOf(await response.text());
        }),
      );
    const plain = await withWords('plain');
    for (const payload of PAYLOADS) expect(await withWords(payload)).toEqual(plain);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (words) => {
        expect(await withWords(words)).toEqual(plain);
      }),
      { numRuns: runs(40) },
    );
    expect(site.logged).toEqual([]);
  });

  it('is shown as it is', async () => {
    for (const payload of PAYLOADS) {
      await save(store, filled(payload));
      site.later();
      const html = await site.read('/articles/hostile');
      const title = /<h1[^>]*>.*?<\/span> (.*)<\/h1>/s.exec(html)?.[1] ?? '';
      expect(unescaped(title)).toBe(cleanLine(payload));
      const [, data = ''] = /<script type="application\/ld\+json">(.*)<\/script>/.exec(html) ?? [];
      const [told] = JSON.parse(data)['@graph'];
      expect(told.description).toBe(cleanLine(payload));
      expect(told.author[0].name).toBe(cleanLine(payload));
    }
  });

  it('in a URL that is not http or https is not linked', async () => {
    const url = 'javascript:alert(1)';
    await save(store, {
      ...filled('x'),
      fullStory: { url, title: 'x' },
      related: [{ url, title: 'x' }],
      outlet: { name: 'Outlet', url, publishedAt: null },
      also: [{ name: 'Other', url }],
      image: { url, alt: 'x', credit: null, type: 'image/png', length: 1, width: null, height: null },
      enclosures: [{ url: 'data:text/html,x', type: 'text/html', length: 1, title: null }],
    });
    site.later();
    const html = await site.read('/articles/hostile');
    expect(html).not.toMatch(/javascript:|data:text/);
    expect(html).toContain('Reported by Outlet');
    expect(html).toContain('Also reported by Other');
  });

  it('in a retraction note is shown as text, on the page and above the edition', async () => {
    for (const payload of PAYLOADS) {
      await save(store, { ...filled(payload), status: { state: 'retracted', note: payload, at: NOW } });
      site.later();
      const gone = await (await site.get('/articles/hostile')).text();
      const edition = await site.read('/editions/daily-roundup/2026-11-24');
      for (const html of [gone, edition]) expect(html).not.toMatch(/<script|<svg|<img|onerror="/);
    }
  });
});

/** Tags with the names of their attributes, without isolates. Anything else that looks like markup fails the test. */
function skeletonOf(html: string): string[] {
  const tags: string[] = [];
  const rest = html.replace(TAG, (tag) => {
    if (!/^<\/?bdi\b/.test(tag)) tags.push(tag.replace(/="[^"]*"/g, ''));
    return '';
  });
  expect(rest.replace('<!doctype html>', '')).not.toMatch(/[<>]/);
  return tags;
}

const TAG = /<\/?[a-z][a-z0-9]*(?:\s+[a-z:-]+(?:="[^"<>]*")?)*\s*>/g;

function unescaped(text: string): string {
  const entities: Record<string, string> = {
    '&lt;': '<',
    '&gt;': '>',
    '&#34;': '"',
    '&quot;': '"',
    '&#39;': "'",
    '&amp;': '&',
  };
  return text.replace(/&(?:lt|gt|quot|#34|#39|amp);/g, (entity) => entities[entity] as string);
}

/** Without links to feeds and reporters, whose number depends on the letters in the names of kicker and reporters. */
function withoutFeeds(html: string): string {
  return html
    .replace(/<link rel="alternate" type="[^"<>]*" title="[^"<>]*" href="[^"<>]*">/g, '')
    .replace(/<meta property="article:author" content="[^"<>]*">/g, '')
    .replace(/<a href="\/reporters\/[^"<>]*">((?:<bdi[^<>]*>)?[^<>]*(?:<\/bdi>)?)<\/a>/g, '$1');
}

import fc from 'fast-check';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../scripts/chromium.ts';
import type { Article } from '../../src/articles/article.ts';
import { sanitiseHtml } from '../../src/articles/sanitise.ts';
import { addSubscriber } from '../../src/audience/subscriptions.ts';
import { confirmToken } from '../../src/audience/tokens.ts';
import type { Store } from '../../src/core/store/store.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../src/lib/templates.ts';
import { cleanLine } from '../../src/lib/text/clean-text.ts';
import { listen, type WebServer } from '../../src/web/server/listen.ts';
import { article, NOW, openTestSite, preferencesPath, save, saveEdition, type TestSite } from '../app/test-site.ts';
import { openMigrated } from '../support/databases.ts';
import { SECRETS, sampleConfig } from '../support/sample.ts';

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
];

/** An article with that text in every text field. */
function filled(words: string): Article {
  const text = cleanLine(words) || '-';
  const url = `https://example.com/?q=${encodeURIComponent(text)}&r="<>'`;
  const status = { state: 'corrected' as const, note: text, at: NOW };
  return article('hostile', {
    kind: 'feature',
    kicker: text,
    topic: text,
    headline: text,
    shortHeadline: text,
    dek: text,
    bodyHtml: `<p>${sanitiseHtml(text, { publicUrl: 'https://example.com', sourceOrigins: [] }).html}</p>`,
    tags: [text, `${text}2`],
    bylines: [
      { role: 'reporter', name: text, email: text },
      { role: 'editor', name: text, email: text },
    ],
    fullStory: { url, title: text },
    related: [{ url, title: text }],
    outlet: { name: text, url, publishedAt: NOW },
    also: [{ name: `${text}2`, url }],
    image: { url, alt: text, credit: text, type: text, length: 1, width: 1, height: 1 },
    enclosures: [{ url, type: text, length: 1, title: text }],
    language: text,
    status,
  });
}

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
  beforeAll(async () => {
    store = await openMigrated();
    site = openTestSite(store);
    await save(store, filled('-'));
    await saveEdition(store, { slot: '2026-11-24', slotAt: NOW, number: 1, headline: 'H', articles: ['hostile'] });
  });
  afterAll(() => store.close());

  it('adds no element and no attribute to any page', async () => {
    const withWords = async (words: string): Promise<string[][]> => {
      const one = filled(words);
      // The body may have elements of its own: the import sanitises it.
      await save(store, { ...one, bodyHtml: '<p>Body</p>' });
      site.later();
      await store.db
        .updateTable('editions')
        .set({ headline: cleanLine(words) || '-' })
        .execute();
      return Promise.all(PATHS.map(async (path) => skeletonOf(withoutFeeds(await site.read(path)))));
    };
    const plain = await withWords('plain');
    for (const payload of PAYLOADS) expect(await withWords(payload)).toEqual(plain);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (words) => {
        expect(await withWords(words)).toEqual(plain);
      }),
      { numRuns: 40 },
    );
  });

  it('adds none to the page after a form, in whatever field it is posted', async () => {
    const added = await addSubscriber(
      store.db,
      SECRETS,
      { email: 'ada@example.com', newsletters: ['daily-roundup'] },
      { channel: 'operator' },
      NOW,
    );
    if (added.kind !== 'stored') throw new Error(added.reason);
    const preferences = preferencesPath(added.subscriberId);
    const posts = (words: string): [path: string, fields: [string, string][], status: number][] => [
      [
        '/subscribe',
        [
          ['email', `${words} `],
          ['newsletter', words],
          ['zone', `${words}x`],
        ],
        422,
      ],
      [
        '/subscribe',
        [
          ['email', "a'&b@example.com"],
          ['newsletter', 'daily-roundup'],
          ['website', `${words}x`],
        ],
        200,
      ],
      [
        preferences,
        [
          ['newsletter', words],
          ['zone', `${words}x`],
          ['paused', `${words}x`],
          [words, words],
        ],
        422,
      ],
    ];
    const withWords = (words: string): Promise<string[][]> =>
      Promise.all(
        posts(words).map(async ([path, fields, status]) => {
          const response = await site.post(path, fields);
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
      { numRuns: 40 },
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
    expect(html).toContain('First reported by <bdi>Outlet</bdi>');
    expect(html).toContain('Also reported by <bdi>Other</bdi>');
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

const LISTS = ['/sections/business-tech', '/newsletters', '/archive/2026-11'];
const executablePath = findChromium();
if (executablePath === null)
  console.log('Skipped: tests/front/hostile.slow.test.ts needs Chromium, and there is none here.');

describe.skipIf(executablePath === null)('in a real browser', () => {
  let browser: Browser;
  let store: Store;
  let site: TestSite;
  let serving: WebServer;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_FLAGS });
  });
  beforeEach(async () => {
    store = await openMigrated();
    site = openTestSite(store);
    serving = await listen(site.app, { host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await serving.close();
    await store.close();
  });
  afterAll(() => browser?.close());

  it('hostile text runs no script and is shown as it is', async () => {
    const { page, troubles } = await watchedPage();
    await saveEdition(store, { slot: '2026-11-24', slotAt: NOW, number: 1, headline: PAYLOADS.join(' ') });
    for (const payload of PAYLOADS) {
      await save(store, filled(payload));
      site.later();
      for (const path of ['/', '/articles/hostile']) {
        await page.goto(new URL(path, serving.url).href);
        expect(await page.evaluate('document.scripts.length')).toBe(0);
        expect(await page.evaluate('window.hurt')).toBeUndefined();
      }
      // Without the kicker before it.
      const headline = (await page.evaluate("document.querySelector('h1').lastChild.textContent")) as string;
      expect(headline.trim()).toBe(cleanLine(payload));
    }
    expect(troubles).toEqual([]);
  });

  it('even a body that was never sanitised runs no script', async () => {
    const { page, troubles } = await watchedPage();
    const refusals: string[] = [];
    page.on('console', (message) => refusals.push(message.text()));
    const bodyHtml = `<p id="raw">Raw</p><script>window.hurt=1;alert(1)</script><base href="https://evil.example/">
      <img src="x:" alt="" onerror="window.hurt=1;alert(2)">
      <iframe src="data:text/html,<script>alert(3)</script>"></iframe>
      <form action="https://evil.example/"><button id="go">Go</button></form>`;
    await save(store, article('raw', { bodyHtml }));
    const address = new URL('/articles/raw', serving.url).href;
    await page.goto(address);
    expect(await page.textContent('#raw')).toBe('Raw');
    await page.evaluate("document.querySelector('#go').click()");
    await expect.poll(() => refusals.join('\n')).toMatch(/form-action/);
    expect(page.url()).toBe(address);
    expect(await page.evaluate('document.baseURI')).toBe(address);
    expect(await page.evaluate('window.hurt')).toBeUndefined();
    expect(troubles).toEqual([]);
  });

  it('no page is wider than a small phone, and the keyboard reaches the content', async () => {
    const { page } = await watchedPage();
    await save(store, filled(`${'Unbroken'.repeat(40)} word`));
    await page.setViewportSize({ width: 320, height: 640 });
    await save(store, article('arabic', { language: 'ar' }));
    for (const path of ['/', ...['hostile', 'arabic'].map((id) => `/articles/${id}`), ...LISTS]) {
      await page.goto(new URL(path, serving.url).href);
      const excess = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect([path, excess]).toEqual([path, 0]);
    }
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
  });

  it('subscribing works without scripts and mouse on a small phone', async () => {
    const { page, troubles } = await watchedPage();
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(new URL('/newsletters', serving.url).href);
    await page.focus('#email');
    await page.keyboard.type('not an address');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/subscribe');
    // The error is the field's description for a screen reader.
    const wrong =
      "document.getElementById(document.querySelector('#email').getAttribute('aria-describedby')).textContent";
    expect(await page.evaluate(wrong)).toMatch(/^Error: This address cannot be used: /);
    expect(await page.title()).toMatch(/^Error: /);
    await page.focus('#email');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('ada@example.com');
    const reached: unknown[] = [];
    for (let press = 0; press < 5; press++) {
      await page.keyboard.press('Tab');
      if (press === 0) await page.keyboard.press('Space');
      reached.push(await page.evaluate('document.activeElement.id || document.activeElement.textContent'));
    }
    // Not the field that people do not see.
    expect(reached).toEqual(['choose-daily-roundup', 'choose-weekly-roundup', 'zone', 'Privacy', 'Subscribe']);
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=Check your inbox');
    const message = await store.db.selectFrom('service_messages').selectAll().executeTakeFirstOrThrow();
    const key = { messageId: message.id, subscriberId: message.subscriber_id };
    await page.goto(new URL(`/confirm/${confirmToken(SECRETS, key)}`, serving.url).href);
    await page.focus('main button');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=You are subscribed');
    await page.click('text=your preferences');
    for (const path of [page.url(), `${page.url()}/erase`]) {
      await page.goto(path);
      const small = `[...document.querySelectorAll('main :is(button, select, input, .choice label, .go a)')]
        .filter((one) => one.type !== 'checkbox' && one.offsetHeight > 0 && one.offsetHeight < 44)
        .map((one) => one.outerHTML)`;
      expect(await page.evaluate(small)).toEqual([]);
      const excess = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(excess).toBe(0);
    }
    expect(troubles).toEqual([]);
  });

  it('feeds and their index page have their style, and fit a small phone', async () => {
    const { page } = await watchedPage();
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    const config = sampleConfig();
    const templates = openTemplates(BUILT_IN_TEMPLATES, config.publication.zone);
    await save(store, article('long', { headline: 'Unbroken'.repeat(40), dek: 'Unbroken'.repeat(40) }));
    await publishFeeds(store, config, templates, { now: NOW });
    await page.setViewportSize({ width: 320, height: 640 });
    for (const path of ['latest.rss', 'latest.atom', '']) {
      await page.goto(new URL(`/feeds/${path}`, serving.url).href);
      const excess = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      const ground = await page.evaluate('getComputedStyle(document.body ?? document.documentElement).backgroundColor');
      expect([path, excess, ground]).toEqual([path, 0, 'rgb(251, 250, 247)']);
    }
    expect(messages).toEqual([]);
  });

  it('prints dark on light, even in dark mode', async () => {
    const { page } = await watchedPage();
    await save(store, filled('plain'));
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.goto(new URL('/articles/hostile', serving.url).href);
    const colours = `['.note', '.line a'].map((what) => getComputedStyle(document.querySelector(what)))
      .map((style) => [style.backgroundColor, style.color])`;
    const [note, link] = (await page.evaluate(colours)) as [string[], string[]];
    expect(note[0]).toBe('rgb(243, 239, 228)');
    expect(link[1]).toBe('rgb(27, 26, 24)');
  });

  async function watchedPage(): Promise<{ page: Page; troubles: string[] }> {
    const page = await (await browser.newContext()).newPage();
    const troubles: string[] = [];
    page.on('dialog', (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    // Images of the stories are on other hosts: no requests to the network.
    await page.route(
      (url) => url.hostname !== '127.0.0.1',
      (route) => route.abort(),
    );
    return { page, troubles };
  }
});

/** Every tag with the names of its attributes. Anything else that looks like markup fails the test. */
function skeletonOf(html: string): string[] {
  const tags: string[] = [];
  const rest = html.replace(TAG, (tag) => {
    tags.push(tag.replace(/="[^"]*"/g, ''));
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

/** Without links to feeds, whose number depends on the letters in the names of kicker and reporters. */
function withoutFeeds(html: string): string {
  return html.replace(/<link rel="alternate" type="[^"<>]*" title="[^"<>]*" href="[^"<>]*">/g, '');
}

import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../scripts/chromium.ts';
import { messageToken } from '../../src/audience/tokens.ts';
import type { Store } from '../../src/core/store/store.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../src/lib/templates.ts';
import { listen, type WebServer } from '../../src/web/server/listen.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../app/test-site.ts';
import { openMigrated } from '../support/databases.ts';
import { SECRETS, sampleConfig } from '../support/sample.ts';
import { filled } from './filled-article.ts';

const LISTS = ['/sections/business-tech', '/newsletters', '/archive/2026-11'];
const executablePath = findChromium();
if (executablePath === null)
  console.log('Skipped: tests/front/browser.slow.test.ts needs Chromium, and there is none here.');

describe.skipIf(executablePath === null)('the public pages in a real browser', () => {
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

  it('structured data is read without breaking the policy, whatever it says', async () => {
    const { page, troubles } = await watchedPage();
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    const headline = '</script><script>window.hurt=1;alert(1)</script><!--';
    await save(store, article('data', { headline }));
    await page.goto(new URL('/articles/data', serving.url).href);
    expect(await page.evaluate('document.scripts.length')).toBe(1);
    const told = await page.evaluate("JSON.parse(document.scripts[0].textContent)['@graph'][0].headline");
    expect(told).toBe(headline);
    expect(await page.evaluate('window.hurt')).toBeUndefined();
    expect(messages.filter((text) => !text.includes('404'))).toEqual([]);
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
    await page.goto(new URL(`/confirm/${messageToken(SECRETS, 'confirm', key)}`, serving.url).href);
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
      const borders = `[...document.querySelectorAll('main button')].map((one) => getComputedStyle(one))
        .filter((style) => new Set(style.borderColor.match(/rgb.*?\\)/g)).size > 1 || style.display === 'grid').length`;
      expect(await page.evaluate(borders)).toBe(0);
      const excess = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(excess).toBe(0);
    }
    expect(troubles).toEqual([]);
  });

  it('feeds open as pages; these and their index have their style, and fit a small phone', async () => {
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
      const shown = new URL(page.url()).pathname;
      expect(shown).toBe(path === '' ? '/feeds/' : '/feeds/latest/view');
      // One click selects an address.
      expect(await page.evaluate("getComputedStyle(document.querySelector('dd code')).userSelect")).toBe('all');
    }
    expect(messages).toEqual([]);
  });

  it('prints black on white, even in dark mode', async () => {
    const { page } = await watchedPage();
    await save(store, filled('plain'));
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.goto(new URL('/articles/hostile', serving.url).href);
    const colours = `['.note', '.line a'].map((what) => getComputedStyle(document.querySelector(what)))
      .map((style) => [style.backgroundColor, style.color])`;
    const [note, link] = (await page.evaluate(colours)) as [string[], string[]];
    expect(note[0]).toBe('rgb(255, 255, 255)');
    expect(link[1]).toBe('rgb(0, 0, 0)');
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

import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../scripts/chromium.ts';
import { loadSampleNewsroom } from '../../src/app/sample/newsroom.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import { listen } from '../../src/web/server/listen.ts';
import { openMigrated } from '../support/databases.ts';
import { sampleConfig } from '../support/sample.ts';
import { article, NOW, openTestSite, save } from './test-site.ts';

const executablePath = findChromium();
if (executablePath === null)
  console.log('Skipped: tests/app/front-page.slow.test.ts needs Chromium, and there is none here.');

const SHIFTS = `window.shifts = 0; new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) window.shifts += shift.value;
}).observe({ type: 'layout-shift' });`;

it('the front page of the sample newsroom and its stylesheet have at most 60,000 bytes', async () => {
  const store = await openMigrated();
  const { articles } = await loadSampleNewsroom(store, sampleConfig(), { now: NOW });
  expect(articles).toBeGreaterThan(40);
  const site = openTestSite(store);
  const parts = await Promise.all(['/', '/style.css'].map(async (path) => Buffer.byteLength(await site.read(path))));
  expect(Math.min(...parts)).toBeGreaterThan(20_000);
  expect(parts.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(60_000);
  await store.close();
});

describe.skipIf(executablePath === null)('the front page in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_FLAGS });
  });
  afterAll(() => browser?.close());

  it.each([
    ['pictures of known size', 1_200, 1],
    ['pictures of unknown size', null, 1],
    ['headlines without a space', 1_200, 40],
  ])('with %s has the lead on the first screen of a phone, and nothing moves', async (_, width, length) => {
    const store = await openMigrated();
    const site = openTestSite(store);
    const image = { alt: 'A', credit: 'VCG', type: 'image/jpeg', length: 1, width, height: width && (width * 2) / 3 };
    const stories = Array.from({ length: 34 }, (_, n) =>
      article(`n-${n}`, {
        ...{
          publishedAt: NOW - n * MINUTE,
          dek: 'What the figures of the month say.',
          section: ['world', 'trending', 'finance-economy'][n % 3] ?? null,
        },
        headline: `${'Unbroken'.repeat(length)} headline number ${n} of the day`,
        image: n % 2 === 0 ? { ...image, url: `https://pictures.example/${n}.jpg` } : null,
      }),
    );
    await save(store, ...stories);
    const serving = await listen(site.app, { host: '127.0.0.1', port: 0 });
    const page = await browser.newPage({ viewport: { width: 375, height: 812 } });
    const picture = await sharp({ create: { width: 1_200, height: 800, channels: 3, background: '#456' } })
      .jpeg()
      .toBuffer();
    const shown = Promise.withResolvers<void>();
    await page.route('https://pictures.example/*', async (route) => {
      await shown.promise;
      await route.fulfill({ body: picture, contentType: 'image/jpeg' });
    });
    await page.goto(serving.url, { waitUntil: 'domcontentloaded' });
    // Pictures come to a page that is shown without them, which a busy machine shows in parts.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    await page.evaluate(SHIFTS);
    shown.resolve();
    await expect.poll(() => page.evaluate("document.querySelector('.lead img').naturalWidth")).toBe(1_200);
    const { top, bottom } = await boxOf(page, '.lead img');
    expect(top).toBeLessThan(100);
    expect(bottom).toBeLessThan(500);
    if (length === 1) expect((await boxOf(page, '.lead h2')).bottom).toBeLessThanOrEqual(812);
    expect((await boxOf(page, '.masthead')).bottom).toBeLessThanOrEqual(60);
    const count = await page.evaluate<number>('document.images.length');
    expect(count).toBeGreaterThan(5);
    for (let index = 0; index < count; index++) {
      await page.evaluate(`document.images[${index}].scrollIntoView()`);
      await expect.poll(() => page.evaluate(`document.images[${index}].naturalWidth`)).toBe(1_200);
    }
    expect(await page.evaluate('window.shifts')).toBe(0);
    await page.click('.menu summary');
    expect((await boxOf(page, '.sections')).bottom).toBeGreaterThan(100);
    for (const size of [320, 375, 768, 1_000, 1_280]) {
      await page.setViewportSize({ width: size, height: 800 });
      expect([size, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([size, size]);
    }
    // The masthead of other pages is one line on a tablet, too.
    if (length === 1) {
      await page.goto(new URL('/sections/world', serving.url).href);
      await page.setViewportSize({ width: 820, height: 800 });
      expect((await boxOf(page, '.masthead')).bottom).toBeLessThanOrEqual(60);
      await page.goto(serving.url);
    }
    // The menu of a desktop needs no click.
    await page.evaluate("document.querySelector('.menu').open = false");
    expect((await boxOf(page, '.sections a')).bottom).toBeGreaterThan(0);
    await page.close();
    await serving.close();
    await store.close();
  });

  it('of a newsroom with one section has its picture beside the text, not across the page', async () => {
    const store = await openMigrated();
    const image = { alt: 'A', credit: null, type: 'image/jpeg', length: 1, width: 1_200, height: 800 };
    const url = 'https://pictures.example/a.jpg';
    const stories = Array.from({ length: 16 }, (_, n) =>
      article(`n-${n}`, {
        ...{ publishedAt: NOW - n * 2 * HOUR, section: n > 12 ? 'world' : null, image: { ...image, url } },
      }),
    );
    await save(store, ...stories);
    const serving = await listen(openTestSite(store).app, { host: '127.0.0.1', port: 0 });
    const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
    await page.route('https://pictures.example/*', (route) => route.abort());
    await page.goto(serving.url);
    const width = "document.querySelector('.blocks img').getBoundingClientRect().width";
    expect(await page.evaluate(width)).toBeLessThan(320);
    await page.close();
    await serving.close();
    await store.close();
  });
});

async function boxOf(page: Page, selector: string): Promise<{ top: number; bottom: number }> {
  return page.evaluate(`(({ top, bottom }) => ({ top: top + scrollY, bottom: bottom + scrollY }))(
    document.querySelector('${selector}').getBoundingClientRect())`);
}

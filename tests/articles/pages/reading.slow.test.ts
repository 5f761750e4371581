import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../../scripts/chromium.ts';
import { sanitiseMarkdown } from '../../../src/articles/sanitise.ts';
import { listen } from '../../../src/web/server/listen.ts';
import { article, openTestSite, save } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';

const executablePath = findChromium();
if (executablePath === null) console.log('Skipped: reading.slow.test.ts needs Chromium, and there is none here.');

const SENTENCE = 'Orders for tools now have waiting times of fourteen months, and decisions of this winter show late. ';
const BODY = `${SENTENCE.repeat(8)}[^1]

| Company | ${'Measured in billions of dollars | '.repeat(6)}
|---|${'---|'.repeat(6)}
| A | ${'1,234.5 | '.repeat(6)}

<figure><img src="/media/hall.png" alt="A hall" width="1600" height="900"><figcaption>A hall</figcaption></figure>

${SENTENCE.repeat(80)}

[^1]: A note.
`;

describe.skipIf(executablePath === null)('an article in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_FLAGS });
  });
  afterAll(() => browser?.close());

  async function openArticle(width: number) {
    const store = await openMigrated();
    const site = openTestSite(store);
    const { html } = sanitiseMarkdown(BODY, { publicUrl: 'http://127.0.0.1:8080', sourceOrigins: [] });
    await save(store, article('long', { bodyHtml: html }), article('other', { section: null }));
    const serving = await listen(site.app, { host: '127.0.0.1', port: 0 });
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    onTestFinished(async () => {
      await page.close();
      await serving.close();
      await store.close();
    });
    await page.goto(new URL('/articles/long', serving.url).href);
    return page;
  }

  it('has lines of 55 to 75 letters, and wide pictures beside them, on a desktop', async () => {
    const page = await openArticle(1280);
    const lines = `(() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector('.body p').firstChild);
      return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
    })()`;
    const perLine = (SENTENCE.length * 8) / ((await page.evaluate(lines)) as number);
    expect(perLine).toBeGreaterThan(55);
    expect(perLine).toBeLessThan(75);
    const widths = `['.body p', '.wide', '.wide img'].map((what) => document.querySelector(what).offsetWidth)`;
    const [text = 0, figure = 0, picture = 0] = (await page.evaluate(widths)) as number[];
    expect(figure).toBeGreaterThan(text * 1.4);
    expect(picture).toBe(figure);
  });

  it('scrolls a wide table alone on a phone, and leads to a note and back', async () => {
    const page = await openArticle(375);
    const excess = `['html', '.body table'].map((what) => {
      const one = document.querySelector(what);
      return one.scrollWidth - one.clientWidth;
    })`;
    const [ofPage, ofTable = 0] = (await page.evaluate(excess)) as number[];
    expect(ofPage).toBe(0);
    expect(ofTable).toBeGreaterThan(100);
    const isSeen = (id: string): Promise<unknown> => {
      return page.evaluate(`(() => {
        const { top } = document.getElementById('${id}').getBoundingClientRect();
        return Math.round(top) >= 0 && top < innerHeight;
      })()`);
    };
    expect(await isSeen('note-1')).toBe(false);
    await page.click('#ref-1');
    await expect.poll(() => isSeen('note-1')).toBe(true);
    await page.click('[role=doc-backlink]');
    await expect.poll(() => isSeen('ref-1')).toBe(true);
  });

  it('prints its text and address, and nothing to press', async () => {
    const page = await openArticle(1280);
    await page.emulateMedia({ media: 'print' });
    const shown = `['.body', '.printed', '.share', 'form', '.sections', '.neighbours', '[role=doc-backlink]']
      .filter((what) => document.querySelector(what)?.checkVisibility())`;
    expect(await page.evaluate(shown)).toEqual(['.body', '.printed']);
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
  });
});

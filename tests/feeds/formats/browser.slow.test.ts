import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../../scripts/chromium.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { findDocument } from '../../../src/feeds/documents.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { feedsConfig, feedsTemplates, STORIES, TITLE } from '../feeds-fixture.ts';

const executablePath = findChromium();
if (executablePath === null) console.warn('skipped: no Chromium was found, so how a browser shows feeds is not tested');

describe.runIf(executablePath !== null)('a browser', () => {
  let store: Store;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    store = await openMigrated();
    await saveAll(store, STORIES);
    await publishFeeds(store, feedsConfig(), feedsTemplates(), { now: NOW });
    server = createServer(async (request, response) => {
      const document = await findDocument(store.db, (request.url ?? '').slice(1));
      // As a browser is answered (feeds/pages/decide-response.ts).
      const type = document?.mediaType.replace(/(?:rss|atom)\+xml/, 'xml') ?? 'text/plain';
      response.writeHead(document === null ? 404 : 200, { 'Content-Type': type });
      response.end(document?.body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_FLAGS });
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    await store.close();
  });

  async function open(path: string): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 375, height: 800 } });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`);
    return page;
  }

  it.for([
    ['latest.rss', 'Lin Ye, Ann O’Hara'],
    ['latest.atom', 'Lin Ye'],
  ])('displays %s as headlines, without markup or a banner', async ([path = '', reporters]) => {
    const page = await open(path);
    // As a string, for the browser's types are not ours. In an XML document only what has a box is seen.
    const shown: { words: string[]; wide: number } = await page.evaluate(`({
      words: [...document.querySelectorAll('*')]
        .filter((element) => element.getClientRects().length > 0 && element.childElementCount === 0)
        .map((element) => element.textContent),
      wide: document.documentElement.scrollWidth,
    })`);
    await page.close();
    expect(shown.words).toEqual(
      expect.arrayContaining(['The Meridian Wire: Latest', 'Every story, newest first.', reporters]),
    );
    expect(shown.words).toContain('In Depth: Handset Makers Clear Their Shelves');
    if (path === 'latest.rss') expect(shown.words).toContain(TITLE);
    expect(shown.words.join('\n')).not.toMatch(/<figure|<p>|tag:example|Bo Wu/);
    expect(shown.wide).toBeLessThanOrEqual(375);
  });

  it('fits the page of feeds to a phone, and selects a URL with one click', async () => {
    const page = await open('index.html');
    const [wide, selectable]: [number, string] = await page.evaluate(
      `[document.documentElement.scrollWidth, getComputedStyle(document.querySelector('code')).userSelect]`,
    );
    await page.close();
    expect(wide).toBeLessThanOrEqual(375);
    expect(selectable).toBe('all');
  });
});

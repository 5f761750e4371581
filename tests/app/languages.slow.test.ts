import axe from 'axe-core';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../scripts/chromium.ts';
import { BUILT_IN_LOCALES, languagesIn } from '../../src/lib/locale/message-file.ts';
import { listen } from '../../src/web/server/listen.ts';
import { openLanguageNewsroom } from './language-newsroom.ts';

const executablePath = findChromium();
if (executablePath === null)
  console.log('Skipped: tests/app/languages.slow.test.ts needs Chromium, and there is none here.');

const VIEWS = [
  { width: 320, colorScheme: 'light' },
  { width: 1_200, colorScheme: 'dark' },
] as const;

describe.skipIf(executablePath === null)('in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_FLAGS });
  });
  afterAll(() => browser?.close());

  it.each(languagesIn(BUILT_IN_LOCALES))('axe finds no fault in the pages of a newsroom in %s', async (language) => {
    const { store, site, newsletter, pages } = await openLanguageNewsroom(language);
    const serving = await listen(site.app, { host: '127.0.0.1', port: 0 });
    const page = await browser.newPage();
    const { slot } = await store.db.selectFrom('editions').select('slot').executeTakeFirstOrThrow();
    const lists = ['/editions', '/archive', '/feeds/', '/feeds/custom/view?kind=brief'];
    const paths = [...Object.values(pages), `/editions/${newsletter.id}/${slot}`, ...lists];
    const problems: string[] = [];
    for (const path of paths) {
      await page.goto(new URL(path, serving.url).href);
      await page.evaluate(axe.source);
      for (const { width, colorScheme } of VIEWS) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        const { scrollWidth, faults } = await page.evaluate<{ scrollWidth: number; faults: string[] }>(`
          axe.run({ iframes: false, resultTypes: ['violations'] }).then(({ violations }) => ({
            scrollWidth: document.documentElement.scrollWidth,
            faults: violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)),
          }))`);
        const place = `${path} at ${width}, ${colorScheme}`;
        problems.push(...faults.map((fault) => `${place}: ${fault}`));
        if (scrollWidth > width) problems.push(`${place}: ${scrollWidth} pixels wide`);
      }
    }
    expect(problems).toEqual([]);
    await page.close();
    await serving.close();
    await store.close();
  });
});

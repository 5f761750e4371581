/** The layout of the daily roundup in a real browser. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../../scripts/chromium.ts';
import type { EditionView } from '../../../src/editions/rendering/edition-view.ts';
import { fillHtml } from '../../../src/editions/rendering/placeholders.ts';
import { renderEdition } from '../../../src/editions/rendering/render.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { FULL_VIEW, LOGO_SITE, SAMPLE_NONCE, SAMPLE_SITE, SAMPLE_VIEW, WEEKLY_VIEW } from './sample-view.ts';

const executablePath = findChromium();
if (executablePath === null)
  console.warn(
    'SKIPPED: no Chromium was found (set CHROMIUM_PATH): the layout of the daily roundup is not tested here.',
  );

const PHONE = 375;
const DESKTOP = 800;

describe.skipIf(executablePath === null)('the daily roundup in Chromium', () => {
  let browser: Browser;
  let email: string;
  let archive: string;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: CHROMIUM_FLAGS });
    ({ email } = await renderBoth(SAMPLE_VIEW));
    ({ archive } = await renderBoth(FULL_VIEW, { site: LOGO_SITE }));
  });
  afterAll(() => browser?.close());

  it('never scrolls horizontally, even with very long texts', async () => {
    const long = 'Donaudampfschiff'.repeat(20);
    const longView = {
      ...FULL_VIEW,
      lead: { ...FULL_VIEW.lead!, headline: long, dek: long, section: long },
      sponsor: { ...FULL_VIEW.sponsor!, text: long, host: long, label: long },
      note: [{ html: long, text: long }],
      news: FULL_VIEW.news.map((line) => ({
        ...line,
        headline: long,
        dek: long,
        kicker: long,
        topic: long,
      })),
      roundup: FULL_VIEW.roundup.map((item) => ({ ...item, headline: long })),
    };
    const wide = await renderBoth(longView, { site: LOGO_SITE });
    const weekly = await renderBoth({ ...WEEKLY_VIEW, news: longView.news }, { template: 'weekly-roundup' });
    for (const html of [archive, wide.email, weekly.email])
      for (const width of [320, PHONE, DESKTOP]) {
        await using shown = await show(html, width);
        expect(await shown.page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      }
  });

  it('has one column of 600 pixels, and one h1', async () => {
    await using shown = await show(email, DESKTOP);
    const columns = await boxes(shown.page, '.gutter');
    expect(columns.length).toBeGreaterThan(3);
    expect(columns.map(({ left, width }) => [left, width])).toEqual(columns.map(() => [100, 600]));
    expect(await shown.page.locator('h1').count()).toBe(1);
  });

  it('shows the times of the 24-hour news in a separate column on a desktop', async () => {
    await using shown = await show(email, DESKTOP);
    const times = await boxes(shown.page, '.time');
    const headlines = await boxes(shown.page, '.line h3');
    expect(times).toHaveLength(SAMPLE_VIEW.news.length);
    expect(new Set(times.map(({ left }) => left)).size).toBe(1);
    expect(new Set(headlines.map(({ left }) => left)).size).toBe(1);
    for (const [index, time] of times.entries()) {
      expect(time.left + time.width).toBeLessThanOrEqual(headlines[index]!.left);
      expect(Math.abs(time.top - headlines[index]!.top)).toBeLessThan(4);
    }
  });

  it('shows each time above its headline on a phone', async () => {
    await using shown = await show(email, PHONE);
    const times = await boxes(shown.page, '.time');
    const headlines = await boxes(shown.page, '.line h3');
    expect(times).toHaveLength(SAMPLE_VIEW.news.length);
    for (const [index, time] of times.entries()) {
      expect(time.left).toBe(headlines[index]!.left);
      expect(time.top + time.height).toBeLessThanOrEqual(headlines[index]!.top);
    }
  });

  it('has touch targets of at least 44 pixels for headlines, links and the footer', async () => {
    await using shown = await show(email, PHONE);
    const footer = ['View in browser', 'Preferences', 'Unsubscribe'].map((text) => `a:text("${text}")`);
    const selectors = ['h3 a', '.tap', 'a:text("Read on")', ...footer];
    for (const selector of selectors) {
      const targets = await boxes(shown.page, selector);
      expect(targets.length, selector).toBeGreaterThan(0);
      for (const { height, text } of targets) expect(height, `${selector}: ${text}`).toBeGreaterThanOrEqual(44);
    }
  });

  it('hides the preheader, and shows pictures at most as wide as the column', async () => {
    await using shown = await show(email, PHONE);
    const text = await shown.page.evaluate<string>('document.body.innerText');
    expect(text.split(SAMPLE_VIEW.preheader)).toHaveLength(2); // once, as the lead's dek
    const pictures = await boxes(shown.page, 'img');
    expect(pictures.length).toBeGreaterThan(0);
    for (const { width } of pictures) expect(width).toBeLessThanOrEqual(PHONE - 40);
  });

  it('does not change the colours of a notice above the archive page in dark mode', async () => {
    const notice = '<aside style="background-color:#fff4d6;color:#1b1a18">Retracted since</aside>';
    await using shown = await show(archive.replace(/<body[^>]*>/, `$&${notice}`), PHONE, 'dark');
    const style = "getComputedStyle(document.querySelector('aside'))";
    const colours = await shown.page.evaluate(`[${style}.color, ${style}.backgroundColor]`);
    expect(colours).toEqual(['rgb(27, 26, 24)', 'rgb(255, 244, 214)']);
  });

  it('requests only its pictures', async () => {
    await using shown = await show(email, PHONE);
    expect(shown.requested).toEqual(['https://wire.example.com/media/chips.jpg']);
  });

  interface Shown extends AsyncDisposable {
    page: Page;
    requested: string[];
  }

  async function show(html: string, width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Shown> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const requested: string[] = [];
    await page.route('**/*', (route) => {
      requested.push(route.request().url());
      return route.abort();
    });
    await page.setContent(html);
    return { page, requested, [Symbol.asyncDispose]: () => page.close() };
  }
});

async function renderBoth(
  view: EditionView,
  { site = SAMPLE_SITE, template = 'daily-roundup' } = {},
): Promise<{ email: string; archive: string }> {
  const templates = openTemplates(BUILT_IN_TEMPLATES, site.zone);
  const { html, archiveHtml } = await renderEdition(view, site, templates, { template, nonce: SAMPLE_NONCE });
  const values = {
    unsubscribe: 'https://wire.example.com/unsubscribe/token',
    preferences: 'https://wire.example.com/preferences/token',
  };
  return { email: fillHtml(html, SAMPLE_NONCE, values), archive: archiveHtml };
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
  text: string;
}

function boxes(page: Page, selector: string): Promise<Box[]> {
  return page.locator(selector).evaluateAll((elements) =>
    elements.map((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return { left, top, width, height, text: element.textContent ?? '' };
    }),
  );
}

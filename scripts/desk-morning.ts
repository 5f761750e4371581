/**
 * An editor's morning at the desk of the sample newsroom, in Chromium: prints clicks, keys besides the text, page
 * loads, and how long acts take.
 *
 *     npm run -s desk-morning
 */
import { chromium, type Page } from 'playwright-core';
import { hashPassword } from '../src/accounts/passwords.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';
import { CountedPage } from './desk/counted-page.ts';
import { type SampleDesk, startSampleDesk } from './desk/sample-desk.ts';

const PASSWORD = 'a long one for the morning';

const executablePath = findChromium();
if (executablePath === null) throw new Error('no Chromium: set CHROMIUM_PATH');
const desk = await startSampleDesk();
const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
try {
  const password = (await hashPassword(PASSWORD)) as string;
  await desk.store.db.updateTable('accounts').set({ password }).where('email', '=', 'editor@example.com').execute();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await worksOnEdition(desk, page);
} finally {
  await browser.close();
  await desk.stop();
}

/** Merges two groups that are perhaps the same, and picks six others with a sentence each. */
async function worksOnRoundup(editor: CountedPage, report: (step: string) => void): Promise<void> {
  const { page } = editor;
  await editor.click('a[href="/desk/roundup"]');
  await page.waitForURL(/\/roundup$/);
  await editor.act(/merged 2 groups/i, () => editor.click('.about [action$="/merge"] button'));
  report('merged two groups');
  await editor.click('.write [name="text"]:placeholder-shown');
  for (let n = 1; n <= 6; n++) {
    await editor.type(`Sentence ${n} of the roundup, in our own words.`);
    await editor.press('Control+Enter');
  }
  await page.locator('.write button', { hasText: 'Pick' }).first().waitFor({ state: 'detached' });
  report('picked six groups');
}

async function worksOnEdition({ url }: SampleDesk, page: Page): Promise<void> {
  const editor = new CountedPage(page);
  const report = (step: string): void => {
    const { clicks, keys, characters, loads } = editor.effort;
    console.log(`${step.padEnd(28)} ${clicks} clicks, ${keys} keys, ${loads} loads (${characters} characters)`);
  };
  await page.goto(`${url}/desk`);
  await editor.type('editor@example.com');
  await editor.press('Tab');
  await editor.type(PASSWORD);
  await editor.press('Enter');
  await page.waitForURL(/\/desk$/);
  report('signed in');

  await editor.click('a[href="/desk/edition"]');
  await page.waitForURL(/\/draft/);
  const rows = '[data-drag-list="roundup"] > [data-drag-item]';
  const lead = '[data-drag-list="lead"] > [data-drag-item]';
  for (const from of [3, 4, 5]) {
    await editor.act(/moved/i, () => editor.drag(`${rows}:nth-child(${from})`, `${rows}:nth-child(1)`));
    await page.locator('#notice:not(:empty)').evaluate((notice) => notice.replaceChildren());
  }
  report('reordered three stories');
  await editor.act(/dropped/i, () => editor.click(`${rows}:nth-child(4) button[data-key="x"]`));
  report('dropped one');
  await editor.click('#note');
  await editor.type('Good morning. The ferries sail again, and we say what that costs.');
  await editor.act(/note/i, () => editor.press('Control+Enter'));
  report('wrote the note');
  await editor.press('Escape');
  await editor.press('s');
  await editor.type('Ferries sail again, and what that costs');
  await editor.act(/subject/i, () => editor.press('Enter'));
  report('wrote the subject');

  await editor.click(`${lead} .menu > summary`);
  await editor.click(`${lead} .menu a`);
  await page.waitForURL(/\/edit$/);
  await editor.click('#headline');
  await editor.press('End');
  await editor.type('s');
  await editor.click('[name="notice"][value="silent"]');
  await editor.press('Enter');
  await page.waitForURL(/articles\/[^/]+$/);
  report('fixed a typo');

  await worksOnRoundup(editor, report);

  await editor.click('a[href="/desk/edition"]');
  await page.waitForURL(/\/draft/);
  for (const view of ['dark', 'text', 'phone']) {
    await editor.click(`#preview-${view}`);
    await page.locator(`#preview-${view}[aria-current]`).waitFor();
  }
  report('previewed');
  await editor.act(/test copy/i, () => editor.press('c'));
  report('mailed a test copy');
  await editor.act(/approved/i, () => editor.press('a'));
  report('approved');
  const sorted = editor.acts.toSorted((a, b) => a - b);
  console.log(`acts: ${sorted.map((ms) => Math.round(ms)).join(', ')} ms`);
}

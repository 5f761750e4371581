/**
 * An editor's morning at the desk of the sample newsroom, in Chromium: prints clicks, keys besides the text, page
 * loads, and how long acts take.
 *
 *     npm run -s desk-morning [-- --articles N --subscribers N --stories N --acts N]
 *
 * `--articles`: more in the window of the edition; `--stories`: so many of them in the edition; `--acts`: further
 * moves, drops and undos at the end, for figures of acts.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { percentile } from '../bench/figures.ts';
import { hashPassword } from '../src/accounts/passwords.ts';
import { openParts } from '../src/app/context-parts.ts';
import { withAppContext } from '../src/core/app-context.ts';
import type { NewsletterConfig } from '../src/core/config/config.ts';
import { arrangeDraft } from '../src/editions/draft/compose-draft.ts';
import { findDraftTarget } from '../src/editions/draft/draft-target.ts';
import { editDraft } from '../src/editions/draft/edit-draft.ts';
import { openLog } from '../src/lib/log.ts';
import { DAY, MINUTE, SECOND } from '../src/lib/time.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';
import { CountedPage } from './desk/counted-page.ts';
import { type SampleDesk, startSampleDesk } from './desk/sample-desk.ts';
import { seedStore } from './seed.ts';

const PASSWORD = 'a long one for the morning';

const number = { type: 'string', default: '0' } as const;
const { values } = parseArgs({ options: { articles: number, subscribers: number, stories: number, acts: number } });
const [articles, subscribers, stories, acts] = [values.articles, values.subscribers, values.stories, values.acts].map(
  Number,
) as [number, number, number, number];
const executablePath = findChromium();
if (executablePath === null) throw new Error('no Chromium: set CHROMIUM_PATH');
const desk = await startSampleDesk((yaml) => (stories === 0 ? yaml : withLargeBlocks(yaml)));
if (articles + subscribers > 0) await enlarge(desk);
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

/** As many in each block as there can be. */
function withLargeBlocks(yaml: string): string {
  return yaml.replace(/blocks: .*/, 'blocks: { news: 50, analysis: 20, roundup: 30, latest: 50 }');
}

/** Adds articles of the last day and a half, and subscribers, and waits until the feeds have the articles. */
async function enlarge({ folder }: SampleDesk): Promise<void> {
  const [configFile, log] = [join(folder, 'config/daywire.yaml'), openLog(process.stderr, 'warn')];
  const now = Date.now();
  const interval = Math.floor((1.5 * DAY) / Math.max(1, articles));
  const surroundings = { configFile, env: process.env, cwd: folder, clock: Date.now, log };
  await withAppContext(surroundings, openParts, async (app) => {
    await seedStore(app, { articles, subscribers, seed: 1, until: now - MINUTE, interval, force: true });
    const target = await findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
    for (let n = articles; n > 1; n--) {
      const { loaded } = (await arrangeDraft(app, target)).arranged;
      if (loaded.placed.length >= stories) break;
      await editDraft(app, target, 'Ada', { kind: 'pin', story: `seed-1-${n}` });
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 20 * SECOND));
}

/** Moves stories down and up, drops one and undoes that. */
async function goOn(editor: CountedPage): Promise<void> {
  const { page } = editor;
  for (let n = 0; n < acts; n++) {
    const row = page.locator('[data-drag-list="roundup"] > [data-drag-item]').nth(1 + (Math.floor(n / 4) % 3));
    if (n % 4 !== 3) await row.locator('a').first().focus();
    if (n % 4 === 0) await editor.act('move down', /moved/i, () => editor.press('d'));
    else if (n % 4 === 1) await editor.act('move up', /moved/i, () => editor.press('u'));
    else if (n % 4 === 2) await editor.act('drop', /dropped/i, () => editor.press('x'));
    else await editor.act('undo', /undo/i, () => editor.press('z'));
  }
}

/** Merges two groups that are perhaps the same, and picks six others with a sentence each. */
async function worksOnRoundup(editor: CountedPage, report: (step: string) => void): Promise<void> {
  const { page } = editor;
  await editor.click('a[href="/desk/roundup"]');
  await page.waitForURL(/\/roundup$/);
  await editor.act('merge', /merged 2 groups/i, () => editor.click('.about [action$="/merge"] button'));
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
    await editor.act('drag', /moved/i, () => editor.drag(`${rows}:nth-child(${from})`, `${rows}:nth-child(1)`));
  }
  report('reordered three stories');
  await editor.act('drop', /dropped/i, () => editor.click(`${rows}:nth-child(4) button[data-key="x"]`));
  report('dropped one');
  await editor.click('#note');
  await editor.type('Good morning. The ferries sail again, and we say what that costs.');
  await editor.act('note', /note/i, () => editor.press('Control+Enter'));
  report('wrote the note');
  await editor.press('Escape');
  await editor.press('s');
  await editor.type('Ferries sail again, and what that costs');
  await editor.act('subject', /subject/i, () => editor.press('Enter'));
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
  await editor.act('test copy', /test copy/i, () => editor.press('c'));
  report('mailed a test copy');
  await editor.act('approve', /approved/i, () => editor.press('a'));
  report('approved');
  await goOn(editor);
  printTimes(editor);
}

function printTimes({ acts: times }: CountedPage): void {
  const columns = ['seen', 'answered', 'whole'] as const;
  console.log(`\n${'ms of each act'.padEnd(16)}${columns.map((one) => one.padStart(10)).join('')}`);
  const print = (name: string, figures: number[]): void =>
    console.log(`${name.padEnd(16)}${figures.map((ms) => String(Math.round(ms)).padStart(10)).join('')}`);
  for (const act of times.slice(0, 9))
    print(
      act.name,
      columns.map((one) => act[one]),
    );
  for (const share of [0.5, 0.95]) {
    print(
      `p${100 * share} of ${times.length}`,
      columns.map((one) =>
        percentile(
          times.map((act) => act[one]),
          share,
        ),
      ),
    );
  }
}

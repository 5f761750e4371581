import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import { findDraftTarget } from '../../../../src/editions/draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../../../../src/editions/draft/edit-draft.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { openMigrated } from '../../../support/databases.ts';
import { openTestApp } from '../../../support/test-app.ts';
import { type BrowserDesk, draftOf, openBrowserDesk } from './browser-desk.ts';

describe('the page of an edition with its script', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-edition-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('moves rows at once, one act after the other, and puts them back where it is refused', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { folder: join(folder, 'rows') });
    await saveAll(
      store,
      ['lead', 'a', 'b', 'c', 'd'].map((id, n) => article(id, { publishedAt: app.now - (n + 1) * 60_000 })),
    );
    const desk: BrowserDesk = await openBrowserDesk(store, app);
    try {
      const { page, faults } = await desk.open('editor');
      await page.goto(`${desk.url}/edition`);
      const rows = page.locator('[data-drag-list="news"] > [data-drag-item]');
      const order = () => rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-drag-item')).join(''));
      const stored = async () => (await draftOf(store))?.decisions.blocks.news?.join('');
      expect(await order()).toBe('abcd');
      // The server answers when the rows have moved.
      let answer = (): void => {};
      const gate = new Promise<void>((resolve) => {
        answer = resolve;
      });
      await page.route(/\/(move|drop)$/, async (route) => {
        await gate;
        await route.continue();
      });
      await page.focus('#story-a');
      for (const key of ['d', 'd', 'd', 'u']) await page.keyboard.press(key);
      expect([await order(), await page.evaluate('document.activeElement.id')]).toEqual(['bcad', 'story-a']);
      await page.focus('#story-c');
      await page.keyboard.press('x');
      expect([await order(), await page.evaluate('document.activeElement.id')]).toEqual(['bad', 'story-a']);
      expect(await draftOf(store)).toBe(undefined);
      answer();
      await page.locator('#notice').getByText('Dropped “Headline of c”').waitFor();
      expect([await order(), await stored()]).toEqual(['bad', 'bcad']);
      expect(await page.evaluate('document.activeElement.id')).toBe('story-a');

      await page.locator('[data-drag-item="d"] .handle').hover();
      await page.mouse.down();
      const top = await rows.first().boundingBox();
      await page.mouse.move((top?.x ?? 0) + 60, (top?.y ?? 0) + 4, { steps: 5 });
      await expect.poll(order).toBe('dba');
      await page.keyboard.press('Escape');
      await page.mouse.up();
      expect(await order()).toBe('bad');
      await page.locator('[data-drag-item="d"] .handle').hover();
      await page.mouse.down();
      await page.mouse.move((top?.x ?? 0) + 60, (top?.y ?? 0) + 4, { steps: 5 });
      await expect.poll(order).toBe('dba');
      await page.mouse.up();
      await page.locator('#notice').getByText('“Headline of d”').waitFor();
      expect([await order(), await stored()]).toEqual(['dba', 'dba']);

      // The changes that wait for one that is refused are taken back, and the refusal counts them.
      let refuse = (): void => {};
      const refusalGate = new Promise<void>((resolve) => {
        refuse = resolve;
      });
      await page.route(/\/move$/, async (route) => {
        await refusalGate;
        await route.continue();
      });
      await page.evaluate('document.querySelector("[data-drag-item=a] [name=story]").value = "none"');
      await page.click('[data-drag-item="a"] .menu > summary');
      await page.click('#u-a');
      await page.focus('#story-d');
      for (const key of ['d', 'd']) await page.keyboard.press(key);
      expect(await order()).toBe('abd');
      refuse();
      await page
        .locator('#refusal')
        .getByText(/There is no article none.* Further changes not made: 2\.$/)
        .waitFor();
      expect([await order(), await stored()]).toEqual(['dba', 'dba']);
      await page.unroute(/\/move$/);
      const failures: (() => void)[] = [];
      await page.route(/\/move$/, async (route) => {
        await new Promise<void>((resolve) => failures.push(resolve));
        await route.abort();
      });
      await page.focus('#story-a');
      for (const key of ['u', 'u', 'd']) await page.keyboard.press(key);
      await expect.poll(() => failures.length).toBe(1);
      failures[0]?.();
      await page
        .locator('[role=alert]')
        .getByText(/did not answer.* Further changes not made: 2\.$/)
        .waitFor();
      expect(await order()).toBe('dba');
      expect([await page.isEnabled('#u-a'), await page.isEnabled('#d-a')]).toEqual([true, false]);

      // A text that is saved while a row waits for its answer is shown as saved.
      await page.unroute(/\/move$/);
      let answerMove = (): void => {};
      const moveGate = new Promise<void>((resolve) => {
        answerMove = resolve;
      });
      await page.route(/\/move$/, async (route) => {
        await moveGate;
        await route.continue();
      });
      await page.focus('#story-a');
      await page.keyboard.press('u');
      await page.fill('#note', 'Written while a row moves');
      await page.keyboard.press('Control+Enter');
      await page.locator('#notice').getByText('Written while a row moves').waitFor();
      expect(await page.locator('#note-counter').textContent()).not.toContain('not saved');
      answerMove();
      await page.locator('#notice').getByText('“Headline of a”').waitFor();
      await expect.poll(order).toBe('dab');

      // Without a session, a dropped row comes back, and its form is kept.
      await page.context().clearCookies();
      await page.focus('#story-b');
      await page.keyboard.press('x');
      await page.getByText('Your session has ended, and nothing was saved.').waitFor();
      expect(faults.filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
    } finally {
      await desk.close();
      await store.close();
    }
  }, 60_000);

  it('gets only the blocks that changed, loads nothing after its own act, and has seen what it shows', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { folder: join(folder, 'blocks') });
    const at = (n: number) => ({ publishedAt: app.now - n * 60_000 });
    await saveAll(store, [
      ...['lead', 'a', 'b', 'c'].map((id, n) => article(id, at(n + 1))),
      ...['x', 'y', 'z'].map((id, n) => article(id, { kind: 'analysis', ...at(n + 9) })),
    ]);
    const desk: BrowserDesk = await openBrowserDesk(store, app);
    const target = await findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
    const colleague = async (...requests: DraftRequest[]) => {
      app.now += 2_000;
      for (const request of requests) await editDraft(app, target, 'Bob', request);
    };
    try {
      const { page, faults } = await desk.open('editor');
      const loads: string[] = [];
      page.on('request', (request) => {
        if (request.headers()['x-background'] !== undefined) loads.push(request.url());
      });
      // To a stream that has just begun, everything is new.
      const first = page.waitForRequest((request) => request.headers()['x-background'] !== undefined);
      await page.goto(`${desk.url}/edition`);
      await first;
      app.now += 2_000;
      await page.reload();
      loads.length = 0;
      const order = (block: string) =>
        page
          .locator(`[data-drag-list="${block}"] > [data-drag-item]`)
          .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-drag-item')).join(''));
      const seen = () =>
        page.evaluate(`[...new Set([...document.querySelectorAll('[name=seen]')].map(({ value }) => value))]`);
      // The stream tells of the own act: then a load that it causes has begun.
      const told = page.evaluate(`new Promise((resolve) => {
        const { base, account } = document.body.dataset;
        new BroadcastChannel('daywire-desk-live' + base + '-' + account).onmessage = ({ data }) => {
          if (Object.values(data.versions ?? {}).some((one) => one.startsWith('1 '))) resolve();
        };
      })`);
      const answer = page.waitForResponse((response) => response.request().redirectedFrom()?.method() === 'POST');
      await page.focus('#story-a');
      await page.keyboard.press('d');
      const sent = await (await answer).text();
      expect(sent).toMatch(/<section id="stories-analysis" data-region="\w+" data-same="1"><\/section>/);
      expect(sent).not.toMatch(/<section id="stories-news"[^>]* data-same/);
      await page.locator('#notice').getByText('Moved “Headline of a”').waitFor();
      await told;
      expect([await order('news'), await seen(), loads]).toEqual(['bac', ['1'], []]);

      // Nothing of the block is another after that: it stays, and the page has seen it nevertheless.
      await page.fill('#subject', 'What we made of it');
      await colleague({ kind: 'pin', story: 'x' }, { kind: 'undo' }, { kind: 'subject', text: 'What Bob made of it' });
      await page.locator('#log').getByText('What Bob made of it').waitFor();
      expect(loads.length).toBeGreaterThan(0);
      expect(await seen()).toEqual(['1', '4']);
      expect(await page.inputValue('#subject-form [name=seen]')).toBe('1');
      await page.focus('#story-x');
      await page.keyboard.press('x');
      await page.locator('#notice').getByText('Dropped “Headline of x”').waitFor();
      await page.focus('#story-c');
      await page.keyboard.press('3');
      await page.locator('#notice').getByText('Moved “Headline of c”').waitFor();
      expect([await order('news'), await order('analysis')]).toEqual(['ba', 'yzc']);
      expect(await page.evaluate('document.activeElement.id')).toBe('story-c');
      // An open menu goes with its row to the block to which a colleague moves it.
      await page.click('#b-b');
      await colleague({ kind: 'move', story: 'b', block: 'latest', place: { kind: 'last' } });
      await page.locator('[data-drag-list="latest"] #more-b[open]').waitFor();
      await page.keyboard.press('Escape');
      // The same story: what a colleague changed is a conflict where the page has not shown it.
      await page.focus('#subject');
      await page.keyboard.press('Enter');
      await page.locator('#subject-error').getByText('Bob has changed it, too.').waitFor();
      expect((await draftOf(store))?.decisions.subject).toBe('What Bob made of it');
      expect(faults).toEqual([]);
    } finally {
      await desk.close();
      await store.close();
    }
  }, 60_000);

  it('keeps what is typed while a text is saved, and then saves that', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { folder: join(folder, 'texts') });
    await saveAll(store, [article('lead', { publishedAt: app.now - 60_000 })]);
    const desk: BrowserDesk = await openBrowserDesk(store, app);
    try {
      const { page, faults } = await desk.open('editor');
      await page.goto(`${desk.url}/edition`);
      let answer = (): void => {};
      const gate = new Promise<void>((resolve) => {
        answer = resolve;
      });
      await page.route(/\/note$/, async (route) => {
        await gate;
        await route.continue();
      });
      await page.focus('#note');
      await page.keyboard.type('Good');
      await page.keyboard.press('Control+Enter');
      await page.keyboard.type(' morning');
      answer();
      await page.locator('#notice').getByText('Note: Good').waitFor();
      await page.keyboard.type('!');
      expect(await page.inputValue('#note')).toBe('Good morning!');
      expect(await page.textContent('#note-counter')).toContain('not saved');
      expect((await draftOf(store))?.decisions.note).toBe('Good');
      await page.keyboard.press('Control+Enter');
      await page.locator('#notice').getByText('Note: Good morning!').waitFor();
      expect((await draftOf(store))?.decisions.note).toBe('Good morning!');
      expect(await page.locator('[data-offer]').count()).toBe(0);

      // Sent twice: the newer text is saved after the first answer, and not before.
      let answerFirst = (): void => {};
      const firstGate = new Promise<void>((resolve) => {
        answerFirst = resolve;
      });
      const posted: (string | null)[] = [];
      await page.unroute(/\/note$/);
      await page.route(/\/note$/, async (route) => {
        posted.push(new URLSearchParams(route.request().postData() ?? '').get('text'));
        await firstGate;
        await route.continue();
      });
      await page.keyboard.type(' One');
      await page.keyboard.press('Control+Enter');
      await page.keyboard.type(', two');
      await page.keyboard.press('Control+Enter');
      await page.keyboard.press('Control+Enter');
      expect(await page.textContent('#note-counter')).toContain('not saved');
      answerFirst();
      await page.locator('#notice').getByText('Note: Good morning! One, two').waitFor();
      expect((await draftOf(store))?.decisions.note).toBe('Good morning! One, two');
      expect(posted).toEqual(['Good morning! One', 'Good morning! One, two']);
      expect(await page.textContent('#note-counter')).not.toContain('not saved');

      // A colleague is first: one message, at the field, with both texts.
      const { page: theirs } = await desk.open('admin');
      await theirs.goto(`${desk.url}/edition`);
      await theirs.fill('#subject', 'Ferry burns');
      await page.route('**/live*', (route) => route.abort());
      await page.reload();
      await page.fill('#subject', 'Ferry sinks');
      await theirs.click('#subject-save');
      await theirs.locator('#notice').getByText('Ferry burns').waitFor();
      await page.press('#subject', 'Control+Enter');
      await page.locator('#subject-error').getByText('Ada Lindqvist has changed it, too.').waitFor();
      expect(await page.locator('.versions mark').allTextContents()).toEqual(['burns', 'sinks']);
      expect(await page.locator('main .error, main .notice, .errors, #conflict:not(:empty)').count()).toBe(1);
      expect(await page.evaluate('document.activeElement.className')).toBe('versions');
      await page.fill('#subject', 'Ferry burns and sinks');
      await page.press('#subject', 'Control+Enter');
      await page.locator('#notice').getByText('Ferry burns and sinks').waitFor();
      expect(faults.filter((fault) => !/ERR_FAILED/.test(fault))).toEqual([]);
    } finally {
      await desk.close();
      await store.close();
    }
  }, 60_000);

  it('previews texts that are not saved, and finds articles, without loading the page', async () => {
    const store = await openMigrated();
    const edit = (yaml: string) =>
      yaml.replace('minimumStories: 3', 'minimumStories: 3\n    choices: { sections: true }');
    const app = openTestApp(store, { folder: join(folder, 'preview'), edit });
    await saveAll(store, [
      ...['lead', 'second', 'third'].map((id) => article(id)),
      article('ferry', { publishedAt: app.now - 90 * 86_400_000, headline: 'Ferries of Second Street' }),
    ]);
    const desk: BrowserDesk = await openBrowserDesk(store, app);
    try {
      const { page, faults } = await desk.open('editor');
      await page.goto(`${desk.url}/edition`);
      await page.evaluate('window.isSamePage = history.length');
      await page.fill('#note', 'Nobody has *saved* this note');
      const mail = page.frameLocator('#preview iframe:last-child');
      await mail.getByText('Nobody has saved this note').waitFor();
      await page.fill('#subject', 'A new subject');
      await page.click('#preview-inbox');
      await mail.getByText('A new subject').first().waitFor();
      await page.click('#preview-text');
      await mail.getByText('Nobody has saved this note').waitFor();
      expect(new URL(page.url()).search).toBe('?view=text');
      expect(await draftOf(store)).toBe(undefined);

      await page.selectOption('#copy', 'sections:world');
      await page.click('#copies-show');
      await mail.getByText('Not mailed to them: too few chosen stories').waitFor();
      await page.selectOption('#copy', 'sections:business-tech');
      await page.click('#copies-show');
      await mail.getByText('Nobody has saved this note').waitFor();
      expect(new URL(page.url()).search).toBe('?view=text&copy=sections%3Abusiness-tech');

      const third = page.locator('[data-drag-item="third"]');
      await page.fill('#find-words', 'SECOND');
      expect(await third.isVisible()).toBe(false);
      expect(await page.locator('#stories [data-drag-item="second"]').isVisible()).toBe(true);
      await page.keyboard.press('Enter');
      await page.click('#add-ferry');
      await page.locator('#notice').getByText('Pinned “Ferries of Second Street”').waitFor();
      expect(await page.locator('#stories [data-drag-item="ferry"]').isVisible()).toBe(true);
      await page.click('#find-clear');
      await third.waitFor();
      // Typed texts have stayed all the time, and the preview has them.
      expect(await page.inputValue('#subject')).toBe('A new subject');
      await mail.getByText('Nobody has saved this note').waitFor();
      expect(await page.evaluate('window.isSamePage === history.length')).toBe(true);

      await page.context().clearCookies();
      await page.fill('#note', 'Written after the session');
      await mail.getByText('There is no preview: you may be signed out').waitFor();
      expect(faults).toEqual([]);
    } finally {
      await desk.close();
      await store.close();
    }
  }, 60_000);
});

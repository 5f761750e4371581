import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeGroups } from '../../../../src/outlets/story-groups/change-groups.ts';
import { readGroups } from '../../../../src/outlets/story-groups/group-rows.ts';
import { report } from '../../../outlets/desk/roundup-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { openMigrated } from '../../../support/databases.ts';
import { storeGroup } from '../../../support/outlet-items.ts';
import { openTestApp } from '../../../support/test-app.ts';
import { PASSWORD } from '../test-desk.ts';
import { type BrowserDesk, draftOf, openBrowserDesk } from './browser-desk.ts';

/** Presses Tab or Shift+Tab until an element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, selector: string): Promise<void> {
  const key = `((one, wanted) => one.matches(wanted) ? null :
    one.compareDocumentPosition(document.querySelector(wanted) ?? one) === 2 ? 'Shift+Tab' : 'Tab'
  )(document.activeElement, ${JSON.stringify(selector)})`;
  for (let presses = 0; presses < 400; presses++) {
    const next = await page.evaluate<string | null>(key);
    if (next === null) return;
    await page.keyboard.press(next);
  }
  throw new Error(`Tab does not reach ${selector} on ${page.url()}`);
}

/** Presses Enter on an element, and waits for the page that says what happened. */
async function press(page: Page, selector: string): Promise<void> {
  await tabTo(page, selector);
  await page.keyboard.press('Enter');
}

/** Types a subject without saving it: nothing that the edition would lack it in is done, and links keep it. */
async function keepUnsaved(page: Page): Promise<void> {
  const focused = (selector: string) => page.evaluate<boolean>(`document.activeElement.matches('${selector}')`);
  await page.evaluate('window.isSamePage = true');
  await page.fill('#subject', 'Not saved');
  await page.locator('.skip').press('Enter');
  await page.keyboard.press('Tab');
  expect(await focused('main *')).toBe(true);
  await page.goBack();
  expect(await page.evaluate('window.isSamePage')).toBe(true);
  expect(await page.locator('#subject-counter').textContent()).toContain('not saved');

  await page.keyboard.press('a');
  await page.locator('#sending [role=alert]').getByText('The subject is not saved').waitFor();
  expect(await focused('#subject')).toBe(true);
  await page.fill('#subject', '');
  expect(await page.locator('#subject-counter').textContent()).not.toContain('not saved');
  await page.keyboard.press('Escape');
  expect(await focused('#subject')).toBe(false);
}

/** An expression: what is wrong with the focus. Of a page that an act has led to, the main part has it. */
const UNSEEN_FOCUS = `(() => {
  const one = document.activeElement;
  if (one.id === 'main') return '';
  const { top, bottom } = one.getBoundingClientRect();
  if (!one.matches(':focus-visible') || getComputedStyle(one).outlineStyle === 'none') {
    return 'no ring: ' + one.outerHTML.slice(0, 200);
  }
  const [x, y] = [one.getBoundingClientRect().left + 2, (top + bottom) / 2];
  const over = document.elementFromPoint(x, y);
  return one === over || one.contains(over) || over?.contains(one) ? '' : 'not in sight: ' + one.outerHTML.slice(0, 200);
})()`;

describe('an edition of the desk', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-flows-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with the keyboard alone' : 'with the keyboard alone and without JavaScript';
    it(`is arranged, named, completed, tested and approved ${how}`, async () => {
      const store = await openMigrated();
      const app = openTestApp(store, { folder: join(folder, String(javaScriptEnabled)) });
      // Few: each has buttons that Tab passes.
      await saveAll(
        store,
        ['lead', 'second', 'third', 'fourth', 'fifth'].map((id) => article(id)),
      );
      const desk: BrowserDesk = await openBrowserDesk(store, app);
      try {
        const { page, faults } = await desk.open('editor', { javaScriptEnabled });
        const says = (text: string | RegExp) => page.locator('#notice').getByText(text).waitFor();
        await page.goto(`${desk.url}/edition`);
        const dropped =
          (await page.locator('[data-drag-list="news"] [data-drag-item]').nth(1).getAttribute('data-drag-item')) ?? '';
        const [, , next] = await page.locator('[data-drag-list="news"] .story > a').all();
        const nextId = await next?.getAttribute('id');
        if (javaScriptEnabled) await keepUnsaved(page);

        if (javaScriptEnabled) {
          const isOnRow = `document.activeElement?.closest('[data-row]')?.dataset.dragItem === ${JSON.stringify(dropped)}`;
          for (let n = 0; n < 50 && !(await page.evaluate<boolean>(isOnRow)); n++) await page.keyboard.press('j');
          await page.keyboard.press('x');
        } else await press(page, `#x-${dropped}`);
        await says('Done:');
        expect((await draftOf(store)).decisions.stories[dropped]).toMatchObject({ kind: 'dropped' });
        if (javaScriptEnabled) expect(await page.evaluate('document.activeElement.id')).toBe(nextId);
        else expect(page.url()).toMatch(new RegExp(`#${nextId}$`));

        await tabTo(page, '#subject');
        await page.keyboard.type('Chips, ships and a founder’s divorce');
        for (let n = 0; n < 3; n++) await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('Enter');
        await says(/subject/i);
        const caret = 'Chips, ships and a founder’s divorce'.length - 3;
        if (javaScriptEnabled) expect(await page.evaluate('document.activeElement.selectionStart')).toBe(caret);
        expect((await draftOf(store)).decisions.subject).toBe('Chips, ships and a founder’s divorce');

        await press(page, 'nav a[href="/desk/roundup"]');
        await page.waitForURL(/\/desk\/roundup$/);
        await press(page, 'a[href="/desk/roundup/add"]');
        await page.waitForURL(/\/add$/);
        await tabTo(page, '#url');
        await page.keyboard.type('https://harbour.example.com/ferries');
        await press(page, '#add-report');
        // Nobody can read that page here, so the desk asks what it says.
        await page.locator('#url-error').waitFor();
        await tabTo(page, '#title');
        await page.keyboard.type('Ferries Return to the Harbour');
        await tabTo(page, '#outlet');
        await page.keyboard.type('The Harbour Post');
        await tabTo(page, '#text');
        await page.keyboard.type('The city’s ferries sail again from Monday.');
        await press(page, '#add-report');
        await says(/Added and picked/);

        await press(page, 'nav a[href="/desk/edition"]');
        await page.waitForURL(/\/draft/);
        await page.getByText('Ferries Return to the Harbour').first().waitFor();
        await press(page, '#test-own');
        await says(/test/i);
        const mails = readdirSync(app.config.paths.data, { recursive: true, encoding: 'utf8' }).filter((name) =>
          name.endsWith('.eml'),
        );
        expect(mails).toHaveLength(1);
        const mail = readFileSync(join(app.config.paths.data, mails[0] as string), 'utf8');
        expect(mail).toContain('editor@example.com');

        // Its button is before the one that has the focus.
        if (javaScriptEnabled) await page.keyboard.press('a');
        else await press(page, '#approve');
        await says(/approved/i);
        expect((await draftOf(store)).state).toMatchObject({ kind: 'approved', by: 'Edda Moreno' });
        expect(faults).toEqual([]);
      } finally {
        await desk.close();
        await store.close();
      }
    });
  }

  it('is previewed light and dark, as the frame is', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { folder: join(folder, 'schemes') });
    await saveAll(
      store,
      ['lead', 'second', 'third'].map((id) => article(id)),
    );
    const desk: BrowserDesk = await openBrowserDesk(store, app);
    try {
      // Not emulated: that would hold for the frame, too.
      const { page, faults } = await desk.open('editor', { colorScheme: null });
      await page.goto(`${desk.url}/edition`);
      const address = page.url();
      for (const scheme of ['light', 'dark'] as const) {
        await page.goto(`${address}?view=phone&scheme=${scheme}`);
        const mail = page.frames().find((frame) => frame.url().includes('/preview/'));
        expect(await mail?.evaluate(`matchMedia('(prefers-color-scheme: ${scheme})').matches`)).toBe(true);
      }
      expect(faults).toEqual([]);
    } finally {
      await desk.close();
      await store.close();
    }
  }, 60_000);
});

describe('the roundup of the desk', () => {
  it('takes sentences one after the other, merges and undoes by keys, and never loses the place', async () => {
    const store = await openMigrated();
    const folder = mkdtempSync(join(tmpdir(), 'daywire-roundup-'));
    const ids: number[] = [];
    for (let n = 0; n < 9; n++) {
      const reports = [report(`Outlet ${n}`, 10 + 2 * n), report(`Paper ${n}`, 11 + 2 * n)];
      ids.push((await storeGroup(store.db, reports))[0]?.id as number);
    }
    const app = openTestApp(store, { folder });
    const desk: BrowserDesk = await openBrowserDesk(store, app);
    try {
      const { page, faults } = await desk.open('editor');
      await page.goto(`${desk.url}/roundup`);
      let keys = 0;
      const press = async (...names: string[]): Promise<void> => {
        for (const name of names) await page.keyboard.press(name);
        keys += names.length;
      };
      const focused = () => page.evaluate<string>('document.activeElement.id');
      const says = (text: string) => page.locator('#notice').getByText(text).waitFor();
      const group = async (n: number) => (await readGroups(store.db, [ids[n] as number])).get(ids[n] as number);

      await press('j', 'p');
      for (let n = 0; n < 6; n++) {
        await page.keyboard.type(`Sentence ${n}, in our words.`);
        // Live updates come while the next one is typed.
        await press('Control+Enter');
        expect(await focused()).toBe(`text-${ids[n + 1]}`);
      }
      expect(keys).toBeLessThanOrEqual(6 * 6);
      await page.keyboard.type('Not stored ');
      await page.locator(`#write-${ids[5]} button`, { hasText: 'Save' }).waitFor({ state: 'attached' });
      await page.keyboard.type('yet');
      expect(await page.inputValue(`#text-${ids[6]}`)).toBe('Not stored yet');
      for (let n = 0; n < 6; n++) {
        expect((await group(n))?.decision).toMatchObject({ state: 'picked', text: `Sentence ${n}, in our words.` });
      }

      // A refusal is beside its field, and the text of another row stays.
      await page.fill(`#text-${ids[7]}`, 'x'.repeat(2_001));
      await press('Meta+Enter');
      await page.locator(`#text-${ids[7]}-error`).getByText('at most 2000').waitFor();
      expect(await page.inputValue(`#text-${ids[6]}`)).toBe('Not stored yet');
      await page.fill(`#text-${ids[7]}`, '');

      await press('Escape');
      expect(await focused()).toBe(`open-${ids[7]}`);
      await press('x');
      await says('Dropped');
      expect(await focused()).toBe(`open-${ids[8]}`);
      await page.locator('#undo-notice').press('Enter');
      await says('Restored');
      await press('j');
      expect(await focused()).toBe(`open-${ids[8]}`);

      await press('m', 'k', 'm');
      app.now += 2_000;
      // In one of these rows, a sentence is not stored yet.
      for (const id of [ids[0], ids[6]] as number[]) {
        await changeGroups(store, [{ items: [id], seen: null }], { kind: 'drop' }, { editor: 'Bo', now: app.now });
      }
      await page.locator(`#g${ids[0]}`).waitFor({ state: 'detached' });
      expect(await page.locator('[name=group]:checked').count()).toBe(2);
      await press('g');
      await says('Merged 2 groups');
      expect(await focused()).toBe(`open-${ids[7]}`);
      await page.locator('#undo-notice').press('Enter');
      await says('Split off');
      await page.locator(`#g${ids[8]}`).waitFor();
      expect(await focused()).not.toBe('');
      await page.locator(`#text-${ids[6]}`).press('Control+Enter');
      await page.locator('.errors').getByText('Bo changed it since you looked.').waitFor();
      expect(await page.inputValue('#own-text')).toBe('Not stored yet');
      expect(faults).toEqual([]);
    } finally {
      await desk.close();
      await store.close();
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

describe('the morning of an editor without a mouse', () => {
  for (const hasKeys of [true, false]) {
    it(`is done ${hasKeys ? 'with' : 'without'} single keys, and the focus is always seen`, async () => {
      const store = await openMigrated();
      const folder = mkdtempSync(join(tmpdir(), 'daywire-morning-'));
      const app = openTestApp(store, { folder });
      await saveAll(
        store,
        ['lead', 'a', 'b', 'c', 'd'].map((id, n) => article(id, { publishedAt: app.now - (n + 1) * 60_000 })),
      );
      const ids: number[] = [];
      for (let n = 0; n < 4; n++) {
        ids.push((await storeGroup(store.db, [report(`Outlet ${n}`, 10 + 2 * n)]))[0]?.id as number);
      }
      const desk: BrowserDesk = await openBrowserDesk(store, app);
      try {
        const page = await (await desk.browser.newContext()).newPage();
        const { keyboard } = page;
        const seen = async () => expect(await page.evaluate(UNSEEN_FOCUS)).toBe('');
        const says = async (text: string | RegExp) => {
          await page.locator('#notice').getByText(text).waitFor();
          await seen();
        };
        /** Follows a link with Enter. */
        const follow = async (selector: string, address: RegExp) => {
          await press(page, selector);
          await page.waitForURL(address);
        };

        await page.goto(`${desk.url}/sign-in`);
        await tabTo(page, '#email');
        await keyboard.type('editor@example.com');
        await keyboard.press('Tab');
        await keyboard.type(PASSWORD);
        await keyboard.press('Enter');
        await page.waitForURL(/\/desk$/);
        if (!hasKeys) {
          await follow('.me a', /account$/);
          await press(page, '#shortcuts');
          await says(/keys/);
          await keyboard.press('?');
          expect(await page.locator('#keys').isVisible()).toBe(false);
        }

        await follow('nav a[href="/desk/edition"]', /draft/);
        for (const [story, key] of ['bd', 'du', 'cu'].map((one) => [...one]) as [string, string][]) {
          if (hasKeys) {
            await tabTo(page, `#story-${story}`);
            await keyboard.press(key);
          } else {
            await press(page, `#b-${story}`);
            await press(page, `#${key}-${story}`);
          }
          await says(`“Headline of ${story}”`);
        }
        const { decisions } = await draftOf(store);
        expect(decisions.blocks.news).toEqual(['c', 'a', 'd', 'b']);
        if (hasKeys) await keyboard.press('x');
        else await press(page, '#x-c');
        await says(/Dropped/);
        await tabTo(page, '#note');
        await keyboard.type('Good morning.');
        await keyboard.press('Control+Enter');
        await says(/Note/);
        await keyboard.press('Escape');
        if (hasKeys) await keyboard.press('s');
        else await tabTo(page, '#subject');
        await keyboard.type('Ferries sail again');
        await keyboard.press('Enter');
        await says(/Subject/);

        if (hasKeys) {
          await tabTo(page, '#story-a');
          await keyboard.press('i');
        } else {
          await press(page, '#b-a');
          await press(page, '#more-a a');
        }
        await page.waitForURL(/edit$/);
        await tabTo(page, '#headline');
        await keyboard.press('End');
        await keyboard.type('s');
        await tabTo(page, '[name="notice"]');
        await keyboard.press('Space');
        await keyboard.press('Enter');
        await page.waitForURL(/articles\/a$/);

        await follow('nav a[href="/desk/roundup"]', /roundup$/);
        if (hasKeys) for (const key of 'jmjmg') await keyboard.press(key);
        else {
          for (const id of ids.slice(0, 2)) {
            await tabTo(page, `#mark-${id}`);
            await keyboard.press('Space');
            await seen();
          }
          await press(page, '#merge-groups');
        }
        await says('Merged 2 groups');
        for (const id of ids.slice(2)) {
          await tabTo(page, `#text-${id}`);
          await keyboard.type('In our own words.');
          if (hasKeys) await keyboard.press('Control+Enter');
          else await press(page, `#pick-${id}`);
          await page.locator(`#write-${id} button`, { hasText: 'Save' }).waitFor({ state: 'attached' });
          await seen();
        }

        await follow('nav a[href="/desk/edition"]', /draft/);
        await page.evaluate('window.announced = document.querySelector("#notice")');
        for (const view of ['dark', 'text', 'phone']) {
          await press(page, `#preview-${view}`);
          await page.locator(`#preview-${view}[aria-current]`).waitFor();
          await seen();
        }
        for (const [key, id, done] of [
          ['c', 'test-own', /test/i],
          ['a', 'approve', /approved/i],
        ] as const) {
          if (hasKeys) await keyboard.press(key);
          else await press(page, `#${id}`);
          await says(done);
        }
        // Screen readers announce changes of elements that they know.
        expect(await page.textContent('#notice')).toBe(await page.evaluate('window.announced.textContent'));
        const draft = await draftOf(store);
        expect(draft.state.kind).toBe('approved');
        expect(draft.decisions).toMatchObject({ note: 'Good morning.', subject: 'Ferries sail again' });
      } finally {
        await desk.close();
        await store.close();
        rmSync(folder, { recursive: true });
      }
    }, 60_000);
  }
});

/** Nothing that an editor types is lost, whatever ends while they write. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toArticle } from '../../../../src/articles/stored-document.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { openSession } from '../../../accounts/fixture.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { openMigrated } from '../../../support/databases.ts';
import { groupedItem, storeGroup } from '../../../support/outlet-items.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';
import { PASSWORD } from '../test-desk.ts';
import { type BrowserDesk, openBrowserDesk } from './browser-desk.ts';

/** With scripts of both directions, characters of two code units, and markup. */
const textOf = (moment: string): string =>
  `${moment}: die Fähre “Ilse” <b>&amp;</b> legt ab — 渡船启航 — العبّارة تغادر 🚢`;

interface Form {
  /** Below the desk's path. */
  path: string;
  field: string;
  button: string;
  /** Done before the text is typed. */
  prepare?(page: Page): Promise<unknown>;
}

const FORMS = {
  article: {
    ...{ path: '/articles/one/edit', field: '#body', button: '#save' },
    prepare: (page) => page.check('[name=notice][value=silent]'),
  },
  brief: {
    ...{ path: '/briefs/new', field: '#body', button: '#store' },
    prepare: (page) => page.fill('#headline', 'A brief of this moment'),
  },
  note: { path: '/edition', field: '#note', button: '#note-save' },
  subject: { path: '/edition', field: '#subject', button: '#subject-save' },
  pick: { path: '/roundup/g1', field: '#own-text', button: '#pick-group' },
  sentence: { path: '/roundup', field: '#text-3', button: '#pick-3' },
  hold: {
    ...{ path: '/edition', field: '#hold-reason', button: '#hold' },
    prepare: (page) => page.click('#send-more > summary'),
  },
  report: {
    ...{ path: '/roundup/add', field: '#text', button: '#add-report' },
    prepare: (page) => page.fill('#url', 'https://harbour.example.com/ferries'),
  },
} satisfies Record<string, Form>;

describe('a text that is typed at the desk', () => {
  let folder: string;
  let store: Store;
  let app: TestApp;
  let desk: BrowserDesk;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-texts-'));
    store = await openMigrated();
    app = openTestApp(store, { folder, outlets: true });
    await saveAll(
      store,
      ['one', 'two', 'three', 'four'].map((id) => article(id)),
    );
    await storeGroup(store.db, [groupedItem(1), groupedItem(2)]);
    await storeGroup(store.db, [groupedItem(3)]);
    desk = await openBrowserDesk(store, app);
  });
  afterAll(async () => {
    await desk.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const endSession = () =>
    store.db.deleteFrom('account_sessions').where('account_id', '=', desk.accounts.editor.id).execute();
  const press = (page: Page, form: Form) => page.click(form.button, { noWaitAfter: true });
  const signIn = async (page: Page) => {
    await page.fill('#email', 'editor@example.com');
    await page.fill('#password', PASSWORD);
    await page.click('#sign-in');
  };
  /** Whether the store has a text in any document. */
  const isStored = async (text: string): Promise<boolean> => {
    const drafts = await store.db.selectFrom('drafts').select('document').execute();
    const articles = await store.db.selectFrom('articles').select('document').execute();
    return (
      drafts.some(({ document }) => document.includes(JSON.stringify(text).slice(1, -1))) ||
      articles.some((stored) => toArticle(stored).body.source === text)
    );
  };
  const textsIn = (page: Page) =>
    page.evaluate<number>(`Object.keys(localStorage).filter((key) => key.startsWith('daywire-text')).length`);

  interface Moment {
    name: string;
    form: Form;
    /** Ends something. @returns the page to go on with; null: a new tab */
    ruin(page: Page, form: Form): Promise<Page | null>;
    /** The text is in the form by itself. */
    isShown?: true;
    withoutScript?: true;
    /** It was stored, although the editor did not hear of it. */
    wasStored?: true;
  }

  const MOMENTS: Moment[] = [
    {
      ...{ name: 'the tab crashes', form: FORMS.article },
      async ruin(page) {
        const crashed = page.waitForEvent('crash');
        const tools = await page.context().newCDPSession(page);
        tools.send('Page.crash').catch(() => {});
        await crashed;
        return null;
      },
    },
    {
      ...{ name: 'the tab is closed', form: FORMS.brief },
      async ruin(page) {
        await page.close();
        return null;
      },
    },
    {
      ...{ name: 'the tab is loaded again', form: FORMS.note },
      async ruin(page) {
        await page.reload();
        return page;
      },
    },
    {
      ...{ name: 'a tab with a reason is closed', form: FORMS.hold },
      async ruin(page) {
        await page.close();
        return null;
      },
    },
    {
      ...{ name: 'the list is loaded again', form: FORMS.sentence },
      async ruin(page) {
        await page.reload();
        return page;
      },
    },
    {
      ...{ name: 'the session ends before a form is posted by the browser', form: FORMS.article, isShown: true },
      async ruin(page, form) {
        await endSession();
        await press(page, form);
        await signIn(page);
        return page;
      },
    },
    {
      ...{ name: 'the session ends before a form is posted by the script', form: FORMS.subject, isShown: true },
      async ruin(page, form) {
        await endSession();
        await press(page, form);
        await signIn(page);
        return page;
      },
    },
    {
      ...{ name: 'the session ends where no script runs', form: FORMS.brief, isShown: true, withoutScript: true },
      async ruin(page, form) {
        await endSession();
        await press(page, form);
        await signIn(page);
        return page;
      },
    },
    {
      ...{ name: 'the session ends, and the tab is closed at the page of the sign-in', form: FORMS.pick },
      async ruin(page, form) {
        await endSession();
        await press(page, form);
        await page.locator('#email').waitFor();
        const other = await page.context().newPage();
        await page.close();
        await other.goto(`${desk.url}/edition`);
        await signIn(other);
        await other.locator('#texts').waitFor();
        return other;
      },
    },
    {
      ...{ name: 'the server stops before a form is posted by the browser', form: FORMS.article },
      async ruin(page, form) {
        const start = await desk.stopServer();
        await press(page, form);
        // The browser's own error page.
        await expect.poll(() => page.url()).toMatch(/^chrome-error:/);
        await start();
        return page;
      },
    },
    {
      ...{ name: 'the server stops before a form is posted by the script', form: FORMS.note },
      async ruin(page, form) {
        const start = await desk.stopServer();
        await press(page, form);
        await page.getByText('The server did not answer.').waitFor();
        await start();
        return page;
      },
    },
    {
      ...{ name: 'the network fails', form: FORMS.report },
      async ruin(page, form) {
        await page.context().setOffline(true);
        await press(page, form);
        await page.getByText('The server did not answer.').waitFor();
        await page.context().setOffline(false);
        return page;
      },
    },
    {
      ...{ name: 'the network fails after the server has stored it', form: FORMS.subject, wasStored: true },
      async ruin(page, form) {
        await page.route('**/draft/subject', async (route) => {
          const Cookie = `__Host-daywire-desk=${desk.accounts.editor.token}`;
          const headers = { ...route.request().headers(), 'Sec-Fetch-Site': 'same-origin', Cookie };
          await route.fetch({ maxRedirects: 0, headers });
          await route.abort();
        });
        await press(page, form);
        await page.getByText('The server did not answer.').waitFor();
        await page.unroute('**/draft/subject');
        return page;
      },
    },
    {
      ...{ name: 'somebody signs out and keeps it', form: FORMS.article },
      async ruin(page) {
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByRole('button', { name: 'Sign out and keep them in this browser' }).click();
        await signIn(page);
        await page.locator('.me').waitFor();
        return page;
      },
    },
  ];

  it(`loses no character at ${MOMENTS.length} moments`, async () => {
    const lost: Record<string, number> = {};
    for (const { name, form, ruin, isShown, withoutScript, wasStored } of MOMENTS) {
      const text = textOf(name);
      desk.accounts.editor.token = await openSession(store, desk.accounts.editor.id, app.now);
      const { page, faults } = await desk.open('editor', { javaScriptEnabled: withoutScript !== true });
      const context = page.context();
      await page.goto(desk.url + form.path);
      await form.prepare?.(page);
      const characters = [...text];
      await page.fill(form.field, characters.slice(0, -20).join(''));
      await page.press(form.field, 'End');
      await page.keyboard.type(characters.slice(-20).join(''));
      const left = (await ruin(page, form)) ?? (await context.newPage());
      if (wasStored !== true) expect([name, await isStored(text)]).toEqual([name, false]);
      if (isShown !== true) {
        await left.goto(desk.url + form.path);
        if (wasStored !== true) await left.getByRole('button', { name: 'Restore' }).click();
      }
      await left.locator(form.field).waitFor();
      const found = await left.inputValue(form.field);
      lost[name] = [...text].filter((one, index) => [...found][index] !== one).length;
      if (wasStored !== true && form !== FORMS.report) {
        await left.click(form.button);
        await left.locator('#notice').getByText('Done:').waitFor();
      }
      expect([name, await isStored(text)]).toEqual([name, form !== FORMS.report]);
      if (withoutScript !== true) await expect.poll(() => textsIn(left)).toBe(form === FORMS.report ? 1 : 0);
      expect(faults.filter((fault) => !/ERR_|net::/.test(fault))).toEqual([]);
      await context.close();
    }
    expect(lost).toEqual(Object.fromEntries(MOMENTS.map(({ name }) => [name, 0])));
  }, 300_000);

  /** A page of the editor in a browser, with the questions that it asked before it was left. */
  const openAsEditor = async (path: string) => {
    desk.accounts.editor.token = await openSession(store, desk.accounts.editor.id, app.now);
    const { page } = await desk.open('editor');
    const questions: string[] = [];
    page.on('dialog', (dialog) => questions.push(dialog.type()));
    await page.goto(desk.url + path);
    return { page, questions };
  };

  it('asks before the page is left only where the browser cannot keep it, and never when it is saved', async () => {
    const { page, questions } = await openAsEditor('/briefs/new');
    await page.fill('#headline', 'A brief');
    await page.fill('#body', 'Its text.');
    await page.click('text=Leave without saving');
    await page.waitForURL('**/articles');
    expect(questions).toEqual([]);

    await page.goto(`${desk.url}/briefs/new`);
    await page.evaluate('Storage.prototype.setItem = () => { throw new Error("no room"); }');
    await page.fill('#headline', 'Another brief');
    await page.fill('#body', 'Its text.');
    await page.locator('.field:has(#body)').getByText('The browser cannot keep this text').waitFor();
    await page.click('text=Leave without saving');
    await page.waitForURL('**/articles');
    expect(questions).toEqual(['beforeunload']);

    await page.goto(`${desk.url}/briefs/new`);
    await page.evaluate('Storage.prototype.setItem = () => { throw new Error("no room"); }');
    await page.fill('#headline', 'A third brief');
    await page.fill('#body', 'Its text.');
    await page.check('[name=release][value=draft]');
    await page.click('#store');
    await page.locator('#notice').getByText('It is a draft: readers do not see it.').waitFor();
    expect(questions).toEqual(['beforeunload']);
    await page.context().close();
  }, 60_000);

  it('stays in its form when the page finds out that the session has ended', async () => {
    const { page } = await openAsEditor('/briefs/new');
    await page.fill('#body', 'Half a sentence');
    await endSession();
    const start = await desk.stopServer();
    await start();
    await page.getByText('You are signed out.').waitFor();
    expect(await page.inputValue('#body')).toBe('Half a sentence');
    await page.context().close();
  }, 60_000);

  it('is not shown to another account, and is deleted with signing out', async () => {
    const { page } = await openAsEditor('/edition');
    await page.fill('#note', 'For my eyes.');
    const other = await page.context().newPage();
    const [cookie] = await page.context().cookies(desk.url.replace('http:', 'https:'));
    await page.context().addCookies([{ ...(cookie as NonNullable<typeof cookie>), value: desk.accounts.admin.token }]);
    for (const path of ['/edition', '']) {
      await other.goto(desk.url + path);
      await other.locator('.me').waitFor();
      expect(await other.getByText('not saved').count()).toBe(0);
      expect(await other.content()).not.toContain('For my eyes.');
    }
    // Nor is it saved in that account's name.
    await page.click('#note-save');
    await page.getByText('Another account has signed in.').waitFor();
    expect(await page.inputValue('#note')).toBe('For my eyes.');
    const drafts = await store.db.selectFrom('drafts').select('document').execute();
    expect(drafts.filter(({ document }) => document.includes('For my eyes.'))).toEqual([]);
    await page.context().addCookies([cookie as NonNullable<typeof cookie>]);
    // What is typed after signing out has failed is kept as before.
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out and delete them' }).click();
    await page.getByText('The server did not answer.').waitFor();
    await page.fill('#note', 'Still for my eyes.');
    expect(await textsIn(page)).toBe(1);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out and delete them' }).click();
    await page.locator('#email').waitFor();
    expect(await textsIn(page)).toBe(0);
    await page.context().close();
  }, 60_000);

  it('is kept for a month, and one that is damaged hides no other', async () => {
    const { page } = await openAsEditor('/briefs/new');
    await page.fill('#body', 'Of today');
    await page.evaluate(`
      const [key] = Object.keys(localStorage);
      const [, base, account] = key.split(' ');
      const entry = JSON.parse(localStorage.getItem(key));
      const old = { ...entry, at: Date.now() - 31 * 864e5 };
      const late = { ...entry, at: Date.now() - 29 * 864e5, id: 'late', texts: ['Of this month'] };
      const name = 'daywire-text ' + base + ' ';
      const all = {
        [name + account + ' /x 1']: '{"at":', [name + account + ' /x 2']: 'null',
        [name + account + ' /x 3']: JSON.stringify({ ...entry, texts: 'no list' }),
        [name + account + ' /x 4']: JSON.stringify({ ...entry, fields: [1] }),
        [name + account + ' /x 5']: JSON.stringify(old), [name + '999 /x 6']: JSON.stringify(old),
        [name + account + ' /x 7']: JSON.stringify(late), [name + '999 /x 8']: JSON.stringify(late), other: 'of others',
      };
      for (const one in all) localStorage.setItem(one, all[one]);`);
    await page.reload();
    await page.getByText('Of this month').waitFor();
    expect(await page.getByRole('button', { name: 'Restore' }).count()).toBe(2);
    const kept = await page.evaluate<string[]>('Object.keys(localStorage)');
    expect(
      kept
        .filter((key) => /\/x|other/.test(key))
        .map((key) => key.split(' ').at(-1))
        .toSorted(),
    ).toEqual([...['7', '8', 'other']]);
    await page.evaluate('localStorage.clear()');
    await page.context().close();
  }, 60_000);

  it('is never written over a newer one: what its editor had seen is kept with it', async () => {
    const { page } = await openAsEditor('/articles/two/edit');
    await page.fill('#body', 'Mine');
    await page.check('[name=notice][value=silent]');
    const { page: theirs } = await desk.open('admin');
    await theirs.goto(`${desk.url}/articles/two/edit`);
    await theirs.fill('#body', 'Theirs');
    await theirs.check('[name=notice][value=silent]');
    await theirs.click('#save');
    await theirs.locator('#notice').getByText('Changed: body.').waitFor();

    await page.reload();
    expect(await page.inputValue('#body')).toBe('Theirs');
    await page.fill('#body', 'Typed after that');
    await page.getByRole('button', { name: 'Restore' }).click();
    expect(await page.inputValue('#body')).toBe('Mine');
    // The text that was in the form is offered instead.
    await page.getByRole('button', { name: 'Restore' }).waitFor();
    await page.click('#save');
    await page.getByText('Theirs: Ada Lindqvist').waitFor();
    expect(await page.inputValue('#body')).toBe('Mine');
    await page.fill('#body', 'Theirs and mine');
    await page.click('#keep-mine');
    await page.locator('#notice').getByText('Changed: body.').waitFor();
    await page.goto(`${desk.url}/articles/two/edit`);
    expect(await page.inputValue('#body')).toBe('Theirs and mine');
    await page.getByRole('button', { name: 'Discard' }).click();
    expect(await textsIn(page)).toBe(0);
    await page.context().close();
    await theirs.context().close();
  }, 60_000);

  it('that is refused is still kept, and is listed on Today when its form is gone', async () => {
    const { page } = await openAsEditor('/articles/three/edit');
    await page.fill('#body', 'Refused at first.');
    await page.click('#save');
    await page.locator('.errors').getByText('say whether this is a correction').waitFor();
    expect(await page.getByRole('button', { name: 'Restore' }).count()).toBe(0);
    await page.goto(desk.url);
    await page.getByText('Refused at first.').waitFor();
    await page.getByRole('link', { name: 'Edit: Headline of three' }).click();
    await page.getByRole('button', { name: 'Restore' }).click();
    expect(await page.inputValue('#body')).toBe('Refused at first.');
    await page.context().close();
  }, 60_000);

  it('is restored by the button that has the focus, also after a colleague has changed the page', async () => {
    const { page } = await openAsEditor('/edition');
    await page.fill('#note', 'Not saved');
    await page.reload();
    await page.getByRole('button', { name: 'Restore' }).focus();
    app.now += 2_000;
    const { page: theirs } = await desk.open('admin');
    await theirs.goto(`${desk.url}/edition`);
    await theirs.fill('#subject', 'Theirs');
    await theirs.press('#subject', 'Enter');
    await expect.poll(() => page.inputValue('#subject')).toBe('Theirs');
    await page.keyboard.press('Enter');
    expect(await page.inputValue('#note')).toBe('Not saved');
    await page.context().close();
    await theirs.context().close();
  }, 60_000);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueEdition } from '../../../../scripts/test-edition.ts';
import { invite } from '../../../../src/accounts/invitations.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { report } from '../../../outlets/desk/roundup-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { openMigrated } from '../../../support/databases.ts';
import { storeGroup } from '../../../support/outlet-items.ts';
import { openTestApp } from '../../../support/test-app.ts';
import { PASSWORD } from '../test-desk.ts';
import { type BrowserDesk, openBrowserDesk } from './browser-desk.ts';

/** Something wrong that is typed into a form. */
interface Attempt {
  /** With EDITION, GROUP, PERSON, ACCOUNT and TOKEN for ids. */
  path: string;
  /** What is pressed before, such as the summary of details. */
  before?: string[];
  /** By id of the field. */
  typed?: Record<string, string>;
  /** Ids of the buttons that send the form; each is tried. */
  buttons: string[];
  /** Ids of the fields that are wrong, in the order of the form. */
  wrong: string[];
}

const ATTEMPTS: Attempt[] = [
  {
    path: '/account',
    typed: { password: PASSWORD, 'new-password': 'short' },
    buttons: ['change-password'],
    wrong: ['new-password'],
  },
  { path: '/account', typed: { password: '' }, buttons: ['change-password'], wrong: ['password'] },
  { path: '/account/second-factor', typed: { code: '12', password: PASSWORD }, buttons: ['on'], wrong: ['code'] },
  { path: '/accounts', typed: { email: 'no address', password: PASSWORD }, buttons: ['make-link'], wrong: ['email'] },
  {
    path: '/accounts',
    typed: { email: 'ivo@example.com', password: PASSWORD },
    buttons: ['make-link'],
    wrong: ['role'],
  },
  { path: '/accounts/ACCOUNT', before: ['#role'], typed: { password: PASSWORD }, buttons: ['roles'], wrong: ['role'] },
  { path: '/accounts/ACCOUNT', buttons: ['disable'], wrong: ['password'] },
  {
    path: '/articles/first/edit',
    typed: { headline: ' ', kicker: 'World:' },
    buttons: ['save'],
    wrong: ['headline', 'kicker', 'change-notice'],
  },
  {
    path: '/articles/later/edit',
    before: ['[value=at]'],
    typed: { embargo: '' },
    buttons: ['save'],
    wrong: ['embargo'],
  },
  { path: '/articles/first', before: ['#retract summary'], buttons: ['retract-button'], wrong: ['retract-note'] },
  { path: '/audience', buttons: ['search-button'], wrong: ['address'] },
  { path: '/audience/PERSON', buttons: ['pause'], wrong: ['until'] },
  { path: '/audience/PERSON', buttons: ['lift'], wrong: ['reason'] },
  { path: '/audience/PERSON', before: ['#export summary'], buttons: ['download'], wrong: ['password'] },
  { path: '/audience/PERSON/erase', buttons: ['erase'], wrong: ['password'] },
  { path: '/audience/export', typed: { password: 'a wrong password' }, buttons: ['download'], wrong: ['password'] },
  { path: '/audience/import', before: ['#newsletter'], buttons: ['upload'], wrong: ['file'] },
  { path: '/audience/suppressions', typed: { address: 'jun' }, buttons: ['look-up-button'], wrong: ['address'] },
  {
    path: '/audience/suppressions',
    typed: { address: 'zoe@example.com' },
    before: ['#look-up-button'],
    buttons: ['suppress'],
    wrong: ['reason'],
  },
  {
    path: '/briefs/new',
    typed: { linkTitle: 'More', outletName: 'The Courier' },
    buttons: ['store'],
    wrong: ['headline', 'body', 'linkUrl', 'outletUrl'],
  },
  { path: '/deliveries/EDITION/cancel', buttons: ['cancel'], wrong: ['password'] },
  {
    path: '/deliveries/EDITION',
    before: ['#resume-EDITION'],
    typed: { hours: 'soon' },
    buttons: ['resume-extended'],
    wrong: ['hours'],
  },
  { path: '/edition', typed: { subject: ' ' }, buttons: ['subject-save'], wrong: ['subject'] },
  { path: '/edition', typed: { preheader: ' ' }, buttons: ['preheader-save'], wrong: ['preheader'] },
  {
    path: '/editions/daily-roundup/2026-11-24/reissue',
    typed: { note: 'x'.repeat(5_000) },
    buttons: ['save-note'],
    wrong: ['note'],
  },
  { path: '/editions/daily-roundup/2026-11-25/draft/test', typed: { to: 'jun' }, buttons: ['test'], wrong: ['to'] },
  { path: '/roundup/GROUP', buttons: ['pick-group'], wrong: ['own-text'] },
  { path: '/roundup/add', buttons: ['add-report', 'read-page'], wrong: ['url'] },
  {
    path: '/roundup/add',
    typed: { url: 'http://127.0.0.1/report', published: 'soon' },
    before: ['#add-more summary'],
    buttons: ['add-report'],
    wrong: ['published'],
  },
  { path: '/sources', typed: { url: 'no address' }, buttons: ['try'], wrong: ['url'] },
];

const SIGNED_OUT: Attempt[] = [
  { path: '/sign-in', buttons: ['sign-in'], wrong: ['email', 'password'] },
  {
    path: '/sign-in',
    typed: { email: 'admin@example.com', password: 'a wrong password' },
    buttons: ['sign-in'],
    wrong: ['password'],
  },
  { path: '/invitation/TOKEN', buttons: ['accept'], wrong: ['name'] },
  {
    path: '/invitation/TOKEN',
    typed: { name: 'Ivo', 'new-password': 'short' },
    buttons: ['accept'],
    wrong: ['new-password'],
  },
];

/** Buttons of forms in which nothing can be wrong: texts are optional, and fields take no more than is allowed. */
const NEVER_WRONG = ['hold', 'note-save'];

describe('a form that is refused', () => {
  let store: Store;
  let folder: string;
  let desk: BrowserDesk;
  let ids: Record<string, string | number>;

  beforeAll(async () => {
    store = await openMigrated();
    folder = mkdtempSync(join(tmpdir(), 'daywire-forms-'));
    const app = openTestApp(store, { folder });
    desk = await openBrowserDesk(store, app);
    const embargo = { state: 'scheduled', until: app.now + 1e8 } as const;
    await saveAll(store, [article('first'), article('later', { status: embargo, publishedAt: app.now + 1e8 })]);
    const [item] = await storeGroup(store.db, [report('The Example', 12), report('Second Post', 11)]);
    const { editionId, subscriberIds } = await queueEdition(store, 2);
    await store.db.updateTable('editions').set({ delivery_state: 'paused' }).execute();
    await store.db
      .updateTable('deliveries')
      .set({ expires_at: app.now - 1 })
      .execute();
    await store.db.updateTable('subscribers').set({ suppressed_reason: 'operator' }).execute();
    const wanted = { email: 'colleague@example.com', roles: ['editor' as const] };
    const invited = await invite(store.db, desk.accounts.admin, wanted, app.now);
    if (invited.kind !== 'invited') throw new Error(invited.reason);
    ids = {
      ...{ EDITION: editionId, GROUP: `g${item?.id}`, PERSON: subscriberIds[0] as number },
      ...{ ACCOUNT: desk.accounts.editor.id, TOKEN: invited.token },
    };
  });
  afterAll(async () => {
    await desk.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? '' : ', also without JavaScript';
    it(`shows every error beside its field and in a list that has the focus${how}`, async () => {
      const { page, faults } = await desk.open('admin', { javaScriptEnabled });
      for (const attempt of ATTEMPTS) await refuse(page, attempt);
      const context = await desk.browser.newContext({ javaScriptEnabled });
      const stranger = await context.newPage();
      for (const attempt of SIGNED_OUT) await refuse(stranger, attempt);
      expect(faults).toEqual([]);
    }, 120_000);
  }

  async function refuse(page: Page, { path, before = [], typed = {}, buttons, wrong }: Attempt): Promise<void> {
    const named = (text: string): string => text.replace(/[A-Z]{4,}/, (name) => String(ids[name] ?? name));
    for (const button of buttons) {
      const name = `${path} ${button}`;
      const fill = async (isThere: boolean): Promise<void> => {
        for (const [id, text] of Object.entries(typed)) {
          const field = page.locator(`#${id}`);
          if ((await field.isVisible()) || isThere) await field.fill(text);
        }
      };
      await page.goto(desk.url + named(path));
      expect(await unknownForms(page), name).toEqual([]);
      await fill(false);
      for (const selector of before) await page.click(named(selector));
      await fill(true);
      await page.click(`#${button}`);
      const errors = page.locator('main .errors');
      await errors.waitFor({ timeout: 5_000 }).catch(() => expect.fail(`${name}: no list of errors`));
      await expect
        .poll(() => page.evaluate<boolean>(`document.activeElement.matches('.errors')`), {
          message: name,
          timeout: 5_000,
        })
        .toBe(true);
      const links = await errors.locator('a').all();
      expect(await Promise.all(links.map((link) => link.getAttribute('href'))), name).toEqual(
        wrong.map((id) => `#${id}`),
      );
      for (const id of wrong) {
        await errors.locator(`a[href="#${id}"]`).click();
        await expect
          .poll(() => page.evaluate<string>('document.activeElement.id'), { message: name, timeout: 5_000 })
          .toBe(id);
        const field = page.locator(`#${id}`);
        expect(await field.getAttribute('aria-invalid'), `${name} ${id}`).toBe('true');
        expect(await field.getAttribute('aria-describedby'), `${name} ${id}`).toContain(`${id}-error`);
        const error = page.locator(`#${id}-error`);
        expect(await error.isVisible(), `${name} ${id}`).toBe(true);
        expect(await error.textContent(), name).toMatch(/^(?!is |has |must )\S.*[.)?]$/su);
      }
      for (const [id, text] of Object.entries(typed)) {
        if (!(await page.locator(`#${id}:not([type=password], [autocomplete=one-time-code])`).isVisible())) continue;
        expect(await page.inputValue(`#${id}`), `${name} keeps ${id}`).toBe(text);
      }
    }
  }
});

const KNOWN = new Set([...NEVER_WRONG, ...[...ATTEMPTS, ...SIGNED_OUT].flatMap(({ buttons }) => buttons)]);
const TEXT = 'input:not([type=hidden], [type=checkbox], [type=radio], [hidden], [readonly]), textarea, select';

/** Buttons of the forms of a page that this test does not try. */
async function unknownForms(page: Page): Promise<string[]> {
  const buttons = await page.evaluate<string[]>(`[...document.querySelectorAll('form[method=post]')]
    .filter((form) => form.querySelector(${JSON.stringify(TEXT)}))
    .map((form) => [...form.elements].find((one) => one.matches('button:not([type=button])'))?.id.replace(/-\\d+$/, ''))`);
  return buttons.filter((id) => !KNOWN.has(id));
}

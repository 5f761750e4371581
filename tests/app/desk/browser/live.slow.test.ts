import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, Response as PageResponse } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { composeNow } from '../../../../src/delivery/closing/close.ts';
import { pauseEdition } from '../../../../src/delivery/control/edition-control.ts';
import { openMigrated } from '../../../support/databases.ts';
import { openSampleApp, type TestApp } from '../../../support/test-app.ts';
import { type BrowserDesk, openBrowserDesk } from './browser-desk.ts';

const TABS = 20;

describe('live pages of the desk', () => {
  let folder: string;
  let store: Store;
  let app: TestApp;
  let desk: BrowserDesk;
  let editionId: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-live-'));
    store = await openMigrated();
    app = await openSampleApp(store, { folder });
    const closed = await composeNow(app, app.config.newsletters[0] as NewsletterConfig);
    if (closed.kind !== 'closed') throw new Error('no edition was closed');
    editionId = closed.edition.id;
    await pauseEdition(store.db, editionId, 'to begin with');
    desk = await openBrowserDesk(store, app);
  });
  afterAll(async () => {
    await desk.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  /** Gives the pause of the edition another reason, as an operator elsewhere does. */
  async function change(reason: string): Promise<void> {
    app.now += 2_000;
    await store.db.updateTable('editions').set({ delivery_reason: reason }).where('id', '=', editionId).execute();
  }

  const shows = (page: Page, reason: string): Promise<void> => page.locator('#state', { hasText: reason }).waitFor();

  it(`update ${TABS} tabs of a browser over one connection, also after the tab that had it is gone`, async () => {
    const { page: first, faults } = await desk.open('operator');
    const context = first.context();
    const readers: Page[] = [];
    context.on('request', (request) => {
      if (new URL(request.url()).pathname.endsWith('/live')) readers.push(request.frame().page());
    });
    const tabs = [first, ...(await Promise.all(Array.from({ length: TABS - 1 }, () => context.newPage())))];
    await Promise.all(tabs.map((tab) => tab.goto(`${desk.url}/deliveries/${editionId}`)));
    await change('seen by all');
    await Promise.all(tabs.map((tab) => shows(tab, 'seen by all')));
    expect(readers).toHaveLength(1);

    await readers[0]?.close();
    const others = tabs.filter((tab) => !tab.isClosed());
    expect(others).toHaveLength(TABS - 1);
    await change('after a tab was closed');
    await Promise.all(others.map((tab) => shows(tab, 'after a tab was closed')));
    expect(readers).toHaveLength(2);

    await readers[1]?.reload();
    await change('after a tab was loaded again');
    await Promise.all(others.map((tab) => shows(tab, 'after a tab was loaded again')));
    expect(readers).toHaveLength(3);
    expect(faults).toEqual([]);
    await context.close();
  }, 60_000);

  it('update the tabs of each account that is signed in, one after the other, in a browser', async () => {
    const { page } = await desk.open('operator');
    // A page that never changes by itself.
    await page.goto(`${desk.url}/account`);
    const context = page.context();
    const [cookie] = await context.cookies(desk.url.replace('http:', 'https:'));
    if (cookie === undefined) throw new Error('the browser has no cookie of the desk');
    await context.addCookies([{ ...cookie, value: desk.accounts.admin.token }]);
    const ofAdmin = await context.newPage();
    await ofAdmin.goto(`${desk.url}/deliveries/${editionId}`);
    await change('seen by the second account');
    await shows(ofAdmin, 'seen by the second account');
    await context.close();
  }, 30_000);

  it('take the stream over from a tab that the browser has frozen, which catches up when it goes on', async () => {
    const { page: leader } = await desk.open('operator');
    const context = leader.context();
    const streams: Page[] = [];
    context.on('request', (request) => {
      if (new URL(request.url()).pathname.endsWith('/live')) streams.push(request.frame().page());
    });
    await leader.goto(`${desk.url}/deliveries/${editionId}`);
    await change('before the tab was frozen');
    await shows(leader, 'before the tab was frozen');
    const other = await context.newPage();
    await other.clock.install();
    await other.goto(`${desk.url}/deliveries/${editionId}`);
    const tools = await context.newCDPSession(leader);
    await tools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await other.clock.fastForward(39_000);
    expect(streams).toEqual([leader]);
    // On a busy machine, the last message of the frozen tab comes late, and the time is counted from there.
    const advance = async (): Promise<Page[]> => {
      // No longer once it has asked: without a message in that time, it would ask again.
      if (!streams.includes(other)) await other.clock.fastForward(2_000);
      return streams;
    };
    await expect.poll(advance).toContain(other);
    await change('while a tab was frozen');
    await shows(other, 'while a tab was frozen');
    await tools.send('Page.setWebLifecycleState', { state: 'active' });
    await change('after the tab was frozen');
    await Promise.all([leader, other].map((tab) => shows(tab, 'after the tab was frozen')));
    // Once by the other tab. On a busy machine, the browser has connected the frozen one again, too.
    expect(streams.slice(0, 2)).toEqual([leader, other]);
    expect(streams.filter((page) => page === other)).toHaveLength(1);
    await other.close();
    await change('after the other tab was closed');
    await shows(leader, 'after the other tab was closed');
    expect(streams.at(-1)).toBe(leader);
    expect(streams.filter((page) => page === other)).toHaveLength(1);
    await context.close();
  }, 30_000);

  it('load again when somebody looks at them, where they were hidden when something changed', async () => {
    const { page } = await desk.open('operator');
    await page.goto(`${desk.url}/deliveries/${editionId}`);
    await change('while somebody looks');
    await shows(page, 'while somebody looks');
    const setHidden = (isHidden: boolean): Promise<unknown> =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    await setHidden(true);
    const { page: seen } = await desk.open('operator');
    await seen.goto(`${desk.url}/deliveries/${editionId}`);
    await change('while nobody looks');
    await shows(seen, 'while nobody looks');
    await seen.context().close();
    expect(loaded).toEqual([]);
    await setHidden(false);
    await shows(page, 'while nobody looks');
    await page.context().close();
  }, 30_000);

  it('get only the regions that differ after an act, and then show what a new load shows', async () => {
    const { page, faults } = await desk.open('editor');
    const isPageAfterAct = (response: PageResponse): boolean => {
      const act = response.request().redirectedFrom();
      return act?.headers()['x-desk-regions'] !== undefined;
    };
    await page.goto(`${desk.url}/edition`);
    const regions = (): Promise<string[]> =>
      page.evaluate(`[...document.querySelectorAll('[data-region]')].map(({ outerHTML }) =>
        outerHTML.replace(/(data-from-now="">|-counter">)[^<]*/g, '$1'))`);
    const drop = () => page.locator('[data-key=x]:visible').first().click();
    const moveDown = () => page.locator('[data-drag-item]:has([data-key=d]:enabled) a').first().press('d');
    for (const act of [drop, moveDown, () => page.locator('#undo').first().click()]) {
      const answer = page.waitForResponse(isPageAfterAct);
      await act();
      const sent = await (await answer).text();
      await page.locator('form[aria-busy]').waitFor({ state: 'detached' });
      expect(sent.match(/ data-same="/g)?.length).toBeGreaterThan(2);
      expect(sent).not.toContain('id="look-up-links"');
      const shown = await regions();
      await page.reload();
      const loaded = await regions();
      // The outcome of the act is shown once.
      expect(shown.slice(1)).toEqual(loaded.slice(1));
    }
    expect(faults).toEqual([]);
    await page.context().close();
  }, 60_000);

  it('stay as they are while a proxy has no server to pass requests to', async () => {
    const { page } = await desk.open('operator');
    await page.goto(`${desk.url}/deliveries/${editionId}`);
    await change('before the server was stopped');
    await shows(page, 'before the server was stopped');
    await page.route('**/desk/**', (route) => route.fulfill({ status: 502, body: '<h1>502 Bad Gateway</h1>' }));
    await change('while pages could not be read');
    await page.locator('#live', { hasText: 'No connection to the server.' }).waitFor();
    expect(await page.locator('#state').textContent()).toContain('before the server was stopped');
    await page.locator(`#resume-${editionId}`).click();
    await page.locator(`form:has(#resume-${editionId}) [role=alert]`, { hasText: 'did not answer' }).waitFor();
    await page.unroute('**/desk/**');
    await change('after the server was started');
    await shows(page, 'after the server was started');
    await page.context().close();
  }, 30_000);
});

/**
 * The desk of a test in Chromium.
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../../../scripts/chromium.ts';
import type { AccountRole } from '../../../../src/accounts/permissions.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { listen } from '../../../../src/web/server/listen.ts';
import type { TestApp } from '../../../support/test-app.ts';
import { openTestDesk, type TestDesk } from '../test-desk.ts';

export interface BrowserDesk extends TestDesk {
  /** Of the desk, without a slash at its end. */
  url: string;
  browser: Browser;
  /** A page of a browser in which an account is signed in. */
  open(role: AccountRole, options?: BrowserContextOptions): Promise<DeskTab>;
  /** Stops the server. @returns what starts it again at the same address */
  stopServer(): Promise<() => Promise<void>>;
}

interface DeskTab {
  page: Page;
  /** What went wrong in pages: scripts that ran, violations of the content security policy, errors of our script. */
  faults: string[];
}

/** Serves the desk of an app on a local port, and starts Chromium. @throws Error without Chromium */
export async function openBrowserDesk(store: Store, app: TestApp): Promise<BrowserDesk> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('these tests need Chromium: install it, or set CHROMIUM_PATH');
  const desk = await openTestDesk(store, { app });
  let server = await listen(desk.site, { host: '127.0.0.1', port: 0 });
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const url = `${server.url}desk`;
  return {
    ...{ ...desk, url, browser },
    async open(role, options = {}) {
      const context = await browser.newContext(options);
      // Chromium accepts the prefix __Host- only from https, and sends it to this machine over http, too.
      const origin = server.url.replace('http:', 'https:');
      const session = { name: '__Host-daywire-desk', value: desk.accounts[role].token, url: origin, secure: true };
      await context.addCookies([session]);
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('console', (message) => {
        // A refused form is a page with another status, and pictures of the site are not served here.
        const isExpected = /^Failed to load resource: .*(409|422|ERR_CONNECTION_REFUSED)/.test(message.text());
        if (message.type() === 'error' && !isExpected) faults.push(`${page.url()}: ${message.text()}`);
      });
      page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
      page.on('dialog', (dialog) => {
        if (dialog.type() !== 'beforeunload') faults.push(`${page.url()}: ${dialog.message()}`);
        dialog.accept().catch(() => {});
      });
      return { page, faults };
    },
    async stopServer() {
      const port = Number(new URL(server.url).port);
      await server.close();
      return async () => {
        server = await listen(desk.site, { host: '127.0.0.1', port });
      };
    },
    async close() {
      await browser.close();
      await desk.close();
      await server.close();
    },
  };
}

/** The draft that an editor has touched; undefined if there is none. */
export const draftOf = async ({ db }: Store) => {
  const rows = await db.selectFrom('drafts').select(['state', 'document', 'slot']).execute();
  return rows.map(({ state, document, slot }) => ({ state, slot, ...JSON.parse(document) }))[0];
};

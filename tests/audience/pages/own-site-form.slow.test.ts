import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import axe from 'axe-core';
import { simpleParser } from 'mailparser';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../../../scripts/chromium.ts';
import { freePort } from '../../../scripts/free-port.ts';
import { createApp } from '../../../src/app/routes/app.ts';
import { renderOwnSiteForm } from '../../../src/audience/own-site-form.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { listen, type WebServer } from '../../../src/web/server/listen.ts';
import { openMigrated } from '../../support/databases.ts';
import { mailsIn } from '../../support/mails.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

const executablePath = findChromium();
if (executablePath === null)
  console.log('Skipped: tests/audience/pages/own-site-form.slow.test.ts needs Chromium, and there is none here.');

interface TimesOptions {
  language?: string;
  /** Headers of the newsroom's pages, beside their content security policy. */
  headers?: Record<string, string>;
}

/** A newsroom's site, and the daywire that accepts its form. They are different sites to a browser. */
interface Times {
  app: TestApp;
  daywire: string;
  /** The listed origin, and another one with the same pages that is not listed. */
  origin: string;
  unlisted: string;
  stopDaywire(): Promise<void>;
  startDaywire(): Promise<void>;
  close(): Promise<void>;
}

async function openTimes({ language = 'en', headers = {} }: TimesOptions = {}): Promise<Times> {
  const daywire = `http://127.0.0.1:${await freePort()}`;
  let form = '';
  const pages: Server = createServer((request, response) => {
    // The policy of a careful site: nothing but its own pages, and daywire where the form needs it.
    const policy = `default-src 'none'; script-src ${daywire}; connect-src ${daywire}; form-action 'self' ${daywire}`;
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy,
      ...headers,
    });
    const body = request.url === '/thanks' ? '<h1>Thank you</h1>' : `<h1>Times</h1>${form}`;
    response.end(`<!doctype html><html lang="en"><title>Times</title><body><main>${body}</main></body></html>`);
  });
  pages.listen(0);
  await once(pages, 'listening');
  const { port } = pages.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  const app = openTestApp(await openMigrated(), {
    edit: (yaml) =>
      yaml
        .replace('http://127.0.0.1:8080', daywire)
        .replace('language: en', `language: ${language}`)
        .replace('signup:\n', `signup:\n  origins: ["${origin}"]\n  thanks: ${origin}/thanks\n`),
  });
  form = await renderOwnSiteForm(app);
  const { store, config, templates, clock } = app;
  const site = createApp({ store, config, templates, clock, secrets: await app.keys.signingSecrets() });
  let serving: WebServer;
  const startDaywire = async (): Promise<void> => {
    serving = await listen(site, { host: '127.0.0.1', port: Number(new URL(daywire).port) });
  };
  await startDaywire();
  return {
    ...{ app, daywire, origin, unlisted: `http://127.0.0.1:${port}`, startDaywire },
    stopDaywire: () => serving.close(),
    async close() {
      await serving.close();
      pages.closeAllConnections();
      pages.close();
      await app.store.close();
    },
  };
}

const EMAIL = 'input[name=email]';
const ANSWER = '[role=status]';
const BUTTON = 'form button';

describe.skipIf(executablePath === null)('the form on a site of another origin, in a real browser', () => {
  let browser: Browser;
  let times: Times;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_FLAGS });
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await times.close();
  });
  afterAll(() => browser?.close());

  it('subscribes without leaving the page, once for a double click, and the mailed link confirms it', async () => {
    times = await openTimes();
    const { page, posts, faults } = await openPage({ viewport: { width: 375, height: 812 } });
    await page.fill(EMAIL, 'ada@example.com');
    await page.check('[value=daily-roundup]');
    await page.dblclick(BUTTON);
    const answer = /^We are sending an email to ada@example\.com\. .* to subscribe to The Daily Roundup\.$/;
    await expect.poll(() => page.textContent(ANSWER)).toMatch(answer);
    expect(await focused(page)).toBe('status');
    expect(await page.inputValue(EMAIL)).toBe('');
    expect(await page.isEnabled(BUTTON)).toBe(true);
    expect(page.url()).toBe(`${times.origin}/`);
    expect(posts).toEqual([`${times.daywire}/api/subscribe`]);

    await deliverDue(times.app);
    const [mail, ...more] = mailsIn(times.app.folder);
    expect(more).toEqual([]);
    const link = /http\S+\/confirm\/\S+/.exec((await simpleParser(mail as string)).text ?? '')?.[0] as string;
    await page.goto(link);
    await page.click('main button');
    await page.waitForSelector('text=You are subscribed');
    const events = times.app.store.db.selectFrom('consent_events').select(['change', 'channel', 'detail']);
    expect(await events.orderBy('id').execute()).toEqual([
      { change: 'requested', channel: 'form', detail: times.origin },
      { change: 'confirmed', channel: 'confirmation', detail: null },
    ]);
    expect(faults).toEqual([]);
  });

  it('says what is wrong, keeps what was typed, and puts the focus on the wrong field', async () => {
    times = await openTimes();
    const { page, faults } = await openPage();
    const ownDescription = `document.querySelector('[value=daily-roundup]').setAttribute('aria-describedby', 'hint')`;
    await page.evaluate(ownDescription);
    await page.fill(EMAIL, 'ada@localhost');
    await page.check('[value=weekly-roundup]');
    await page.focus(EMAIL);
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.textContent(ANSWER))
      .toContain('"localhost" is not a full domain name such as example.com.');
    expect([await focused(page), await page.inputValue(EMAIL)]).toEqual(['email', 'ada@localhost']);
    expect(await page.isChecked('[value=weekly-roundup]')).toBe(true);
    expect(await page.getAttribute(EMAIL, 'aria-invalid')).toBe('true');
    const described = `document.getElementById(document.activeElement.getAttribute('aria-describedby')).role`;
    expect(await page.evaluate(described)).toBe('status');
    // Without a newsletter: the focus goes to the first checkbox.
    await page.fill(EMAIL, 'ada@example.com');
    await page.uncheck('[value=weekly-roundup]');
    await page.click(BUTTON);
    await expect.poll(() => page.textContent(ANSWER)).toBe('Choose a newsletter.');
    expect([await focused(page), await page.getAttribute(EMAIL, 'aria-invalid')]).toEqual(['newsletter', null]);
    expect(await page.getAttribute(EMAIL, 'aria-describedby')).toBeNull();
    expect(await page.getAttribute('[value=daily-roundup]', 'aria-describedby')).toBe('hint');
    expect(await queued()).toBe(0);
    expect(faults.filter((fault) => !fault.includes('422'))).toEqual([]);
  });

  it('is submitted as usual where daywire does not answer, and works again when it does', async () => {
    times = await openTimes();
    const { page, posts } = await openPage();
    await times.stopDaywire();
    await page.fill(EMAIL, 'ada@example.com');
    await page.check('[value=daily-roundup]');
    await page.click(BUTTON);
    // waitForURL fails if the navigation fails while it waits.
    await expect.poll(() => page.url()).toBe('chrome-error://chromewebdata/');
    expect(posts).toHaveLength(2);
    await times.startDaywire();
    await page.goBack();
    expect([await page.inputValue(EMAIL), await page.isEnabled(BUTTON)]).toEqual(['ada@example.com', true]);
    await page.click(BUTTON);
    await expect.poll(() => page.textContent(ANSWER)).toMatch(/^We are sending/);
    expect(await queued()).toBe(1);
  });

  it('subscribes nobody whose form comes sooner than a person could fill it in', async () => {
    times = await openTimes();
    const { page } = await openPage({}, { elapsed: 900 });
    await page.fill(EMAIL, 'ada@example.com');
    await page.check('[value=daily-roundup]');
    await page.click(BUTTON);
    await expect.poll(() => page.textContent(ANSWER)).toMatch(/^We are sending/);
    expect(await queued()).toBe(0);
  });

  it('leads to the page of thanks without JavaScript, and through a page of daywire after an error', async () => {
    times = await openTimes();
    const { page, faults } = await openPage({ javaScriptEnabled: false });
    expect(await page.isVisible('input[name=website]')).toBe(false);
    await page.fill(EMAIL, 'ada@localhost');
    await page.check('[value=daily-roundup]');
    await page.click(BUTTON);
    await page.waitForSelector('text=is not a full domain name');
    expect(page.url()).toBe(`${times.daywire}/api/subscribe`);
    expect(await page.inputValue('#email')).toBe('ada@localhost');
    await page.fill('#email', 'ada@example.com');
    await page.click('main button');
    await page.waitForSelector('h1:text("Check your inbox")');
    expect(await queued()).toBe(1);
    await page.goto(times.origin);
    await page.fill(EMAIL, 'grace@example.com');
    await page.check('[value=daily-roundup]');
    await page.click(BUTTON);
    await page.waitForURL(`${times.origin}/thanks`);
    expect(await queued()).toBe(2);
    expect(faults.filter((fault) => !fault.includes('422'))).toEqual([]);
  });

  it('is refused from an origin that is not listed, with and without JavaScript', async () => {
    times = await openTimes();
    for (const javaScriptEnabled of [true, false]) {
      const { page } = await openPage({ javaScriptEnabled }, { from: times.unlisted });
      await page.fill(EMAIL, 'ada@example.com');
      await page.check('[value=daily-roundup]');
      await page.click(BUTTON);
      await page.waitForSelector('h1:text("Request from another site")');
    }
    expect(await queued()).toBe(0);
  });

  it('needs the script on pages without a referrer, whose plain forms have no origin', async () => {
    times = await openTimes({ headers: { 'Referrer-Policy': 'no-referrer' } });
    for (const [javaScriptEnabled, text] of [
      [true, 'We are sending an email'],
      [false, 'Request from another site'],
    ] as const) {
      const { page } = await openPage({ javaScriptEnabled });
      await page.fill(EMAIL, 'ada@example.com');
      await page.check('[value=daily-roundup]');
      await page.click(BUTTON);
      await page.waitForSelector(`text=${text}`);
    }
    expect(await queued()).toBe(1);
  });

  it.each([
    ['ar', 'rtl', /\u2068?ada@example\.com/],
    ['zh-Hans', 'ltr', /ada@example\.com/],
  ])('speaks %s, from %s, on a page in another language', async (language, direction, address) => {
    times = await openTimes({ language });
    const { page, faults } = await openPage();
    await page.fill(EMAIL, 'ada@localhost');
    await page.check('[value=daily-roundup]');
    await page.click(BUTTON);
    await expect.poll(() => page.textContent(ANSWER)).toMatch(/localhost/);
    await page.fill(EMAIL, 'ada@example.com');
    await page.click(BUTTON);
    await expect.poll(() => page.textContent(ANSWER)).toMatch(address);
    const style = `(({ direction }) => direction)(getComputedStyle(document.querySelector('${ANSWER}')))`;
    expect(await page.evaluate(style)).toBe(direction);
    expect(await page.textContent('form')).not.toMatch(/Subscribe|Email|newsletters/);
    expect(await queued()).toBe(1);
    expect(faults.filter((fault) => !fault.includes('422'))).toEqual([]);
  });

  it('has no fault that axe finds, before and after an error', async () => {
    times = await openTimes();
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    await page.goto(times.origin);
    const scan = async (): Promise<string[]> => {
      await page.evaluate(axe.source);
      return page.evaluate<string[]>(`axe.run('form').then(({ violations }) =>
        violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`);
    };
    expect(await scan()).toEqual([]);
    await page.fill(EMAIL, 'ada@localhost');
    await page.click(BUTTON);
    await expect.poll(() => page.textContent(ANSWER)).toMatch(/localhost/);
    expect(await scan()).toEqual([]);
  });

  /** @param elapsed milliseconds since the page was opened, as its scripts see it */
  async function openPage(
    options: BrowserContextOptions = {},
    { from = times.origin, elapsed = 9_000 }: { from?: string; elapsed?: number } = {},
  ): Promise<{ page: Page; posts: string[]; faults: string[] }> {
    const page = await (await browser.newContext(options)).newPage();
    const posts: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.addInitScript(`performance.now = () => ${elapsed}`);
    await page.goto(from);
    return { page, posts, faults };
  }

  function focused(page: Page): Promise<string> {
    return page.evaluate('document.activeElement.name || document.activeElement.role');
  }

  async function queued(): Promise<number> {
    return (await times.app.store.db.selectFrom('service_messages').select('id').execute()).length;
  }
});

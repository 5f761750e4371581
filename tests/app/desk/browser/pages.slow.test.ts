import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { TOTP } from 'otpauth';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invite } from '../../../../src/accounts/invitations.ts';
import { DESK_ROUTES } from '../../../../src/app/desk/routes.ts';
import { insertUpload } from '../../../../src/audience/csv/upload-ledger.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { openMigrated } from '../../../support/databases.ts';
import { PASSWORD } from '../test-desk.ts';
import { type BrowserDesk, openBrowserDesk } from './browser-desk.ts';
import { openHostileNewsroom } from './newsroom.ts';

/** What is no page of its own: a stream, what frames show, a download, and addresses that lead to a page. */
const NO_PAGES = [
  ...['/live', '/preview/:newsletter/:slot/:composition', '/editions/:newsletter/:slot/frozen', '/articles/:id/text'],
  ...['/edition', '/editions/:newsletter/next'],
];

/** The path of a route as a pattern. A parameter has its own pattern in braces, or is any segment. */
function patternOf(path: string): RegExp {
  const own = /:\w+(?:\{((?:[^{}]|\{[^}]*\})*)\})?/g;
  return new RegExp(`^${path.replaceAll(own, (_, pattern?: string) => pattern ?? '[^/]+')}$`);
}

// Those with fewer parameters first: any segment would match the others.
const GETS = DESK_ROUTES.filter(({ method }) => method === 'GET')
  .map(({ path }) => path)
  .toSorted((a, b) => a.split(':').length - b.split(':').length);
const PAGES = GETS.filter((path) => !NO_PAGES.includes(path));

describe('the pages of the desk, with hostile text in every field', () => {
  let store: Store;
  let folder: string;
  let desk: BrowserDesk;

  beforeAll(async () => {
    store = await openMigrated();
    folder = mkdtempSync(join(tmpdir(), 'daywire-desk-'));
    desk = await openBrowserDesk(store, await openHostileNewsroom(store, folder));
  });
  afterAll(async () => {
    await desk.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('are reached by links, run no foreign code, keep to accessibility rules and fit the screen', async () => {
    const { page, faults } = await desk.open('admin');
    // The page of a person is behind a form, since addresses are no part of links.
    const { id } = await store.db
      .selectFrom('subscribers')
      .select('id')
      .where('email', 'like', '%script%')
      .executeTakeFirstOrThrow();
    const waiting = ['', '/account', `/audience/${id}`, `/invitation/${await openInvitation(desk)}`];
    await addRunningImport(desk);
    const seen = new Set(waiting);
    const found = new Set<string>();
    const problems: string[] = [];
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const response = await page.goto(desk.url + path);
      if (response?.status() !== 200) problems.push(`${path}: ${response?.status()}`);
      const route = routeOf(new URL(page.url()).pathname.replace(/^\/desk/, ''));
      if (route !== undefined && !found.has(route)) {
        found.add(route);
        problems.push(...(await problemsOf(page)).map((problem) => `${path} ${problem}`));
      }
      for (const link of await linksOf(page)) {
        // One address for each route, and all that no route has.
        const target = routeOf(link) ?? link;
        if (found.has(target) || seen.has(target) || NO_PAGES.includes(target)) continue;
        seen.add(target);
        waiting.push(link);
      }
    }
    expect(problems).toEqual([]);
    expect(faults).toEqual([]);
    const missing = PAGES.filter((path) => !found.has(path));
    expect(missing.toSorted()).toEqual(['/sign-in']);
    expect(found.size).toBeGreaterThan(25);
    // It works all the time, and waits for nothing: 34 s on a quick machine.
  }, 300_000);

  it('keep to accessibility rules before somebody has signed in', async () => {
    const page = await desk.browser.newPage();
    await page.goto(`${desk.url}/sign-in`);
    expect(await page.title()).toContain('Sign in');
    expect(await problemsOf(page)).toEqual([]);
  });

  it('keep to accessibility rules while a second factor is set up and used, also without scripts', async () => {
    const { page, faults } = await desk.open('operator');
    await page.goto(`${desk.url}/account/second-factor`);
    const secret = await page.inputValue('#secret');
    await page.fill('#code', 'wrong');
    await page.fill('#password', PASSWORD);
    await page.click('#on');
    expect(await page.locator('#code-error').isVisible()).toBe(true);
    await page.fill('#code', new TOTP({ secret }).generate({ timestamp: desk.app.now }));
    await page.fill('#password', PASSWORD);
    await page.click('#on');
    expect(await page.title()).toContain('Recovery codes');
    const [code = ''] = ((await page.locator('pre').textContent()) ?? '').split('\n');
    expect(await problemsOf(page)).toEqual([]);
    await page.goto(`${desk.url}/account/second-factor`);
    expect(await problemsOf(page)).toEqual([]);
    expect(faults).toEqual([]);

    const plain = await desk.browser.newContext({ javaScriptEnabled: false });
    const signIn = await plain.newPage();
    await signIn.goto(`${desk.url}/sign-in?next=/desk/runs`);
    await signIn.fill('#email', 'operator@example.com');
    await signIn.fill('#password', PASSWORD);
    await signIn.click('#sign-in');
    expect(await signIn.title()).toContain('Your code');
    // With scripts, for axe: the same page.
    const scripted = await desk.browser.newPage();
    await scripted.goto(`${desk.url}/sign-in`);
    await scripted.fill('#email', 'operator@example.com');
    await scripted.fill('#password', PASSWORD);
    await scripted.click('#sign-in');
    expect(await problemsOf(scripted)).toEqual([]);
    await signIn.fill('#code', 'wrong');
    await signIn.click('#sign-in');
    expect(await signIn.locator('#code-error').isVisible()).toBe(true);
    expect(await signIn.locator('.errors:focus').textContent()).toContain('The code is wrong');
    await signIn.fill('#code', code);
    await signIn.click('#sign-in');
    expect(new URL(signIn.url()).pathname).toBe('/desk/runs');
    // In a narrow window, the navigation is behind a button.
    await signIn.setViewportSize({ width: 375, height: 800 });
    expect(await signIn.isVisible('#menu')).toBe(false);
    await signIn.click('.to-menu');
    await signIn.click('#menu a[href="/desk/feeds"]');
    expect(new URL(signIn.url()).pathname).toBe('/desk/feeds');
  });
});

const HOSTILE = '<script>hurt = 1</script>';

/** Of a new colleague. @returns its token */
async function openInvitation({ app, accounts }: BrowserDesk): Promise<string> {
  const wanted = { email: 'colleague@example.com', roles: ['editor' as const] };
  const invited = await invite(app.store.db, accounts.admin, wanted, app.now);
  if (invited.kind !== 'invited') throw new Error('refused');
  return invited.token;
}

/** An import of the admin that is under way. */
async function addRunningImport({ app, accounts }: BrowserDesk): Promise<void> {
  const options = { newsletters: [], format: null, statusColumns: [], status: '', ignore: [] };
  const file = { id: 'abc123', fileName: `${HOSTILE}.csv`, fileHash: 'abc', size: 10, options };
  await insertUpload(app.store.db, { ...file, accountId: accounts.admin.id }, app.now, async () => {});
}

/** An expression: the HTML of what makes a page scroll sideways. */
const WIDER_THAN_SCREEN = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth && one.closest('.scroll, pre') === null)
  .map((one) => one.outerHTML.slice(0, 200))`;

/** An expression: texts from right to left that reorder what is around them. */
const NOT_ISOLATED = `[...document.querySelectorAll('main *')]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && /[\\u0590-\\u08ff]/.test(node.data)))
  .filter((one) => !one.closest('[dir], bdi, h1, .hidden'))
  .map((one) => one.outerHTML.slice(0, 200))`;

/** An expression: fields and buttons without a border that is seen, and current places that are not bold. */
const COLOUR_ALONE = `[...document.querySelectorAll('button, .button, select, textarea, input:not([type=hidden]), [aria-current]')]
  .filter((one) => {
    const { borderTopStyle, borderTopColor, fontWeight } = getComputedStyle(one);
    if (one.ariaCurrent) return fontWeight < 600;
    if (/checkbox|radio/.test(one.type)) return false;
    const { Color, getContrast } = axe.commons.color;
    const [border, page] = [borderTopColor, getComputedStyle(document.documentElement).backgroundColor].map((text) => {
      const color = new Color();
      color.parseString(text);
      return color;
    });
    return borderTopStyle === 'none' || getContrast(page, border) < 3;
  })
  .map((one) => one.outerHTML.slice(0, 200))`;

/**
 * Lets axe decide about all texts: it gives up where a gradient is behind them, as in tables, and prefers a property
 * that has our colour, where Chromium shows the system's.
 */
const FOR_AXE = `{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('.scroll { background: none !important }');
  document.adoptedStyleSheets.push(sheet);
  const { getPropertyValue } = CSSStyleDeclaration.prototype;
  CSSStyleDeclaration.prototype.getPropertyValue = function (name) {
    return name === '-webkit-text-fill-color' ? '' : getPropertyValue.call(this, name);
  };
}`;

/** An expression: the names of tables of rows that a phone has to scroll sideways. */
const WIDE_TABLES = `[...document.querySelectorAll('.scroll:has(.stacked)')]
  .filter((one) => innerWidth < 760 && one.scrollWidth > one.clientWidth).map((one) => one.outerHTML.slice(0, 200))`;

/** Where a page is checked, and options for axe. */
interface Check {
  width: number;
  colorScheme: 'light' | 'dark';
  /** Null: only whether the page fits. */
  rules: string | null;
  forcedColors?: 'active';
  /** Text of twice the size. */
  isLarge?: true;
}

const COLOURS = ", runOnly: ['color-contrast', 'link-in-text-block']";

/**
 * Rules about colours take two thirds of the time. At 768 px, pages show all that they show at any width. The dark
 * theme has other colours, and nothing else.
 */
const CHECKS: Check[] = [
  { width: 320, colorScheme: 'light', rules: '' },
  { width: 768, colorScheme: 'light', rules: ", rules: { 'color-contrast': { enabled: false } }" },
  { width: 768, colorScheme: 'dark', rules: COLOURS },
  { width: 1440, colorScheme: 'light', rules: '' },
  { width: 768, colorScheme: 'light', forcedColors: 'active', rules: COLOURS },
  { width: 768, colorScheme: 'dark', forcedColors: 'active', rules: COLOURS },
  // 1,280 px at 200 % and 400 %.
  { width: 640, colorScheme: 'light', rules: null },
  { width: 320, colorScheme: 'light', rules: null, isLarge: true },
  { width: 1200, colorScheme: 'light', rules: null },
  { width: 1200, colorScheme: 'light', rules: null, isLarge: true },
];

/** What is wrong with the page that is open, at all widths and in both themes. */
async function problemsOf(page: Page): Promise<string[]> {
  const problems: string[] = [];
  if (await page.evaluate("'hurt' in window")) problems.push('ran a script of a text');
  const mixed = await page.evaluate<string[]>(NOT_ISOLATED);
  problems.push(...mixed.map((html) => `not isolated: ${html}`));
  await page.evaluate(axe.source + FOR_AXE);
  for (const { width, colorScheme, rules, forcedColors = 'none', isLarge } of CHECKS) {
    await page.emulateMedia({ colorScheme, forcedColors });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(`document.documentElement.style.fontSize = '${isLarge ? '200%' : ''}'`);
    const wide = await page.evaluate<string[]>(WIDER_THAN_SCREEN);
    if (forcedColors === 'active') {
      const lost = await page.evaluate<string[]>(COLOUR_ALONE);
      problems.push(...lost.map((html) => `told by its colour alone: ${html}`));
    }
    const place = `at ${width}, ${isLarge ? 'large, ' : ''}${forcedColors === 'active' ? 'forced' : colorScheme}`;
    problems.push(...wide.map((html) => `${place}: wider than the screen: ${html}`));
    const tables = await page.evaluate<string[]>(WIDE_TABLES);
    problems.push(...tables.map((html) => `${place}: a wide table: ${html}`));
    if (rules === null) continue;
    // Describing what is right takes more time than checking it.
    const violations = await page.evaluate<string[]>(`
      axe.run({ iframes: false, resultTypes: ['violations', 'incomplete']${rules} }).then((found) => [
        ...found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)),
        // It doubts that a text of the colour of its background is a text.
        ...found.incomplete.flatMap(({ nodes }) => nodes)
          .filter(({ any }) => any.some(({ data }) => data?.messageKey === 'equalRatio'))
          .map(({ html }) => 'unseen: ' + html),
      ])`);
    problems.push(...violations.map((violation) => `${place}: ${violation}`));
  }
  return problems;
}

function routeOf(path: string): string | undefined {
  return GETS.find((route) => patternOf(route).test(path));
}

/** The paths of links to pages of the desk, without queries. */
async function linksOf(page: Page): Promise<string[]> {
  const links = await page.evaluate<string[]>("[...document.querySelectorAll('a[href]')].map((link) => link.href)");
  return links
    .map((link) => new URL(link))
    .filter(({ origin, pathname }) => origin === new URL(page.url()).origin && pathname.startsWith('/desk'))
    .map(({ pathname }) => pathname.replace(/^\/desk/, ''));
}

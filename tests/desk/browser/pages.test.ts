import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DESK_ROUTES } from '../../../src/desk/routes.ts';
import type { Store } from '../../../src/store/store.ts';
import { openMigrated } from '../../support/databases.ts';
import { type BrowserDesk, openBrowserDesk } from './browser-desk.ts';
import { openHostileNewsroom } from './newsroom.ts';

/** No pages: a stream, files, and what an iframe shows. */
const NO_PAGES = ['/live'];
const WIDTHS = [320, 768, 1440];

/** The path of a route as a pattern. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+(\{[^}]*\})?/g, '[^/]+')}$`);
}

const PAGES = DESK_ROUTES.filter(({ method, path }) => method === 'GET' && !NO_PAGES.includes(path));

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
    const waiting = ['', '/account'];
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
        if (found.has(target) || seen.has(target)) continue;
        seen.add(target);
        waiting.push(link);
      }
    }
    expect(problems).toEqual([]);
    expect(faults).toEqual([]);
    const missing = PAGES.map(({ path }) => path).filter((path) => !found.has(path));
    expect(missing).toEqual([]);
  });
});

/** An expression: the HTML of what makes a page scroll sideways. */
const WIDER_THAN_SCREEN = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth && one.closest('.scroll, pre') === null)
  .map((one) => one.outerHTML.slice(0, 200))`;

/** What is wrong with the page that is open, at all widths and in both themes. */
async function problemsOf(page: Page): Promise<string[]> {
  const problems: string[] = [];
  if (await page.evaluate("'hurt' in window")) problems.push('ran a script of a text');
  await page.evaluate(axe.source);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const wide = await page.evaluate<string[]>(WIDER_THAN_SCREEN);
    problems.push(...wide.map((html) => `at ${width}: wider than the screen: ${html}`));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // The dark theme has other colours, and nothing else.
      const rules = colorScheme === 'light' ? '' : ", runOnly: ['color-contrast', 'link-in-text-block']";
      const { violations } = await page.evaluate<AxeResults>(`axe.run({ iframes: false${rules} })`);
      const at = `at ${width}, ${colorScheme}`;
      problems.push(...violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${at}: ${id}: ${html}`)));
    }
  }
  return problems;
}

function routeOf(path: string): string | undefined {
  return PAGES.find((route) => patternOf(route.path).test(path))?.path;
}

/** The paths of links to pages of the desk, without queries. */
async function linksOf(page: Page): Promise<string[]> {
  const links = await page.evaluate<string[]>("[...document.querySelectorAll('a[href]')].map((link) => link.href)");
  return links
    .map((link) => new URL(link))
    .filter(({ origin, pathname }) => origin === new URL(page.url()).origin && pathname.startsWith('/desk'))
    .map(({ pathname }) => pathname.replace(/^\/desk/, ''));
}

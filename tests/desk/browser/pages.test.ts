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
  /** The first address of each route, as links lead to it. */
  const found = new Map<string, string>();

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

  it('are all reached by links, run no foreign code and break no content security policy', async () => {
    const { page, faults } = await desk.open('admin', { viewport: { width: 1440, height: 900 } });
    const waiting = ['', '/sign-in', '/account'];
    const dead: string[] = [];
    const seen = new Set(waiting);
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const response = await page.goto(desk.url + path);
      if (response?.status() !== 200) dead.push(`${path}: ${response?.status()}`);
      const route = routeOf(new URL(page.url()).pathname.replace(/^\/desk/, ''));
      if (route !== undefined && !found.has(route)) found.set(route, path);
      const isHurt = await page.evaluate("'hurt' in window");
      if (isHurt) faults.push(`${path}: a script of the text ran`);
      for (const link of await linksOf(page)) {
        // One address for each route, and all that no route has.
        const target = routeOf(link) ?? link;
        if (found.has(target) || seen.has(target)) continue;
        seen.add(target);
        waiting.push(link);
      }
    }
    expect(dead).toEqual([]);
    expect(faults).toEqual([]);
    const missing = PAGES.map(({ path }) => path).filter((path) => !found.has(path));
    expect(missing).toEqual([]);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`have no violation of accessibility rules, and fit the width, in ${colorScheme} mode`, async () => {
      const { page } = await desk.open('admin', { colorScheme });
      const problems: string[] = [];
      for (const path of found.values()) {
        await page.goto(desk.url + path);
        await page.evaluate(axe.source);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          problems.push(...(await accessibilityProblems(page)).map((text) => `${path} at ${width}: ${text}`));
          const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          if (overflow > 0) problems.push(`${path} at ${width}: ${overflow} px wider than the screen`);
        }
      }
      expect(found.size).toBeGreaterThan(5);
      expect(problems).toEqual([]);
    });
  }
});

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

async function accessibilityProblems(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>('axe.run({ iframes: false })');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

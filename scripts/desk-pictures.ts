/**
 * Pictures of the desk of the sample newsroom, as docs/desk.md has them: phone and desktop, light and dark.
 *
 *     npm run -s desk-pictures -- FOLDER [--role ROLE] [PATH...]
 *
 * Without paths, all pages of the navigation.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { ACCOUNT_ROLES, type AccountRole } from '../src/accounts/permissions.ts';
import { NAVIGATION } from '../src/app/desk/routes.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';
import { startSampleDesk } from './desk/sample-desk.ts';

const SHAPES = [
  { name: 'phone', width: 375, height: 812 },
  { name: 'desktop', width: 1440, height: 900 },
];

const { values, positionals } = parseArgs({
  options: { role: { type: 'string', default: 'admin' } },
  allowPositionals: true,
});
const [folder, ...paths] = positionals;
const role = values.role as AccountRole;
if (folder === undefined || !ACCOUNT_ROLES.includes(role)) {
  console.error('usage: npm run -s desk-pictures -- FOLDER [--role ROLE] [PATH...]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const executablePath = findChromium();
if (executablePath === null) throw new Error('no Chromium: set CHROMIUM_PATH');
const desk = await startSampleDesk();
const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
try {
  for (const { name, width, height } of SHAPES) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      // Chromium accepts the prefix __Host- only from https, and sends it to this machine over http, too.
      await context.addCookies([{ ...desk.cookies[role], url: desk.url.replace('http:', 'https:'), secure: true }]);
      const page = await context.newPage();
      page.on('console', (message) => console.log(message.type(), message.text()));
      for (const path of paths.length > 0 ? paths : NAVIGATION.flatMap(({ items }) => items.map((item) => item.path))) {
        const response = await page.goto(`${desk.url}/desk${path}`);
        await page.waitForTimeout(700);
        const file = `${path.replaceAll(/[^\w]+/g, '-').replace(/^-/, '') || 'today'}-${name}-${colorScheme}.png`;
        await page.screenshot({ path: join(folder, file), fullPage: true });
        console.log(`${file}: ${response?.status()}`);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await desk.stop();
}

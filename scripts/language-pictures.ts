/**
 * Pictures of a newsroom in each language, as "daywire init" makes it: pages and the mail of an
 * edition, on phone and desktop, light and dark. Some names, outlets and headlines are in another script.
 *
 *     npm run -s language-pictures -- FOLDER [LANGUAGE...]
 *
 * Without languages, all that daywire has.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { simpleParser } from 'mailparser';
import { chromium } from 'playwright-core';
import { parse } from 'yaml';
import { DEFAULT_ANSWERS, init } from '../src/app/init.ts';
import { textDirection } from '../src/lib/locale/direction.ts';
import { BUILT_IN_LOCALES, languagesIn } from '../src/lib/locale/message-file.ts';
import { HOUR } from '../src/lib/time.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';
import { freePort } from './free-port.ts';

const CHECKOUT = resolve(import.meta.dirname, '..');
const COMMAND = join(CHECKOUT, 'bin/daywire.js');
const NOW = Date.now();
const FOREIGN = {
  ltr: ['he', 'TSMC מגדילה את ההשקעה ב־20%'],
  rtl: ['en', 'Chip Maker Spends 20% More (Again)'],
} as const;

const [folder, ...chosen] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run -s language-pictures -- FOLDER [LANGUAGE...]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const executablePath = findChromium();
if (executablePath === null) throw new Error('no Chromium: set CHROMIUM_PATH');
const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
for (const language of chosen.length > 0 ? chosen : languagesIn(BUILT_IN_LOCALES)) await picture(language, folder);
await browser.close();

async function picture(language: string, out: string): Promise<void> {
  const room = mkdtempSync(join(tmpdir(), 'daywire-language-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  await init(room, { ...DEFAULT_ANSWERS, name: 'Meridian', url: base, zone: 'Asia/Shanghai', language }, NOW);
  const file = join(room, 'config/daywire.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(`port: ${port}`, `port: ${port}\n  metrics: off`));
  cpSync(join(CHECKOUT, 'sample/media'), join(room, 'media'), { recursive: true });
  rmSync(join(room, 'articles/example.md'));
  writeFileSync(join(room, 'articles/stories.jsonl'), stories(language));
  const options = { cwd: room, env: { PATH: process.env.PATH } };
  const commands = ['import articles', 'subscribers add ada@example.com', 'compose daily-roundup', 'deliver'];
  for (const command of commands) execFileSync(process.execPath, [COMMAND, ...command.split(' ')], options);
  const names = readdirSync(join(room, 'var/mail'), { recursive: true, encoding: 'utf8' });
  const eml = names.find((name) => name.endsWith('.eml')) ?? '';
  const mail = (await simpleParser(readFileSync(join(room, 'var/mail', eml)))).html || '';
  writeFileSync(join(room, 'mail.html'), mail);
  const child = spawn(process.execPath, [COMMAND, 'start'], { ...options, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(createInterface({ input: child.stdout }), 'line');
    const linkTo = (page: string): string => new RegExp(`${base}/${page}/[^"<]+`).exec(mail)?.[0] ?? base;
    const month = new Date(NOW).toISOString().slice(0, 7);
    const addresses: Record<string, string> = {
      ...{ front: base, article: `${base}/articles/story-0`, section: `${base}/sections/news` },
      ...{
        archive: `${base}/archive/${month}`,
        newsletters: `${base}/newsletters`,
        feeds: `${base}/feeds/`,
        feed: `${base}/feeds/latest.atom`,
      },
      ...{ edition: linkTo('editions'), preferences: linkTo('preferences') },
      ...{ unsubscribe: linkTo('unsubscribe'), mail: `file://${room}/mail.html` },
    };
    await photograph(addresses, join(out, language));
  } finally {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
    rmSync(room, { recursive: true, force: true });
  }
}

/** Variants of the article that "daywire init" writes, as JSON Lines. */
function stories(language: string): string {
  const { article, kickers } = parse(readFileSync(join(CHECKOUT, `templates/init/words/${language}.yaml`), 'utf8'));
  const { headline, dek, body, byline, tags } = article;
  const image = { url: '/media/chip-die.jpg', alt: headline, credit: 'VCG', width: 1200, height: 675 };
  const bylines = [byline, 'Mei Tan'].map((name) => ({ name, email: 'a@example.com' }));
  const outlet = (name: string) => ({ name, url: 'https://example.com/' });
  const related = [headline, 'Sales Rise (Again)'].map((title) => ({ title, url: 'https://example.com/' }));
  const [foreign, title] = FOREIGN[textDirection(language)];
  const also = [outlet('Nikkei Asia'), outlet('הארץ')];
  const items = ['Harbour Post', 'BBC عربي'].map((name) => ({ kind: 'roundup-item', outlet: outlet(name), also }));
  const common = { headline, dek, body, bylines, tags, section: 'news', published: new Date(NOW - HOUR).toISOString() };
  return [
    { kicker: kickers[0], headline: `TSMC: ${headline}`, image, related },
    { kind: 'analysis', kicker: kickers[2], state: 'corrected', note: dek, image },
    { headline: title, language: foreign, topic: 'TSMC' },
    { topic: 'TSMC', dek: `5G: ${dek}` },
    ...items,
  ]
    .map((story, n) => JSON.stringify({ ...common, id: `story-${n}`, slug: `story-${n}`, ...story }))
    .join('\n');
}

async function photograph(addresses: Record<string, string>, prefix: string): Promise<void> {
  for (const [shape, width] of Object.entries({ phone: 375, desktop: 1280 })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      for (const [name, address] of Object.entries(addresses)) {
        const status = (await page.goto(address))?.status();
        const path = `${prefix}-${name}-${shape}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true });
        console.log(path, status);
      }
      await page.close();
    }
  }
}

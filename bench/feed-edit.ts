/**
 * One edit of a post, from its file to the RSS feed on disk: by a running daywire that watches the folder, and by Hugo,
 * which builds the site of the same folder anew.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../scripts/free-port.ts';
import { HOUR, MINUTE, SECOND } from '../src/lib/time.ts';
import { DaywireProcess } from './daywire-process.ts';
import { median } from './figures.ts';
import { benchArticle } from './import.ts';

const SIZES = [1_000, 10_000, 100_000];
const ROUNDS = 9;
const LOOK_EVERY = 5;
const LIMIT = 2 * MINUTE;
const ROOT = resolve(import.meta.dirname, '..');

/**
 * Medians of nine rounds, in seconds, by the number of posts: `daywireEditSeconds…` from the moment that the edited
 * file has its name until `feeds/posts.rss` has the new headline, `hugoEditSeconds…` for the command `hugo` with the
 * same edit. Hugo builds nothing but the feed: it renders no page of a post. Null where Hugo is not installed.
 */
export async function benchFeedEdit(sizes = SIZES): Promise<Record<string, number | null>> {
  const hasHugo = await runHugo(['version']).then(
    () => true,
    () => false,
  );
  if (!hasHugo) process.stderr.write('Hugo is not installed (Debian: hugo): daywire is measured alone\n');
  const figures: Record<string, number | null> = {};
  for (const size of sizes) {
    const { daywire, hugo } = await editPosts(size, hasHugo);
    figures[`daywireEditSeconds${size}`] = round(median(daywire));
    figures[`hugoEditSeconds${size}`] = hasHugo ? round(median(hugo)) : null;
  }
  return figures;
}

interface EditTimes {
  daywire: number[];
  hugo: number[];
}

async function editPosts(size: number, hasHugo: boolean): Promise<EditTimes> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const daywire = new DaywireProcess({ folder: join(folder, 'newsroom'), checkout: ROOT, environment: {} });
  try {
    const newestAt = Date.now();
    const posts = join(daywire.folder, 'posts');
    await mkdir(posts, { recursive: true });
    for (let index = 0; index < size; index++) {
      writeFileSync(join(posts, nameOf(index)), postText(index, newestAt, `Post Number ${index}`));
    }
    daywire.write('config/daywire.yaml', daywireConfig(await freePort()));
    writeFileSync(join(folder, 'hugo.toml'), hugoConfig(posts, join(folder, 'public')));
    await daywire.start();
    const times: EditTimes = { daywire: [], hugo: [] };
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(2 * SECOND + SECOND * Math.random());
      const headline = `Edited in Round ${round}`;
      daywire.write(`posts/${nameOf(0)}`, postText(0, newestAt, headline));
      times.daywire.push(await untilShown(join(daywire.folder, 'feeds/posts.rss'), headline));
      if (!hasHugo) continue;
      const start = performance.now();
      await runHugo(['--quiet', '--source', folder]);
      times.hugo.push((performance.now() - start) / 1_000);
      await untilShown(join(folder, 'public/index.xml'), headline);
    }
    return times;
  } finally {
    await daywire.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns seconds until the file has the headline. @throws Error after two minutes */
async function untilShown(file: string, headline: string): Promise<number> {
  const start = performance.now();
  let seen = '';
  while (performance.now() < start + LIMIT) {
    const { mtimeMs, ino } = statSync(file);
    if (seen !== `${mtimeMs} ${ino}` && readFileSync(file, 'utf8').includes(headline)) {
      return (performance.now() - start) / 1_000;
    }
    seen = `${mtimeMs} ${ino}`;
    await sleep(LOOK_EVERY);
  }
  throw new Error(`${file} has no "${headline}"`);
}

async function runHugo(args: string[]): Promise<void> {
  const child = spawn('hugo', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], output] = await Promise.all([once(child, 'exit'), text(child.stderr), text(child.stdout)]);
  if (code !== 0) throw new Error(`hugo ended with ${code}: ${output}`);
}

function nameOf(index: number): string {
  return `post-${index}.md`;
}

/** A post of about 250 words; the newest is from now, and one from each hour before. */
function postText(index: number, newestAt: number, title: string): string {
  const { body } = benchArticle(index);
  const date = new Date(newestAt - index * 2 * HOUR).toISOString();
  return `---\ntitle: ${title}\ndate: ${date}\nsection: news\ntags: [Posts]\n---\n${body}\n`;
}

function daywireConfig(port: number): string {
  return `publication:
  name: The Posts
  about: Posts.
  url: http://127.0.0.1:${port}
  tagAuthority: example.com,2026
  language: en
  zone: UTC
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Sample Road
sections:
  - { id: news, title: News }
import:
  watch: [posts]
feeds:
  - { id: posts, title: Posts }
server: { port: ${port}, metrics: 'off' }
`;
}

function hugoConfig(posts: string, output: string): string {
  return `baseURL = 'https://example.com/'
title = 'The Posts'
contentDir = '${posts}'
publishDir = '${output}'
disableKinds = ['taxonomy', 'term', 'section', 'sitemap', 'robotsTXT', '404']
[outputs]
home = ['rss']
[services.rss]
limit = 50
[[cascade]]
[cascade._target]
kind = 'page'
[cascade.build]
render = 'never'
`;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/**
 * Kills a process that polls a source at random moments, often in the middle of a page: afterwards every post has one
 * article. `node scripts/poll-kill-test.ts [--kills 10] [--posts 250] [--api wordpress|ghost]`
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { type StoredDocument, toArticle } from '../src/articles/stored-document.ts';
import { ghostApp } from './cms/ghost.ts';
import { makePosts } from './cms/posts.ts';
import { wordPressApp } from './cms/wordpress.ts';

const KEY = '0123456789abcdef0123456789';
/** Milliseconds until the stand-in answers: time to be killed while a page is under way. */
const ANSWER_DELAY = 100;
/** Milliseconds from a random request of the poll to the end of its process, at most: pages are stored meanwhile. */
const LONGEST_DELAY = 400;
/** Requests of a whole poll, more or less. */
const REQUESTS = 6;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '10' },
    posts: { type: 'string', default: '250' },
    api: { type: 'string', default: 'wordpress' },
  },
});

const posts = makePosts(Number(values.posts), Date.now());
const site = values.api === 'ghost' ? ghostApp(posts, KEY) : wordPressApp(posts);
let requests = 0;
/** Called for each request. */
let onRequest = (): void => {};
const slowly = async (request: Request): Promise<Response> => {
  requests += 1;
  onRequest();
  await sleep(ANSWER_DELAY);
  return site.fetch(request);
};
const server = serve({ fetch: slowly, hostname: '127.0.0.1', port: 0 }, ({ port }) => void run(port));

async function run(port: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-poll-kill-'));
  try {
    writeConfig(folder, port);
    let killed = 0;
    while (killed < Number(values.kills)) {
      if ((await poll(folder, Math.ceil(Math.random() * REQUESTS))) === null) killed += 1;
      // All is read: begin again, as after a change of the whole site.
      else for (const post of posts) post.modifiedAt += 60_000;
    }
    const code = await poll(folder, null);
    report(folder, killed, code);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param killAfter number of requests after which it is killed, a moment later; null lets it end
 * @returns the exit code, or null if it was killed
 */
async function poll(folder: string, killAfter: number | null): Promise<number | null> {
  const bin = new URL('../bin/daywire.js', import.meta.url).pathname;
  forgetLease(folder);
  const env = { ...process.env, DAYWIRE_SOURCE_KEYS: `times=${KEY}` };
  const child = spawn(process.execPath, [bin, 'sources', 'poll', 'times'], { cwd: folder, env, stdio: 'ignore' });
  let left = killAfter ?? Number.POSITIVE_INFINITY;
  onRequest = () => {
    left -= 1;
    if (left === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * LONGEST_DELAY);
  };
  return new Promise<number | null>((resolve) => child.on('exit', resolve));
}

/** A killed process holds its source for up to two minutes, and its host for one: nobody waits for that here. */
function forgetLease(folder: string): void {
  try {
    const database = new DatabaseSync(join(folder, 'var/daywire.db'));
    database.exec('update sources set lease_until = 1; delete from source_hosts');
    database.close();
  } catch {
    // There is no store yet.
  }
}

function writeConfig(folder: string, port: number): void {
  mkdirSync(join(folder, 'config'));
  mkdirSync(join(folder, 'var'));
  writeFileSync(
    join(folder, 'config/daywire.yaml'),
    `publication:
  name: The Times
  about: News.
  url: http://127.0.0.1:8080
  tagAuthority: example.com,2026
  language: en
  zone: UTC
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
fetch: { allow: [127.0.0.0/8] }
sources: [{ id: times, url: "http://127.0.0.1:${port}", use: articles }]
`,
  );
}

function report(folder: string, killed: number, code: number | null): void {
  const database = new DatabaseSync(join(folder, 'var/daywire.db'));
  const count = (sql: string): number => Number(database.prepare(sql).get()?.count);
  const articles = count("select count(*) as count from articles where id like 'times.%'");
  const items = count('select count(*) as count from source_items');
  const stored = database.prepare('select document from articles').all() as unknown as StoredDocument[];
  const urls = new Set(stored.map((row) => toArticle(row).url)).size;
  const rejected = count('select count(*) as count from rejections');
  database.close();
  const result = { killed, requests, posts: posts.length, articles, items, urls, rejected, lastExitCode: code };
  console.log(JSON.stringify(result, null, 2));
  const isRight = [articles, items, urls].every((number) => number === posts.length) && rejected === 0 && code === 0;
  if (!isRight) process.exitCode = 1;
}

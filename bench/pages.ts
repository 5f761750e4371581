/**
 * How long each public page takes with a million articles in the store, on SQLite and PostgreSQL: rendered anew, as
 * the first request after a change is, and from the cache; and the first request of a new process.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { createApp } from '../src/app/routes/app.ts';
import { DAY, SECOND } from '../src/lib/time.ts';
import { percentile } from './figures.ts';
import { ARTICLES_PER_DAY, archivedSlug, EDITIONS, fillArchive, openArchive, PAGES_NOW } from './pages-newsroom.ts';

const MILLION = 1_000_000;
const WARM_UP = 10;
const ROUNDS = 200;
/** Pages of a full month that are requested. It has 500 and more. */
const MONTH_PAGES = 400;
/** Of the last month, and of the first, which is not full. */
const DAYS_OFF = 60;

export interface PagesOptions {
  articles?: number;
  /** Default: both. */
  database?: 'sqlite' | 'postgres';
}

type Where = { path: string; databaseUrl?: string };

/**
 * @returns milliseconds: p50 and p99 of each page, such as `monthColdP99MsSqlite` and `monthCachedP50MsSqlite`, its
 * first request in a process (`monthFirstMsSqlite`), and `pageP99Ms`, that of the slowest page, not cached
 */
export async function benchPages(options: PagesOptions = {}): Promise<Record<string, number>> {
  const { articles = MILLION, database } = options;
  const folder = mkdtempSync(join(tmpdir(), 'daywire-bench-pages-'));
  const figures: Record<string, number> = { articles, rounds: ROUNDS };
  try {
    if (database !== 'postgres') {
      Object.assign(figures, await measure('Sqlite', { path: join(folder, 'daywire.db') }, articles, folder));
    }
    if (database !== 'sqlite') {
      const server = await startPostgresServer('daywire', []);
      try {
        const where = { path: '', databaseUrl: `${server.url}/daywire` };
        Object.assign(figures, await measure('Postgres', where, articles, folder));
      } finally {
        await server.stop();
      }
    }
    const slowest = Object.entries(figures).filter(([figure]) => figure.includes('ColdP99Ms'));
    return { ...figures, pageP99Ms: Math.max(...slowest.map(([, ms]) => ms)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(name: string, where: Where, articles: number, folder: string): Promise<Record<string, number>> {
  const app = await openArchive(where);
  try {
    await fillArchive(app, articles);
    process.stderr.write(`${name}: filled\n`);
  } finally {
    await app.store.close();
  }
  const setup = JSON.stringify({ where, articles });
  const script = fileURLToPath(import.meta.url);
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const runOnce = async (part: 'first' | 'rounds'): Promise<Record<string, number>> => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, setup, part], { env });
    return JSON.parse(stdout) as Record<string, number>;
  };
  // The first process fills the compile cache, as an earlier start did.
  await runOnce('first');
  const times = { ...(await runOnce('first')), ...(await runOnce('rounds')) };
  return Object.fromEntries(Object.entries(times).map(([figure, ms]) => [`${figure}${name}`, ms]));
}

/** Where a page is in each round. */
function pagesOf(articles: number): Record<string, (round: number) => string> {
  const days = Math.floor(articles / ARTICLES_PER_DAY) - DAYS_OFF;
  if (days < 1) throw new Error('more articles are needed, so that months are full: --articles 100000');
  const spread = (round: number, count: number): number => (round * 7_919) % count;
  const dayBefore = (count: number): string => new Date(PAGES_NOW - count * DAY).toISOString().slice(0, 10);
  const month = (round: number): string => dayBefore(30 + spread(round, days)).slice(0, 7);
  const sections = ['business-tech', 'finance-economy', 'world', 'trending'];
  return {
    front: () => '/',
    stream: (round) => `/?page=${2 + (round % 49)}`,
    section: (round) => `/sections/${sections[round % sections.length]}`,
    sectionPage: (round) => `/sections/${sections[round % sections.length]}?page=${2 + (round % 99)}`,
    archive: () => '/archive',
    month: (round) => `/archive/${month(round)}`,
    monthPage: (round) => `/archive/${month(round)}?page=${2 + spread(round, MONTH_PAGES)}`,
    article: (round) => `/articles/${archivedSlug(spread(round, articles))}`,
    editions: () => '/editions',
    edition: (round) => `/editions/daily-roundup/${dayBefore(spread(round, EDITIONS))}`,
    newsletters: () => '/newsletters',
    privacy: () => '/privacy',
    feeds: () => '/feeds/',
  };
}

/** The first request of each page in this process, which is the first of all for the front page. */
async function timeFirst(where: Where, articles: number): Promise<Record<string, number>> {
  const app = await openArchive(where);
  try {
    const { request } = await openSite(app);
    const times: Record<string, number> = {};
    for (const [page, pathOf] of Object.entries(pagesOf(articles))) times[`${page}FirstMs`] = await request(pathOf(0));
    return times;
  } finally {
    await app.store.close();
  }
}

async function timeRounds(where: Where, articles: number): Promise<Record<string, number>> {
  const app = await openArchive(where);
  const times: Record<string, number> = {};
  try {
    const { request, forget } = await openSite(app);
    for (const [page, pathOf] of Object.entries(pagesOf(articles))) {
      const [cold, cached]: [number[], number[]] = [[], []];
      for (let round = -WARM_UP; round < ROUNDS; round++) {
        forget();
        const path = pathOf(round + WARM_UP);
        const taken = [await request(path), await request(path)] as const;
        if (round < 0) continue;
        cold.push(taken[0]);
        cached.push(taken[1]);
      }
      for (const [kind, all] of Object.entries({ Cold: cold, Cached: cached })) {
        times[`${page}${kind}P50Ms`] = percentile(all, 0.5);
        times[`${page}${kind}P99Ms`] = percentile(all, 0.99);
      }
    }
  } finally {
    await app.store.close();
  }
  return times;
}

async function openSite(app: Awaited<ReturnType<typeof openArchive>>) {
  let now = PAGES_NOW;
  const { store, config, templates } = app;
  const site = createApp({ store, config, templates, secrets: ['of the bench alone'], clock: () => now });
  return {
    /** @returns milliseconds. @throws where there is no such page */
    async request(path: string): Promise<number> {
      const start = performance.now();
      const response = await site.request(path, { headers: { 'Accept-Encoding': 'gzip, br' } });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${path} is answered with ${response.status}`);
      return performance.now() - start;
    },
    /** Cached pages become too old. */
    forget: () => {
      now += 2 * SECOND;
    },
  };
}

const [, script, setup, part] = process.argv;
if (script === fileURLToPath(import.meta.url) && setup !== undefined) {
  const { where, articles } = JSON.parse(setup) as { where: Where; articles: number };
  const time = part === 'first' ? timeFirst : timeRounds;
  process.stdout.write(JSON.stringify(await time(where, articles)));
}

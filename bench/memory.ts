/**
 * Resident memory of a real `daywire start` on SQLite: after the start, after an import, after an edition by the clock,
 * while articles come in and are read, and at rest. The store is empty at first, or has any number of articles.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CountingSink, startCountingSink } from '../scripts/counting-sink.ts';
import { freePort } from '../scripts/free-port.ts';
import { Newsroom } from '../scripts/soak/newsroom.ts';
import { untilResponse } from '../scripts/soak/people.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { DAY, MINUTE, SECOND } from '../src/lib/time.ts';
import { benchArticle } from './import.ts';
import { addArticles } from './pages-newsroom.ts';

const ARTICLES = 5_000;
const SUBSCRIBERS = 1_000;
/** Until it rests after the start, and at the end. Threads without work have ended by then. */
const REST = 20 * SECOND;
/** One article and four requests a second. */
const USE = 30 * SECOND;
const TIME_LIMIT = 10 * MINUTE;
const MEBIBYTE = 2 ** 20;

/**
 * @param options.articles in the store before the start, 913 a day. Default: none
 * @returns after each step the resident memory, and its peak during the step, in MiB
 */
export async function benchMemory({ articles = 0 }: { articles?: number } = {}): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startCountingSink(0);
  // One edition, two to three minutes from now: articles are imported, and nobody has to wait long.
  const slot = new Date(Math.ceil(Date.now() / MINUTE) * MINUTE + 2 * MINUTE);
  const cron = `${slot.getUTCMinutes()} ${slot.getUTCHours()} * * *`;
  const newsroom = new Newsroom({ folder, port: await freePort(), smtpUrl: sink.url, cron });
  try {
    await newsroom.create();
    if (articles > 0) await fillStore(newsroom, articles);
    return await measure(newsroom, sink, folder, articles);
  } finally {
    await newsroom.stop();
    await sink.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function fillStore({ store: where }: Newsroom, articles: number): Promise<void> {
  const store = await openStore(where);
  try {
    await migrate(store);
    // Older than those that are imported.
    await addArticles(store, articles, Date.now() - DAY);
  } finally {
    await store.close();
  }
}

async function measure(
  newsroom: Newsroom,
  sink: CountingSink,
  folder: string,
  articles: number,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const step = async (name: string, work: () => Promise<void>): Promise<void> => {
    const memory = watchMemory(newsroom);
    await work();
    const { last, peak } = await memory.stop();
    figures[`${name}ResidentMiB`] = Math.round(last / MEBIBYTE);
    figures[`${name}PeakMiB`] = Math.round(peak / MEBIBYTE);
  };
  const addresses = Array.from({ length: SUBSCRIBERS }, (_, n) => `person${n}@domain${n % 50}.example`);
  await writeFile(join(folder, 'people.csv'), ['email', ...addresses].join('\n'));
  await newsroom.run('subscribers', 'import', 'people.csv');
  await step('started', async () => {
    await newsroom.start();
    await sleep(REST);
  });
  await step('imported', async () => {
    newsroom.writeArticle('articles.jsonl', Array.from({ length: ARTICLES }, (_, n) => line(n)).join('\n'));
    await until(async () => (await countArticles(newsroom)) >= articles + ARTICLES);
  });
  await step('delivered', () => until(async () => sink.copies.size >= SUBSCRIBERS));
  await step('used', () => use(newsroom));
  await step('rested', () => sleep(REST));
  return figures;
}

/** An article; the newest is from now, and one from every twenty minutes before. */
function line(index: number): string {
  const published = new Date(Date.now() - index * 20 * MINUTE).toISOString();
  return JSON.stringify({ ...benchArticle(index), section: 'news', published });
}

async function countArticles(newsroom: Newsroom): Promise<number> {
  const { articles } = JSON.parse(await newsroom.run('status', '--json')) as { articles: Record<string, number> };
  return Object.values(articles).reduce((sum, count) => sum + count, 0);
}

async function use(newsroom: Newsroom): Promise<void> {
  // More than 20 articles of today would be held back.
  const date = new Date(Date.now() - 2 * DAY).toISOString();
  const paths = ['feeds/latest.rss', 'feeds/latest.json', '', 'newsletters'];
  for (let number = 0, end = performance.now() + USE; performance.now() < end; number++) {
    const text = 'A sentence with *emphasis*. '.repeat(40);
    newsroom.writeArticle(
      `story-${number}.md`,
      `---\nid: story-${number}\nheadline: Headline Number ${number}\npublished: ${date}\nsection: news\n---\n${text}\n`,
    );
    for (const path of paths) {
      await untilResponse(() => fetch(`${newsroom.url}/${path}`));
      await sleep(SECOND / paths.length);
    }
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + TIME_LIMIT; !(await condition()); await sleep(SECOND)) {
    if (performance.now() > end) throw new Error('the newsroom of the benchmark takes too long');
  }
}

/** Reads the resident memory four times a second, in bytes. */
function watchMemory(newsroom: Newsroom): { stop(): Promise<{ last: number; peak: number }> } {
  let isStopped = false;
  let last = 0;
  let peak = 0;
  const watching = (async () => {
    while (!isStopped) {
      await sleep(SECOND / 4);
      last = newsroom.residentBytes() ?? last;
      peak = Math.max(peak, last);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await watching;
      return { last, peak };
    },
  };
}

/** How long a page of `/search` takes with a million articles in the store, on SQLite and PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { createApp } from '../src/app/routes/app.ts';
import { type Article, tagUri } from '../src/articles/article.ts';
import { indexArticles } from '../src/articles/search/search-index.ts';
import { encodeDocument } from '../src/articles/stored-document.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { migrate } from '../src/core/store/schema.ts';
import { mergePending } from '../src/core/store/search/term-index.ts';
import { inTransaction } from '../src/core/store/store.ts';
import { MINUTE, SECOND } from '../src/lib/time.ts';
import { type Figures, percentile } from './figures.ts';
import type { PagesOptions } from './pages.ts';
import { openArchive, PAGES_NOW } from './pages-newsroom.ts';

const MILLION = 1_000_000;
/** Articles of a transaction. */
const BATCH = 200;
const SPACING = 15 * MINUTE;
const WORDS = 100;
const SYLLABLES = [
  'ba',
  'ke',
  'lo',
  'mi',
  'nu',
  'ra',
  'se',
  'ti',
  'vo',
  'za',
  'che',
  'dra',
  'fen',
  'gri',
  'hal',
  'jor',
];
const VOCABULARY = 60_000;
const SECTIONS = ['business-tech', 'finance-economy', 'world', 'trending'];

/** @returns milliseconds: p50, p95 and the slowest of the searches below; and megabytes of the index */
export async function benchSearch({ articles = MILLION, database }: PagesOptions = {}): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-bench-search-'));
  const figures: Figures = { articles };
  try {
    if (database !== 'postgres') {
      Object.assign(figures, await measure('Sqlite', { path: join(folder, 'daywire.db') }, articles));
    }
    if (database !== 'sqlite') {
      const server = await startPostgresServer('daywire', []);
      try {
        Object.assign(figures, await measure('Postgres', { path: '', databaseUrl: `${server.url}/daywire` }, articles));
      } finally {
        await server.stop();
      }
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  name: string,
  where: { path: string; databaseUrl?: string },
  articles: number,
): Promise<Figures> {
  const app = await openArchive(where);
  try {
    await migrate(app.store);
    if (app.store.dialect === 'sqlite') await sql`pragma synchronous = off`.execute(app.store.db);
    await fill(app, articles);
    // Each is of another second: no client asks more often.
    let now = PAGES_NOW;
    const site = createApp({ ...app, secrets: ['of the bench alone'], clock: () => (now += SECOND) });
    const times: number[] = [];
    const processor: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (const path of SEARCHES) {
        const began = performance.now();
        const before = process.cpuUsage();
        const response = await site.request(path);
        await response.text();
        const took = performance.now() - began;
        const { user, system } = process.cpuUsage(before);
        if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
        // The first round compiles statements, and fills caches.
        if (round === 0) continue;
        times.push(took);
        processor.push((user + system) / 1_000);
      }
    }
    return {
      [`searchP50Ms${name}`]: percentile(times, 0.5),
      [`searchP95Ms${name}`]: percentile(times, 0.95),
      [`searchMaxMs${name}`]: percentile(times, 1),
      // Of this process: SQLite works in it, PostgreSQL elsewhere.
      [`searchProcessorP95Ms${name}`]: percentile(processor, 0.95),
      [`indexMB${name}`]: await indexSize(app),
    };
  } finally {
    await app.store.close();
  }
}

async function fill({ store }: AppContext, articles: number): Promise<void> {
  for (let from = 0; from < articles; from += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, articles - from) }, (_, n) => articleOf(articles - from - n - 1));
    await inTransaction(store.db, async (tx) => {
      const rows = some.map((article) => ({
        ...{
          id: article.id,
          tag_uri: article.tagUri,
          slug: article.slug,
          kind: article.kind,
          section: article.section,
        },
        ...{ pinned: 0, state: 'published', published_at: article.publishedAt, updated_at: article.updatedAt },
        ...{ created_at: article.publishedAt, digest: '', ...encodeDocument(article) },
      }));
      await tx.insertInto('articles').values(rows).execute();
      await indexArticles(tx, some);
    });
    if (from % 50_000 === 0) process.stderr.write(`${from} articles\n`);
  }
  await mergePending(store.db);
  await sql`analyze`.execute(store.db);
}

/** @param index 0 for the newest */
function articleOf(index: number): Article {
  const random = randomFrom(index);
  const zipf = (): number => Math.floor(Math.exp(random() * Math.log(VOCABULARY))) - 1;
  const isChinese = index % 10 === 0;
  const text = (length: number): string =>
    Array.from({ length }, () => (isChinese ? String.fromCodePoint(0x4e00 + (zipf() % 3_000)) : wordOf(zipf()))).join(
      isChinese ? '' : ' ',
    );
  const at = PAGES_NOW - index * SPACING;
  const bodyHtml = `<p>${text(WORDS)}</p>`;
  return {
    ...{
      id: `story-${index}`,
      tagUri: tagUri('example.com,2026', `story-${index}`),
      slug: `story-${index}`,
      url: null,
    },
    ...{
      kind: 'brief',
      kicker: null,
      topic: null,
      headline: text(8),
      shortHeadline: null,
      pinned: false,
      dek: text(15),
    },
    ...{ body: { format: 'html', source: '' }, bodyHtml, publishedAt: at, updatedAt: at },
    ...{ section: SECTIONS[index % SECTIONS.length] as string, tags: [], bylines: [], fullStory: null, related: [] },
    ...{ outlet: null, also: [], eventKey: null, image: null, enclosures: [], language: isChinese ? 'zh' : 'en' },
    ...{ status: { state: 'published' }, page: null },
  };
}

/** Mulberry32: the same numbers on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The most usual words are short, and begin many others. */
function wordOf(rank: number): string {
  const last = SYLLABLES[rank % SYLLABLES.length] as string;
  return rank < SYLLABLES.length ? last : wordOf(Math.floor(rank / SYLLABLES.length) - 1) + last;
}

const RANKS = [0, 5, 40, 300, 2_000, 12_000, 50_000];
const SEARCHES = [
  ...RANKS.map((rank) => wordOf(rank)),
  ...RANKS.map((rank, n) => `${wordOf(rank)} ${wordOf(RANKS[(n + 1) % RANKS.length] as number)}`),
  ...RANKS.map((rank) => `${wordOf(rank)} qqqq`),
  ...['qqqq', 'qqqq wwww', '一丁', '丁七丂', '一丁七', `${wordOf(9)} ${wordOf(99)} ${wordOf(999)}`, '\u{20000}一'],
].flatMap((words) => {
  const path = `/search?q=${encodeURIComponent(words)}`;
  return [path, `${path}&section=world`, `${path}&until=2015-06-30`];
});

async function indexSize({ store }: AppContext): Promise<number> {
  const query =
    store.dialect === 'postgres'
      ? sql<{ mb: number }>`select pg_total_relation_size('indexed_articles') / 1000000 as mb`
      : sql<{ mb: number }>`select (select sum(length(block)) from article_terms_data) / 1000000
          + (select sum(length(article_id) + 40) from indexed_articles) / 1000000 as mb`;
  return (await query.execute(store.reports)).rows[0]?.mb ?? 0;
}

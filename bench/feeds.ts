/**
 * Building the three formats of a 50-item feed, with 1,000 and with 1,000,000 articles in the store: how much does an
 * archive cost?
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Article } from '../src/articles/article.ts';
import { encodeDocument } from '../src/articles/stored-document.ts';
import { type Config, type FeedConfig, parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { buildSelectedFeed } from '../src/feeds/build-selected.ts';
import { TurnTimer } from '../src/lib/concurrency/turn-timer.ts';
import { median } from './figures.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const SECTIONS = ['business-tech', 'finance-economy', 'world', 'trending'];
const WARM_UP = 15;
const RUNS = 41;

/**
 * Medians in milliseconds, of a feed of four kinds and of a section's feed; `feedBuildRatio` compares the sizes of
 * the store for the slower of the two.
 */
export async function benchFeeds(): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  try {
    const small = await openFilled(join(folder, 'small.db'), 1_000);
    const large = await openFilled(join(folder, 'large.db'), 1_000_000);
    const config = benchConfig();
    const [latest, section] = config.feeds as [FeedConfig, FeedConfig];
    const figures = {
      latest: await compare(small, large, config, latest),
      section: await compare(small, large, config, section),
    };
    await Promise.all([small.close(), large.close()]);
    return {
      feedBuildMs1000: round(figures.latest.small),
      feedBuildMs1000000: round(figures.latest.large),
      sectionFeedBuildMs1000: round(figures.section.small),
      sectionFeedBuildMs1000000: round(figures.section.large),
      feedBuildRatio: round(Math.max(...Object.values(figures).map((figure) => figure.large / figure.small))),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openFilled(path: string, articles: number): Promise<Store> {
  const store = await openStore({ path });
  await migrate(store);
  await fillStore(store, articles);
  return store;
}

// Alternating, so that other load and compilation affect both alike.
async function compare(small: Store, large: Store, config: Config, feed: FeedConfig) {
  const times: { small: number[]; large: number[] } = { small: [], large: [] };
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    const pair = { small: await timeOnce(small, config, feed), large: await timeOnce(large, config, feed) };
    if (run < WARM_UP) continue;
    times.small.push(pair.small);
    times.large.push(pair.large);
  }
  return { small: median(times.small), large: median(times.large) };
}

async function timeOnce(store: Store, config: Config, feed: FeedConfig): Promise<number> {
  // A copy of the configuration: no item of it has been rendered before.
  const context = { store, config: { ...config }, now: NOW, timer: new TurnTimer() };
  const start = performance.now();
  const built = await buildSelectedFeed(context, feed);
  const time = performance.now() - start;
  if (built.items !== 50) throw new Error(`the feed ${feed.id} holds ${built.items} items, not 50`);
  return time;
}

/**
 * Typical articles: mostly briefs, some analyses, features and roundup items, a roundup a day; an hour apart, in
 * four sections, with two tags each, in one statement for each table.
 */
async function fillStore(store: Store, count: number): Promise<void> {
  const { db } = store;
  await sql`pragma synchronous = off`.execute(db);
  const rows = sql`
    with recursive counted(n) as (select 0 union all select n + 1 from counted where n + 1 < ${count}),
    placed as (
      select n, printf('article-%07d', n) as id,
        case when n % 24 = 0 then 'roundup' when n % 7 = 1 then 'analysis' when n % 11 = 2 then 'feature'
          when n % 3 = 1 then 'roundup-item' else 'brief' end as kind,
        case n / 2 % 4 when 0 then 'business-tech' when 1 then 'finance-economy' when 2 then 'world' else 'trending' end as section,
        case n % 13 when 0 then 'Exclusive' when 1 then 'In Depth' end as kicker,
        ${NOW} - (${count} - n) * 3600000 as at
      from counted
    )
    select id, 'tag:example.com,2026:articles/' || id as tag_uri, 'slug-' || n as slug, kind, section, kicker, null as event_key,
      0 as pinned, 'published' as state, at as published_at, at as updated_at, null as noted_at, at as created_at,
      'digest' as digest, x'' as document, 2000 as json_bytes
    from placed`;
  await sql`insert into articles (id, tag_uri, slug, kind, section, kicker, event_key, pinned, state, published_at, updated_at,
    noted_at, created_at, digest, document, json_bytes) ${rows}`.execute(db);
  const newest = await db.selectFrom('articles').selectAll().orderBy('id', 'desc').limit(READ).execute();
  for (const row of newest) {
    const stored = encodeDocument(articleOf(row));
    await db.updateTable('articles').set(stored).where('id', '=', row.id).execute();
  }
  await sql`insert into article_tags (article_id, tag, published_at)
    select articles.id, tags.value, published_at from articles, json_each('["phones","chips"]') as tags`.execute(db);
}

/** Articles with a document: more than any feed reads. */
const READ = 5_000;

type Row = Pick<Article, 'id' | 'slug' | 'section' | 'kicker'> & {
  kind: string;
  tag_uri: string;
  published_at: number;
};

function articleOf({ id, slug, kind, section, kicker, tag_uri: tagUri, published_at: at }: Row): Article {
  return {
    ...{ id, slug, kind: kind as Article['kind'], section, kicker, tagUri, publishedAt: at, updatedAt: at },
    url: null,
    topic: 'Batteries',
    headline: `Smartphone shipments rise ${Number(id.slice(-7)) % 70}% as makers & carriers clear stock`,
    shortHeadline: null,
    pinned: false,
    dek: 'Some 35.3 million handsets shipped in the month, three quarters of them 5G models.',
    body: { format: 'html', source: '' },
    bodyHtml: PARAGRAPH.repeat(5),
    tags: ['phones', 'chips'],
    bylines: [{ role: 'reporter', name: 'Lin Ye', email: 'lin.ye@example.com' }],
    fullStory: null,
    related: [{ url: 'https://example.com/a', title: 'An earlier story' }],
    outlet: null,
    also: [],
    eventKey: null,
    image: {
      ...{ url: 'https://example.com/media/a.jpg', alt: 'A shop', credit: 'VCG', type: 'image/jpeg', length: 81_234 },
      ...{ width: 1_200, height: 800 },
    },
    enclosures: [],
    language: 'en',
    status: { state: 'published' },
    page: null,
  };
}

const PARAGRAPH =
  '<p>The ministry said on Tuesday that deliveries had grown for the third month in a row, helped by cheaper models and by makers ' +
  'that cleared their stocks before the new season; analysts had expected a slower pace.</p>';

function benchConfig(): Config {
  const text = `
publication:
  name: The Meridian Wire
  about: News.
  url: https://wire.example.com
  tagAuthority: example.com,2026
  language: en
  zone: Asia/Shanghai
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Sample Road
sections: [${SECTIONS.map((id) => `{ id: ${id}, title: ${id} }`).join(', ')}]
feeds:
  - { id: latest, title: Latest, select: { kinds: [brief, analysis, feature, roundup] } }
  - { id: section, title: Sections, select: { sections: [${SECTIONS.join(', ')}] } }
`;
  return parseConfig(text, { file: 'bench.yaml', env: {}, cwd: tmpdir() });
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

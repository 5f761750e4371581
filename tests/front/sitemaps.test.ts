import { execFileSync } from 'node:child_process';
import type { CompiledQuery } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import { findMonthsWithPages } from '../../src/articles/with-page.ts';
import type { Store } from '../../src/core/store/store.ts';
import { chunks } from '../../src/lib/chunks.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { article, NOW, openTestSite, save, saveEdition, type TestSite } from '../app/test-site.ts';
import { UNREADABLE } from '../support/articles.ts';
import { forBothDatabases, openMigrated } from '../support/databases.ts';
import { expectGolden } from '../support/golden.ts';
import { queryPlan, recordQueries } from '../support/recorded-queries.ts';
import { sampleConfig } from '../support/sample.ts';

const OCTOBER = { publishedAt: NOW - 30 * DAY, updatedAt: NOW - 2 * DAY };

function locations(xml: string): string[] {
  execFileSync('xmllint', ['--noout', '-'], { input: xml });
  return [...xml.matchAll(/<loc>http:\/\/127\.0\.0\.1:8080([^<]*)<\/loc>/g)].map(([, path]) => path as string);
}

/** Stories of two months, and all that no sitemap may list. */
async function saveStories(store: Store): Promise<void> {
  await save(
    store,
    article('newest', { publishedAt: NOW - MINUTE, updatedAt: NOW - MINUTE, kicker: 'R&D', headline: '<b> & “]]>”' }),
    article('zh', { publishedAt: NOW - HOUR, language: 'zh-Hans', headline: '新闻' }),
    article('tw', { publishedAt: NOW - 2 * HOUR, language: 'zh-TW' }),
    article('pt', { publishedAt: NOW - 2 * DAY - MINUTE, updatedAt: NOW - 3 * HOUR, language: 'pt-BR' }),
    article('october', OCTOBER),
    article('corrected', { ...OCTOBER, status: { state: 'corrected', note: 'n', at: NOW } }),
    article('elsewhere', { url: 'https://example.com/elsewhere' }),
    article('elsewhere-alone', { url: 'https://example.com/alone', publishedAt: NOW - 90 * DAY }),
    article('draft', { status: { state: 'draft' } }),
    article('retracted', { status: { state: 'retracted', note: 'n', at: NOW } }),
    article('embargoed', { publishedAt: NOW + HOUR, status: { state: 'scheduled', until: NOW + HOUR } }),
  );
  await saveEdition(store, { slot: '2026-11-24', slotAt: NOW - HOUR / 2, number: 1, headline: 'Roundup' });
}

describe('sitemaps', () => {
  forBothDatabases((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      await saveStories(store);
      site = openTestSite(store);
    });

    it('list the pages of each month with the time of the last change, oldest first', async () => {
      const index = await site.read('/sitemap.xml');
      expectGolden('sitemaps/index.xml', index);
      const [pages, november, october] = await Promise.all(locations(index).map((path) => site.read(path)));
      expectGolden('sitemaps/pages.xml', pages as string);
      expectGolden('sitemaps/2026-11.xml', november as string);
      expect(locations(november as string)).toEqual([
        ...['/articles/pt', '/articles/tw', '/articles/zh', '/editions/daily-roundup/2026-11-24', '/articles/newest'],
      ]);
      expect(locations(october as string)).toEqual(['/articles/corrected', '/articles/october']);
      expect(october).toContain('<lastmod>2026-11-22T12:43:00Z</lastmod>');
    });

    it('list pages that respond with 200, whatever the key "pages" says', async () => {
      for (const pages of ['full', 'redirect', 'off'] as const) {
        const other = openTestSite(store, { ...sampleConfig(), pages });
        const maps = locations(await other.read('/sitemap.xml'));
        const listed = (await Promise.all(maps.map(async (path) => locations(await other.read(path))))).flat();
        expect(listed.length).toBeGreaterThan(15);
        expect(listed.filter((path) => path.includes('elsewhere'))).toEqual([]);
        for (const path of listed) expect([path, (await other.get(path)).status]).toEqual([path, 200]);
      }
    });

    it('for Google News lists the articles of two days, with its names of languages', async () => {
      const news = await site.read('/news-sitemap.xml');
      expectGolden('sitemaps/news.xml', news);
      expect(locations(news)).toEqual([
        ...['/articles/newest', '/editions/daily-roundup/2026-11-24', '/articles/zh', '/articles/tw'],
      ]);
      expect(news.match(/<news:language>[^<]*/g)?.map((one) => one.slice('<news:language>'.length))).toEqual([
        ...['en', 'en', 'zh-cn', 'zh-tw'],
      ]);
    });

    it('drop an article that has moved to another site', async () => {
      const moved = { ...article('october', OCTOBER), url: 'https://example.com/moved' };
      await save(store, moved as Article);
      expect(locations(await site.read('/sitemap-2026-10.xml'))).toEqual(['/articles/corrected']);
    });
  });

  it('of a month with more than 10,000 articles has parts, and no others exist', async () => {
    const store = await openMigrated();
    const first = NOW - 20 * DAY;
    const rows = Array.from({ length: 10_001 }, (_, n) => ({
      ...{ id: `s${n}`, tag_uri: `tag:${n}`, slug: `s${n}`, kind: 'brief', pinned: 0, state: 'published', digest: '' },
      ...{ published_at: first + n, updated_at: first + n, created_at: first, ...UNREADABLE },
    }));
    for (const some of chunks(rows, 1_000)) await store.db.insertInto('articles').values(some).execute();
    const site = openTestSite(store);
    const maps = locations(await site.read('/sitemap.xml'));
    expect(maps).toEqual(['/sitemap-pages.xml', '/sitemap-2026-11.xml', '/sitemap-2026-11-2.xml']);
    expect(locations(await site.read('/sitemap-2026-11.xml'))).toHaveLength(10_000);
    expect(locations(await site.read('/sitemap-2026-11-2.xml'))).toEqual(['/articles/s10000']);
    for (const name of ['2026-11-1', '2026-11-3', '2026-11-02', '2026-12', '2026-13', '2026-11-9999', 'x', 'pages-2'])
      expect([name, (await site.get(`/sitemap-${name}.xml`)).status]).toEqual([name, 404]);
  });

  it('are well-formed and absolute below a path with signs, and without any article', async () => {
    const config = sampleConfig();
    const url = "http://127.0.0.1:8080/a&b'c";
    const site = openTestSite(await openMigrated(), { ...config, publication: { ...config.publication, url } });
    const base = new URL(url).pathname;
    for (const path of ['sitemap.xml', 'sitemap-pages.xml', 'news-sitemap.xml']) {
      const xml = await site.read(`${base}/${path}`);
      for (const location of locations(xml)) expect(location).toMatch(/^\/a&#x26;b'c\//);
    }
  });

  it('are built once a second, whatever is in the query', async () => {
    const store = await openMigrated();
    await saveStories(store);
    const { store: recorded, takeQueries } = recordQueries(store);
    const site = openTestSite({ ...recorded, reports: recorded.db });
    for (const path of ['/sitemap.xml', '/sitemap-2026-11.xml', '/news-sitemap.xml']) {
      const xml = await site.read(path);
      expect(takeQueries()).not.toEqual([]);
      expect(await site.read(`${path}?page=2`)).toBe(xml);
      expect(takeQueries()).toEqual([]);
    }
  });

  it('are counted from their own index alone', async () => {
    const store = await openMigrated();
    await saveStories(store);
    const { store: recorded, takeQueries } = recordQueries(store);
    expect(await findMonthsWithPages(recorded.db, NOW, 'UTC')).toHaveLength(2);
    const plan = await queryPlan(store, takeQueries().at(-1) as CompiledQuery);
    expect(plan.filter((line) => line.includes(' articles'))).toEqual([
      'SEARCH articles USING COVERING INDEX articles_with_page (published_at>? AND published_at<?)',
    ]);
  });
});

describe('addresses at which readers look for a feed', () => {
  it('redirect for good to the first feed, in the format of their name', async () => {
    const site = openTestSite(await openMigrated());
    const expected = { '/atom.xml': 'atom', '/feed.json': 'json' };
    const rss = ['/feed', '/feed/', '/rss', '/rss/', '/rss.xml', '/index.xml'].map((path) => [path, 'rss'] as const);
    for (const [path, format] of [...Object.entries(expected), ...rss]) {
      const { status, headers } = await site.get(path);
      expect([path, status, headers.get('Location')]).toEqual([path, 308, `/feeds/latest.${format}`]);
    }
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import type { Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { article, NOW, openTestSite, save, saveDay, type TestSite, withoutVersion } from '../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { expectGolden } from '../support/golden.ts';
import { sampleConfig } from '../support/sample.ts';

describe('the front page', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
    });

    it('shows lead, second rank, wire, roundup, sections, stream and past editions', async () => {
      await saveDay(store);
      expectGolden('pages/front.html', withoutVersion(await site.read('/')));
    });

    it('shows the headings of a body one level below that of its story', async () => {
      await save(store, ...newest(15), article('long', { bodyHtml: '<h2>Part</h2><p>Text</p><h4>Detail</h4>' }));
      expect(await site.read('/')).toContain('<h4>Part</h4><p>Text</p><h6>Detail</h6>');
      expect(await site.read('/articles/long')).toContain('<h2>Part</h2>');
    });

    it('says that nothing has been published yet', async () => {
      const html = await site.read('/');
      expect(html).toContain('Nothing has been published yet.');
      expect(html).not.toContain('24-hour news');
      expect(html).not.toContain('Past editions</h2>');
    });

    it('shows the news of exactly the last 24 hours', async () => {
      await save(
        store,
        ...newest(4),
        article('just-in', { publishedAt: NOW - 24 * HOUR }),
        article('just-out', { publishedAt: NOW - 24 * HOUR - 1 }),
      );
      const news = partOf(await site.read('/'), 'id="news"', '</ol>');
      expect(news).toContain('<li class="day">Monday, November 23, 2026</li>');
      expect(news).toContain('><bdi>8:43 PM</bdi></time>');
      expect(news).toContain('Headline of just-in');
      expect(news).not.toContain('Headline of just-out');
    });

    it('links to the archive if there are more news', async () => {
      await save(store, ...newest(12));
      expect(await site.read('/')).not.toContain('Earlier news');
      await save(store, article('n-12', { publishedAt: NOW - HOUR }));
      site.later();
      const news = partOf(await site.read('/'), 'id="news"', '</section>');
      expect(news.match(/<time /g)).toHaveLength(8);
      expect(news).toContain('<a href="/archive">Earlier news in the archive</a>');
    });

    it('links to an edition without its image', async () => {
      const image = { url: 'https://example.com/p.png', alt: 'A', credit: null, type: 'image/png', length: 1 };
      const shown = { ...image, width: 4, height: 3 };
      await save(store, article('lead', { image: shown }));
      await save(
        store,
        article('roundup', { kind: 'roundup', page: '/editions/daily-roundup/2026-11-24', image: shown }),
      );
      const html = await site.read('/');
      expect(html).toContain('<a href="/editions/daily-roundup/2026-11-24">Read the edition</a>');
      expect(html.match(/<img /g)).toHaveLength(1);
    });

    it('hides drafts and retracted stories, and an embargoed one to the millisecond', async () => {
      const until = NOW + HOUR;
      await save(
        store,
        article('draft', { status: { state: 'draft' } }),
        article('gone', { status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
        article('later', { publishedAt: until, status: { state: 'scheduled', until } }),
      );
      const before = await site.read('/');
      for (const id of ['draft', 'gone', 'later']) expect(before).not.toContain(`Headline of ${id}`);
      site.at(until - SECOND - 1);
      expect(await site.read('/')).not.toContain('Headline of later');
      // A second after the last rendering, when the page is no longer kept.
      site.at(until - 1);
      expect(await site.read('/')).not.toContain('Headline of later');
      site.at(until + SECOND - 1);
      expect(await site.read('/')).toContain('Headline of later');
    });

    it('continues on pages that link to their neighbours', async () => {
      await save(store, ...newest(43));
      const first = await site.read('/');
      expect(first).toContain('<link rel="next" href="/?page=2">');
      expect(first).not.toContain('rel="prev"');
      expect(headlinesOf(first).toSorted()).toEqual(
        newest(30)
          .map(({ headline }) => headline)
          .toSorted(),
      );
      const second = await site.read('/?page=2');
      expect(second).toContain('<link rel="canonical" href="http://127.0.0.1:8080/?page=2">');
      expect(second).toContain('<link rel="prev" href="/">');
      expect(second).toContain('<link rel="next" href="/?page=3">');
      expect(headlinesOf(second)).toEqual(Array.from({ length: 10 }, (_, n) => `Headline of n-${n + 30}`));
      const third = await site.read('/?page=3');
      expect(third).toContain('Headline of n-42');
      expect(third).not.toContain('rel="next"');
      expect((await site.get('/?page=4')).status).toBe(404);
    });

    it('responds with 404 to an invalid page number', async () => {
      await save(store, article('one'));
      for (const number of ['0', '-1', '1.5', '1e3', '51', '999999999999', 'abc', '', "1'--"]) {
        const response = await site.get(`/?page=${encodeURIComponent(number)}`);
        expect([number, response.status]).toEqual([number, 404]);
      }
    });
  });
});

describe('a site below a path', () => {
  it('has links, pages and redirects there, and the health check at the root', async () => {
    const store = await openMigrated();
    const site = openTestSite(
      store,
      sampleConfig((yaml) => yaml.replace('url: http://127.0.0.1:8080', 'url: https://news.example.com/wire/')),
    );
    await save(store, article('one', { section: 'world' }));
    const html = await site.read('/wire/');
    expect(html).toContain('<link rel="canonical" href="https://news.example.com/wire/">');
    const links = [...html.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map((match) => match[1] as string);
    expect(links.length).toBeGreaterThan(30);
    expect(links.filter((link) => !link.startsWith('/wire/'))).toEqual([]);
    for (const path of new Set(links.filter((link) => !link.includes('/feeds/') && link !== '/wire/search'))) {
      expect([path, (await site.get(path)).status]).toEqual([path, 200]);
    }
    expect((await site.get('/wire/feeds')).headers.get('Location')).toBe('/wire/feeds/');
    expect((await site.get('/')).status).toBe(404);
    expect((await site.get('/healthz')).status).toBe(200);
    await store.close();
  });
});

/** Stories a minute apart, the first of which is the newest. */
function newest(count: number): Article[] {
  return Array.from({ length: count }, (_, n) => article(`n-${n}`, { publishedAt: NOW - (n + 1) * MINUTE }));
}

function headlinesOf(html: string): string[] {
  return [...html.matchAll(/>(Headline of [^<]+)</g)].map(([, headline]) => headline as string);
}

function partOf(html: string, from: string, to: string): string {
  const start = html.indexOf(from);
  return start < 0 ? '' : html.slice(start, html.indexOf(to, start));
}

import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import {
  article,
  closedConfig,
  NOW,
  openTestSite,
  save,
  saveDay,
  saveEdition,
  type TestSite,
} from '../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { htmlFaults } from '../support/html-faults.ts';
import { sampleConfig } from '../support/sample.ts';

it('pages in Arabic run from right to left, with the newsroom’s own words', async () => {
  const store = await openMigrated();
  const own = {
    ...{
      'article.by': 'بقلم {names}',
      'common.earlierStories': 'أخبار أقدم',
      'common.titleOnPage': '{title}، صفحة {number}',
    },
    ...{ 'error.notFound.title': 'الصفحة غير موجودة', 'common.comma': '، ' },
  };
  const config = sampleConfig((yaml) => yaml.replace('language: en', 'language: ar'));
  const site = openTestSite(store, { ...config, ownMessages: { ar: own } });
  const bylines = ['Mei Tan', 'ليلى'].map((name) => ({ role: 'reporter' as const, name, email: null }));
  const stories = Array.from({ length: 31 }, (_, n) => article(`s-${n}`, { publishedAt: NOW - n * MINUTE, bylines }));
  await save(store, ...stories);
  const html = await site.read('/sections/business-tech');
  expect(html).toContain('<html lang="ar" dir="rtl">');
  expect(html).toContain('<span>بقلم <bdi>Mei Tan</bdi> وليلى</span>');
  expect(html).toContain('rel="next" href="/sections/business-tech?page=2">أخبار أقدم ←</a>');
  // There is no file for Urdu: its words are English, and say so.
  const urdu = { ...config.publication, language: 'ur' };
  const other = await openTestSite(store, { ...config, publication: urdu }).read('/sections/business-tech');
  expect(other).toContain('<html lang="ur" dir="rtl">');
  expect(other).toContain('<span lang="en" dir="ltr">Feeds</span>');
  expect(html).not.toContain('<span lang="en"');
  const second = await site.read('/sections/business-tech?page=2');
  expect(second).toContain('<h1 class="title">\u2068Business &amp; Tech\u2069، صفحة 2</h1>');
  expect(await site.read('/archive')).toContain('>نوفمبر 2026</a>');
  const missing = await site.get('/nothing');
  expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining('الصفحة غير موجودة')]);
  await store.close();
});

describe('a list', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
    });

    it('of a section has its stories, newest first, and its feeds', async () => {
      await save(
        store,
        article('old', { section: 'world', publishedAt: NOW - 3 * HOUR }),
        article('new', { section: 'world', publishedAt: NOW - 2 * HOUR }),
        article('other', { section: 'trending' }),
      );
      const html = await site.read('/sections/world');
      expect([...html.matchAll(/>Headline of (\w+)</g)].map((m) => m[1])).toEqual(['new', 'old']);
      expect(html).toContain('href="/feeds/world.atom">Atom</a>');
      expect(html).toContain('<a href="/sections/world" aria-current="page">World</a>');
    });

    it('of a section has pages', async () => {
      await save(store, ...Array.from({ length: 31 }, (_, n) => article(`s-${n}`, { publishedAt: NOW - n * MINUTE })));
      expect(await site.read('/sections/business-tech')).toContain('href="/sections/business-tech?page=2"');
      expect(await site.read('/sections/business-tech?page=2')).toContain('Headline of s-30');
      expect((await site.get('/sections/business-tech?page=3')).status).toBe(404);
      expect((await site.get('/sections/business-tech?page=x')).status).toBe(404);
    });

    it('of a section exists only for sections in the configuration', async () => {
      await save(store, article('x', { section: 'secret' }));
      expect((await site.get('/sections/secret')).status).toBe(404);
      expect((await site.get("/sections/world'--")).status).toBe(404);
    });

    it('of the archive has the months with public stories, by the newsroom’s calendar', async () => {
      await save(
        store,
        // 00:30 on November 1 in Shanghai, October 31 in UTC.
        article('november', { publishedAt: Date.UTC(2026, 9, 31, 16, 30) }),
        article('july', { publishedAt: Date.UTC(2026, 6, 15) }),
        article('december', { publishedAt: Date.UTC(2026, 11, 15), status: { state: 'scheduled', until: 0 } }),
        article('august', { publishedAt: Date.UTC(2026, 7, 15), status: { state: 'draft' } }),
        article('last-year', { publishedAt: Date.UTC(2025, 2, 15) }),
      );
      const html = await site.read('/archive');
      expect([...html.matchAll(/href="\/archive\/([\d-]+)"/g)].map((m) => m[1])).toEqual([
        '2026-11',
        '2026-07',
        '2025-03',
      ]);
      expect(html).toContain('>November 2026</a>');
      expect(await site.read('/archive/2026-11')).toContain('Headline of november');
      expect((await site.get('/archive/2026-10')).status).toBe(404);
      expect((await site.get('/archive/2026-12')).status).toBe(404);
      expect((await site.get('/archive/2026-08')).status).toBe(404);
    });

    it('of a month exists only for valid months', async () => {
      await save(store, article('a'));
      for (const month of ['2026-13', '2026-1', '26-11', '0000-01', '9999-12', '2026-11-24', '%00', 'x']) {
        expect([month, (await site.get(`/archive/${month}`)).status]).toEqual([month, 404]);
      }
      expect(site.logged).toEqual([]);
    });

    it('of a month is grouped by day, and has pages', async () => {
      await save(
        store,
        ...Array.from({ length: 51 }, (_, n) => article(`s-${n}`, { publishedAt: NOW - n * 40 * MINUTE })),
      );
      const first = await site.read('/archive/2026-11');
      expect([...first.matchAll(/<h2 class="rule">([^<]+)</g)].map((m) => m[1])).toEqual([
        'Tuesday, November 24, 2026',
        'Monday, November 23, 2026',
      ]);
      expect(await site.read('/archive/2026-11?page=2')).toContain('Headline of s-50');
      expect((await site.get('/archive/2026-11?page=3')).status).toBe(404);
    });

    it('of editions has all of them, or those of one newsletter, newest first', async () => {
      await saveDay(store);
      const html = await site.read('/editions');
      expect([...html.matchAll(/href="(\/editions\/daily-roundup\/[^"]+)"/g)].map((m) => m[1])).toEqual([
        '/editions/daily-roundup/2026-11-24',
        '/editions/daily-roundup/2026-11-23',
      ]);
      expect(html).toContain('No.\u00a0212');
      expect(await site.read('/editions/daily-roundup')).toContain('Past editions of The Daily Roundup');
      const { newsletters, ...config } = sampleConfig();
      const chinese = newsletters.map((one) => ({ ...one, language: 'zh-Hans', title: '每日综述' }));
      const other = openTestSite(store, { ...config, newsletters: chinese });
      for (const path of ['/', '/editions', '/newsletters'])
        expect(await other.read(path)).toMatch(/<p lang="zh-Hans" dir="ltr"><a href="\/editions\/daily-roundup\//);
      expect(await other.read('/editions')).toContain('<span lang="zh-Hans" dir="ltr">每日综述</span>, ');
      expect((await site.get('/editions/no-such-letter')).status).toBe(404);
      expect((await site.get('/editions/daily-roundup/2026-11-25')).status).toBe(404);
      expect((await site.get('/editions/%00/%00')).status).toBe(404);
      expect((await site.get('/editions/daily-roundup?page=2')).status).toBe(404);
    });

    it('of editions has pages', async () => {
      for (let n = 0; n < 51; n++) {
        const slotAt = NOW - n * 24 * HOUR;
        const slot = new Date(slotAt).toISOString().slice(0, 10);
        await saveEdition(store, { slot, slotAt, number: 60 - n, headline: `Tech Roundup: Number ${60 - n}` });
      }
      expect(await site.read('/editions/daily-roundup')).toContain('href="/editions/daily-roundup?page=2"');
      const second = await site.read('/editions/daily-roundup?page=2');
      expect(second).toContain('Tech Roundup: Number 10<');
      expect(second).not.toContain('Tech Roundup: Number 11<');
    });

    it('of editions remains after its newsletter left the configuration', async () => {
      await saveDay(store);
      const without = openTestSite(store, { ...sampleConfig(), newsletters: [] });
      expect(await without.read('/editions/daily-roundup')).toContain('Past editions of daily-roundup');
      expect((await without.get('/editions/daily-roundup/2026-11-24')).status).toBe(200);
      expect(await without.read('/newsletters')).toContain('There is no newsletter yet.');
    });

    it('of newsletters has descriptions, schedules and the form to subscribe', async () => {
      await saveDay(store);
      const html = await site.read('/newsletters');
      expect(html).toContain('The day&#39;s technology and business news in one email, every morning.');
      expect(html).toContain('Every day at 7:30 AM, Shanghai time');
      expect(html).toContain('<form class="form" method="post" action="/subscribe"');
      expect(html).not.toContain('To subscribe, write to');
      expect(html).toContain('href="/editions/daily-roundup/2026-11-24"');
    });

    it('of newsletters has the address to write to while signup is closed', async () => {
      const html = await openTestSite(store, closedConfig()).read('/newsletters');
      expect(html).toContain('Every day at 7:30 AM, Shanghai time');
      expect(html).toContain('href="mailto:newsroom@example.com?subject=Subscribe%3A%20The%20Daily%20Roundup"');
      expect(html).not.toContain('<form');
    });
  });
});

describe('the page of an edition', () => {
  forEachDatabase((open) => {
    const BODY = '<body class="x" style="margin:0"><p>Frozen</p></body>';
    const HTML = `<!doctype html><html lang="en"><head><title>E</title></head>${BODY}</html>`;

    it('is the frozen page byte for byte, below the header of the site, with links to current feeds', async () => {
      const store = await open();
      const site = openTestSite(store);
      await save(store, article('held'));
      await saveEdition(store, {
        slot: '2026-11-24',
        slotAt: NOW,
        number: 1,
        headline: 'H',
        html: HTML.replace(
          '</head>',
          '<link rel="alternate" type="application/rss+xml" href="/feeds/gone.rss"></head>',
        ),
        articles: ['held'],
      });
      const html = await site.read('/editions/daily-roundup/2026-11-24');
      expect(withoutSite(html)).toBe(HTML);
      expect(html).not.toContain('gone.rss');
      const [link] = html.match(/<link rel="alternate"[^>]*>/) ?? [];
      expect(link).toContain('title="The Meridian Wire: Roundups (RSS)" href="/feeds/roundups.rss"');
    });

    it('has the name of the site above it, and the editions before and after it', async () => {
      const store = await open();
      const site = openTestSite(store);
      const edition = { slotAt: NOW - HOUR, headline: 'H', html: HTML };
      for (const number of [1, 2, 3]) await saveEdition(store, { ...edition, slot: `2026-11-2${number}`, number });
      const linksOf = async (slot: string): Promise<string[]> => {
        const html = await site.read(`/editions/daily-roundup/${slot}`);
        const [header = ''] = /<header [\s\S]*<\/header>/.exec(html) ?? [];
        expect(await htmlFaults(html)).toEqual([]);
        return [...header.matchAll(/<a (?:rel="(?:prev|next)" )?href="([^"]*)"/g)].map(([, href = '']) => href);
      };
      const path = '/editions/daily-roundup';
      expect(await linksOf('2026-11-22')).toEqual(['/', `${path}/2026-11-21`, `${path}/2026-11-23`, path]);
      expect(await linksOf('2026-11-21')).toEqual(['/', `${path}/2026-11-22`, path]);
      expect(await linksOf('2026-11-23')).toEqual(['/', `${path}/2026-11-22`, path]);
    });

    it('shows stories that were retracted since in a notice above it', async () => {
      const store = await open();
      const site = openTestSite(store);
      await save(store, article('held'), article('wrong', { kicker: 'Analysis' }), article('elsewhere'));
      const edition = { slotAt: NOW - HOUR, headline: 'H', html: HTML };
      await saveEdition(store, { ...edition, slot: '2026-11-24', number: 2, articles: ['held', 'wrong'] });
      await saveEdition(store, { ...edition, slot: '2026-11-23', number: 1, articles: ['elsewhere'] });
      const status = { state: 'retracted' as const, note: 'It was <false> & wrong.', at: NOW };
      await save(store, article('wrong', { kicker: 'Analysis', status }));
      const html = await site.read('/editions/daily-roundup/2026-11-24');
      expect(html).toMatch(/<body class="x" style="margin:0"><header [\s\S]*<\/header>\s*<aside /);
      expect(html).toContain('href="/articles/wrong"');
      expect(html).toContain('Analysis: Headline of wrong');
      expect(html).toContain('It was &lt;false&gt; &amp; wrong.');
      expect(html).not.toContain('Headline of held');
      expect(html).toContain('<p>Frozen</p>');
      expect(withoutSite(await site.read('/editions/daily-roundup/2026-11-23'))).toBe(HTML);
    });

    it('shows stories that were corrected since, but not corrections that the edition has itself', async () => {
      const store = await open();
      const site = openTestSite(store);
      const corrected = (note: string, at: number) => ({ status: { state: 'corrected' as const, note, at } });
      await save(store, article('known', corrected('Said at once.', NOW - 2 * HOUR)), article('late'));
      await saveEdition(store, {
        slot: '2026-11-24',
        slotAt: NOW - HOUR,
        number: 1,
        headline: 'H',
        html: HTML,
        articles: ['known', 'late'],
      });
      const { id } = await store.db.selectFrom('editions').select('id').executeTakeFirstOrThrow();
      await store.db
        .insertInto('edition_corrections')
        .values({ newsletter: 'daily-roundup', article_id: 'known', noted_at: NOW - 2 * HOUR, edition_id: id })
        .execute();
      expect(withoutSite(await site.read('/editions/daily-roundup/2026-11-24'))).toBe(HTML);
      await save(store, article('late', corrected('It was 5%, <not> 50%.', NOW)));
      site.later();
      const html = await site.read('/editions/daily-roundup/2026-11-24');
      expect(html).toContain('Corrected since this edition was published');
      expect(html).not.toContain('Retracted since');
      expect(html).toMatch(/<span lang="[^"]+" dir="ltr">It was 5%, &lt;not&gt; 50%\.<\/span>/);
      expect(html).not.toContain('Said at once.');
    });
  });
});

/** The page as it was frozen. */
function withoutSite(html: string): string {
  return html
    .replace(/(?<=<body[^>]*>)<header [\s\S]*?<\/header>\n?/, '')
    .replace(/\n<link rel="alternate"[^>]*>/g, '')
    .replace(/\n(?=<\/head>)/, '');
}

import { beforeEach, describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import type { Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import { article, NOW, openTestSite, save, saveDay, type TestSite } from '../app/test-site.ts';
import { forEachDatabase } from '../support/databases.ts';
import { htmlFaults } from '../support/html-faults.ts';

function by(id: string, name: string, changes: Partial<Article> = {}): Article {
  return article(id, { bylines: [{ role: 'reporter', name, email: null }], ...changes });
}

describe('the page of a reporter', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
    });

    it('has their public stories, newest first, in whatever spelling, and their feeds', async () => {
      await save(
        store,
        by('old', 'Zoë O’Hara', { publishedAt: NOW - 3 * HOUR }),
        by('new', 'ZOE O’HARA', { publishedAt: NOW - 2 * HOUR }),
        by('other', 'Zoe Harper'),
        by('draft', 'Zoë O’Hara', { status: { state: 'draft' } }),
        by('gone', 'Zoë O’Hara', { status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
        by('later', 'Zoë O’Hara', { publishedAt: NOW + HOUR, status: { state: 'scheduled', until: NOW + HOUR } }),
        article('edited', { bylines: [{ role: 'editor', name: 'Zoë O’Hara', email: null }] }),
      );
      const html = await site.read('/reporters/zoe-o-hara');
      expect([...html.matchAll(/>Headline of (\w+)</g)].map((m) => m[1])).toEqual(['new', 'old']);
      expect(html).toContain('<h1 class="title">ZOE O’HARA, Zoë O’Hara</h1>');
      expect(html).toContain('<a href="/feeds/reporter/zoe-o-hara.atom">Atom</a>');
      expect(html).toContain('<link rel="canonical" href="http://127.0.0.1:8080/reporters/zoe-o-hara">');
      expect(/<link rel="alternate"[^>]*>/.exec(html)?.[0]).toContain('href="/feeds/reporter/zoe-o-hara.rss"');
      expect(await htmlFaults(html)).toEqual([]);
      site.at(NOW + HOUR);
      expect(await site.read('/reporters/zoe-o-hara')).toContain('Headline of later');
    });

    it('has the address that the newest story gives', async () => {
      const line = (email: string | null) => [
        { role: 'reporter' as const, name: 'Bo Wu', email: 'bo@example.com' },
        { role: 'reporter' as const, name: 'Ann Lee', email },
        { role: 'editor' as const, name: 'Ann Lee', email: 'desk@example.com' },
      ];
      await save(store, article('old', { publishedAt: NOW - 2 * HOUR, bylines: line('ann@example.com') }));
      const html = await site.read('/reporters/ann-lee');
      expect(html).toContain('Contact reporter Ann Lee (<a href="mailto:ann@example.com">ann@example.com</a>)');
      expect(html).not.toMatch(/bo@example|desk@example/);
      await save(store, article('new', { bylines: line(null) }));
      site.later();
      expect(await site.read('/reporters/ann-lee')).not.toContain('ann@example.com');
    });

    it('has pages', async () => {
      const stories = Array.from({ length: 31 }, (_, n) => by(`s-${n}`, '陈思', { publishedAt: NOW - n * MINUTE }));
      await save(store, ...stories);
      const path = `/reporters/${encodeURIComponent('陈思')}`;
      expect(await site.read(path)).toContain(`rel="next" href="${path}?page=2"`);
      const second = await site.read(`${path}?page=2`);
      expect([...second.matchAll(/>Headline of (s-\d+)</g)].map((m) => m[1])).toEqual(['s-30']);
      expect(second).toContain('<title>陈思, page 2 — The Meridian Wire</title>');
      expect((await site.get(`${path}?page=3`)).status).toBe(404);
      expect((await site.get(`${path}?page=101`)).status).toBe(404);
    });

    it('exists only while a story of them is public, under the one address', async () => {
      await save(
        store,
        by('gone', 'Ann Lee', { status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
        by('draft', 'Bo Wu', { status: { state: 'draft' } }),
        by('public', 'Cy Ma'),
        article('edited', { bylines: [{ role: 'editor', name: 'Di Xu', email: null }] }),
      );
      expect((await site.get('/reporters/cy-ma')).status).toBe(200);
      for (const slug of [
        'ann-lee',
        'bo-wu',
        'di-xu',
        'Cy-Ma',
        'cy%20ma',
        '%00',
        '%ff',
        "x'--",
        '-',
        'x'.repeat(3_000),
      ]) {
        expect([slug, (await site.get(`/reporters/${slug}`)).status]).toEqual([slug, 404]);
      }
      expect(site.logged).toEqual([]);
    });

    it('is linked wherever a public story is signed, and only there', async () => {
      await saveDay(store);
      const link = '<a href="/reporters/mei-tan">Mei Tan</a>';
      expect(await site.read('/articles/smartphones-march')).toContain(link);
      expect(await site.read('/')).toMatch(/<p class="dateline"[^>]*><span>By <a href="\/reporters\/[a-z-]+">/);
      await save(
        store,
        by('gone', 'Ann Lee', { status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
        by('signs', '— —'),
        article('edited', { bylines: [{ role: 'editor', name: 'Di Xu', email: null }] }),
      );
      for (const slug of ['gone', 'signs', 'edited']) {
        const html = await (await site.get(`/articles/${slug}`)).text();
        expect(html).toMatch(/By (?:Ann Lee|— —|Di Xu)/);
        expect(html).not.toContain('/reporters/');
      }
    });

    it('shows a hostile name as text', async () => {
      const name = '</script><script>alert(1)</script>\u2028"\'';
      await save(store, by('hostile', name));
      const html = await site.read('/reporters/script-script-alert-1-script');
      expect(html).toContain('<h1 class="title">&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; &quot;&#39;</h1>');
      expect(html.match(/<script/g)).toEqual(['<script']);
    });
  });
});

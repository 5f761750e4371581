import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR } from '../../../src/lib/time.ts';
import {
  article,
  NOW,
  openTestSite,
  save,
  saveDay,
  saveEdition,
  type TestSite,
  withoutVersion,
} from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { expectGolden } from '../../support/golden.ts';
import { sampleConfig } from '../../support/sample.ts';

describe('the page of an article', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
    });

    it('shows every field', async () => {
      const person = (role: 'reporter' | 'editor', name: string) => ({
        role,
        name,
        email: `${name.toLowerCase().replace(' ', '.')}@example.com`,
      });
      await save(
        store,
        article('whole', {
          kind: 'feature',
          kicker: 'In Depth',
          headline: 'A Headline & Its Story',
          dek: 'One sentence that adds the figure.',
          tags: ['Chips', 'R&D'],
          bylines: [person('reporter', 'Ann Lee'), person('reporter', 'Bo Wu'), person('editor', 'Cy Ma')],
          fullStory: { url: 'https://example.com/full', title: 'The Long Version' },
          related: [
            { url: 'https://example.com/r1', title: 'An Earlier Story' },
            { url: 'https://example.com/r2', title: 'A Still Earlier One' },
          ],
          outlet: { name: 'Yicai', url: 'https://example.com/yicai', publishedAt: NOW - 30 * HOUR },
          also: [
            { name: 'Robots & Arms', url: 'https://example.com/robots' },
            { name: '星报', url: null },
          ],
          image: {
            url: 'https://example.com/p.jpg',
            alt: 'A wafer',
            credit: 'Lin Hao',
            type: 'image/jpeg',
            length: 1,
            width: 800,
            height: 600,
          },
          enclosures: [{ url: 'https://example.com/talk.mp3', type: 'audio/mpeg', length: 2_400_000, title: null }],
          status: { state: 'corrected', note: 'It was five days, not weeks.', at: NOW - HOUR / 2 },
          updatedAt: NOW - HOUR / 2,
        }),
      );
      expectGolden('pages/article.html', withoutVersion(await site.read('/articles/whole')));
    });

    it('has the language of the article, and that of the publication around it', async () => {
      await saveDay(store);
      const html = await site.read('/articles/zh-stations');
      expect(html).toContain('<html lang="zh-Hans" dir="ltr">');
      expect(html).toContain('<header class="masthead" lang="en" dir="ltr">');
      expect(html).toContain('<title>全国已建成逾71.8万座5G基站，约占全球七成 — The Meridian Wire</title>');
    });

    it('is right-to-left for a right-to-left language, unlike the rest of the site', async () => {
      await save(store, article('rtl', { language: 'ar', headline: 'خبر' }));
      const html = await site.read('/articles/rtl');
      expect(html).toContain('<html lang="ar" dir="rtl">');
      expect(html).toContain('<header class="masthead" lang="en" dir="ltr">');
      expect(await site.read('/')).toContain('<article class="lead" lang="ar" dir="rtl">');
    });

    it('leaves the times of a list on their side, and turns headline and outlet, in Arabic', async () => {
      const outlet = { name: 'BBC عربي', url: 'https://example.com/report', publishedAt: null };
      const report = article('report', { kind: 'roundup-item', outlet, headline: 'TSMC ترفع إنفاقها' });
      await save(store, { ...report, language: 'ar' });
      const html = await site.read('/archive/2026-11');
      expect(html).toMatch(/<li>\n<time [^>]*><bdi>[^<]*<\/bdi><\/time>\n<div lang="ar" dir="rtl">\n<h3><a [^>]*>TSMC/);
      expect(html).toContain(
        '<p class="dateline" lang="en" dir="ltr"><span><a href="https://example.com/report"><bdi dir="rtl">BBC',
      );
    });

    it('credits a roundup item to its outlet in lists of its section and its month', async () => {
      const outlet = { name: 'אתר', url: 'https://example.com/report', publishedAt: null };
      await save(store, article('item', { kind: 'roundup-item', outlet, section: 'business-tech' }));
      const link = '<a href="https://example.com/report"><bdi>אתר</bdi></a>';
      for (const path of ['/articles/item', '/sections/business-tech', '/archive/2026-11']) {
        expect(await site.read(path), path).toContain(link);
      }
    });

    it('responds to a draft, an embargoed and a never published story as to an unknown one', async () => {
      const until = NOW + HOUR;
      await save(
        store,
        article('draft', { status: { state: 'draft' } }),
        article('embargoed', { publishedAt: until, status: { state: 'scheduled', until } }),
        article('unseen', { publishedAt: until, status: { state: 'retracted', note: 'Never ran.', at: NOW } }),
        article('unseen-then', {
          publishedAt: NOW - 1,
          status: { state: 'retracted', note: 'Never ran.', at: NOW - 2 },
        }),
      );
      const unknown = await site.get('/articles/no-such-story');
      const notFound = await unknown.text();
      expect(unknown.status).toBe(404);
      for (const slug of ['draft', 'embargoed', 'unseen', 'unseen-then']) {
        const response = await site.get(`/articles/${slug}`);
        expect([slug, response.status]).toEqual([slug, 404]);
        expect(await response.text()).toBe(notFound);
      }
      site.at(until);
      expect((await site.get('/articles/embargoed')).status).toBe(200);
      expect((await site.get('/articles/unseen')).status).toBe(404);
    });

    it('responds with 410 for a retracted story, with its headline and note but not its text', async () => {
      await save(
        store,
        article('wrong', {
          headline: 'What Was Wrong',
          dek: 'A wrong dek.',
          status: { state: 'retracted', note: 'We had it from a chatbot.', at: NOW },
        }),
      );
      const response = await site.get('/articles/wrong');
      const html = await response.text();
      expect(response.status).toBe(410);
      expect(html).toMatch(/<h1[^>]*>What Was Wrong<\/h1>/);
      expect(html).toContain('We had it from a chatbot.');
      expect(html).not.toContain('Body of wrong');
      expect(html).not.toContain('A wrong dek.');
      expect(html).toContain('<meta name="robots" content="noindex">');
    });

    it('redirects from an old slug', async () => {
      await save(store, article('moved', { slug: 'first-name' }));
      await save(store, article('moved', { slug: 'segundo-nombre-ñ' }));
      const response = await site.get('/articles/first-name');
      expect(response.status).toBe(301);
      expect(response.headers.get('Location')).toBe('/articles/segundo-nombre-%C3%B1');
      expect(await site.read(response.headers.get('Location') as string)).toContain('Headline of moved');
    });

    it('does not redirect from an old slug of an embargoed story', async () => {
      const until = NOW + HOUR;
      const later = { publishedAt: until, status: { state: 'scheduled' as const, until } };
      await save(store, article('moved', { slug: 'old', ...later }), article('moved', { slug: 'new', ...later }));
      expect((await site.get('/articles/old')).status).toBe(404);
    });

    it('redirects from a roundup to its edition', async () => {
      await saveEdition(store, { slot: '2026-11-24', slotAt: NOW - HOUR, number: 1, headline: 'Tech Roundup: A, B' });
      const response = await site.get('/articles/daily-roundup-2026-11-24');
      expect(response.status).toBe(301);
      expect(response.headers.get('Location')).toBe('/editions/daily-roundup/2026-11-24');
      expect(await site.read('/')).toContain('<a href="/editions/daily-roundup/2026-11-24">');
    });

    it('responds with 404 to malformed slugs', async () => {
      for (const slug of ['%00', 'a%00b', '%E0%A4%A', 'a%0Ab', '..%2f..%2fetc', '%ff', 'x'.repeat(3_000)]) {
        expect([slug, (await site.get(`/articles/${slug}`)).status]).toEqual([slug, 404]);
      }
      expect(site.logged).toEqual([]);
    });
  });
});

describe('the page of an article with an address elsewhere', () => {
  const url = 'https://times.example/2026/solar?a=1&b=2';

  forEachDatabase((open) => {
    async function siteWith(pages: Config['pages']): Promise<{ store: Store; site: TestSite }> {
      const store = await open();
      return { store, site: openTestSite(store, { ...sampleConfig(), pages }) };
    }

    it('redirects there, for now, where pages is redirect; so do lists link there', async () => {
      const { store, site } = await siteWith('redirect');
      await save(store, article('solar', { url }), article('own'));
      const response = await site.get('/articles/solar');
      expect([response.status, response.headers.get('location')]).toEqual([302, url]);
      expect((await site.get('/articles/own')).status).toBe(200);
      const front = await site.read('/');
      expect(front).toContain('href="https://times.example/2026/solar?a=1&amp;b=2"');
      expect(front).not.toContain('/articles/solar"');
      expect(front).toContain('/articles/own"');
    });

    it('is the whole article where pages is full, and names that address as the canonical one', async () => {
      const { store, site } = await siteWith('full');
      await save(store, article('solar', { url }));
      const html = await site.read('/articles/solar');
      expect(html).toContain('<p>Body of solar.</p>');
      expect(html).toContain('<link rel="canonical" href="https://times.example/2026/solar?a=1&amp;b=2">');
      expect(await site.read('/')).toContain('href="/articles/solar"');
      expect(await site.read('/archive/2026-11')).toContain('href="https://times.example/2026/solar?a=1&amp;b=2"');
    });

    it('does not exist where pages is off, retracted or not', async () => {
      const { store, site } = await siteWith('off');
      const retracted = { state: 'retracted', note: 'Wrong.', at: NOW } as const;
      await save(store, article('solar', { url }), article('gone', { url, status: retracted }), article('own'));
      expect((await site.get('/articles/solar')).status).toBe(404);
      expect((await site.get('/articles/gone')).status).toBe(404);
      expect((await site.get('/articles/own')).status).toBe(200);
    });

    it('shows the note of a retraction instead of redirecting', async () => {
      const { store, site } = await siteWith('redirect');
      await save(store, article('gone', { url, status: { state: 'retracted', note: 'It was wrong.', at: NOW } }));
      const response = await site.get('/articles/gone');
      expect(response.status).toBe(410);
      expect(await response.text()).toContain('It was wrong.');
    });

    it('is its own page if that address is the page itself', async () => {
      const { store, site } = await siteWith('redirect');
      await save(store, article('solar', { url: `${sampleConfig().publication.url}/articles/solar` }));
      expect((await site.get('/articles/solar')).status).toBe(200);
    });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { INDEXED_NOTHING, INDEXED_TO, writeMeta } from '../../src/core/store/meta.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../app/test-site.ts';
import { forEachDatabase } from '../support/databases.ts';

const headlines = (html: string): string[] =>
  [...html.matchAll(/<h3><a href="[^"]*">(.*?)<\/a><\/h3>/g)].map(([, text]) =>
    (text as string).replace(/<\/?mark>/g, ''),
  );

describe('the search', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
    });

    it('shows its form alone before anybody has asked, and is in no search engine', async () => {
      const html = await site.read('/search');
      expect(html).toContain('<input type="search" id="q" name="q" value=""');
      expect(html).toContain('<meta name="robots" content="noindex">');
      expect(html).not.toContain('id="found"');
      expect(await site.read('/search?q=%21%3F')).toContain('Enter a word or a number.');
    });

    it('finds headlines, deks and bodies, newest first, by section and date, each with an excerpt', async () => {
      await save(
        store,
        article('head', { headline: 'Ferry burns', publishedAt: NOW - 3 * HOUR, section: 'world' }),
        article('dek', { dek: 'The ferry was old.', publishedAt: NOW - 2 * HOUR }),
        article('body', { bodyHtml: '<p>Two <b>ferries</b> &amp; a boat.</p>', publishedAt: NOW - 3 * DAY }),
        article('other'),
      );
      const html = await site.read('/search?q=FERR');
      expect(headlines(html)).toEqual(['Headline of dek', 'Ferry burns', 'Headline of body']);
      expect(html).toContain('<h3><a href="/articles/head"><mark>Ferry</mark> burns</a></h3>');
      expect(html).toContain('Two <mark>ferries</mark> &amp; a boat.');
      expect(headlines(await site.read('/search?q=ferry&section=world'))).toEqual(['Ferry burns']);
      const day = new Date(NOW - 3 * DAY).toISOString().slice(0, 10);
      expect(headlines(await site.read(`/search?q=ferr&from=${day}&until=${day}`))).toEqual(['Headline of body']);
      const none = await site.read('/search?q=nothing');
      expect(none).toContain('No story has all of these words.');
    });

    it('shows 20 stories a page, with links to the others and to its feed', async () => {
      const many = Array.from({ length: 25 }, (_, n) =>
        article(`s-${n}`, { headline: `Ferry ${n}`, publishedAt: NOW - n * MINUTE }),
      );
      await save(store, ...many);
      const html = await site.read('/search?q=Ferry&section=business-tech');
      expect(headlines(html)).toEqual(many.slice(0, 20).map(({ headline }) => headline));
      expect(html).toContain('href="/feeds/custom.atom?q=ferry&amp;section=business-tech"');
      const [, next = ''] = /rel="next" href="([^"]+)">Earlier results/.exec(html) ?? [];
      const second = await site.read(next.replaceAll('&amp;', '&'));
      expect(headlines(second)).toEqual(many.slice(20).map(({ headline }) => headline));
      expect(second).toContain('rel="prev" href="/search?q=Ferry&amp;section=business-tech">← Newest results');
    });

    it('neither finds nor quotes what is not public', async () => {
      const secret = { dek: 'The zebra merger.' };
      await save(
        store,
        article('draft', { ...secret, status: { state: 'draft' } }),
        article('wrong', { ...secret, status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
        article('coming', { ...secret, publishedAt: NOW + HOUR, status: { state: 'scheduled', until: NOW + HOUR } }),
      );
      const withoutWords = (text: string): string => text.replaceAll(/zebra|quagga/g, '');
      const [hidden, absent] = [await site.read('/search?q=zebra'), await site.read('/search?q=quagga')];
      expect(withoutWords(hidden)).toBe(withoutWords(absent));
    });

    it('shows hostile words as text, and cuts long ones', async () => {
      await save(store, article('a', { headline: '<script>alert(1)</script>', dek: '"><img src=x>' }));
      const html = await site.read(`/search?q=${encodeURIComponent('"><script>alert')}`);
      expect(html).toContain('value="&#34;&gt;&lt;script&gt;alert"');
      expect(html).toContain('&lt;<mark>script</mark>&gt;<mark>alert</mark>(1)&lt;/<mark>script</mark>&gt;');
      expect(html).not.toContain('<script');
      expect(html).not.toContain('<img src=x');
      expect((await site.get(`/search?q=${'x'.repeat(5_000)}&from=2026-99-99&after=x&section=none`)).status).toBe(200);
      for (const odd of ['%00', '%27', "'%3A*%20%26%20|", '%22AND%20OR%22*', '%ED%A0%80a', '0:~a']) {
        expect((await site.get(`/search?q=${odd}`)).status).toBe(200);
      }
    });

    it('says from when stories may be missing while the index is built', async () => {
      await save(store, article('a', { headline: 'Ferry' }));
      expect(await site.read('/search?q=ferry')).not.toContain('may be missing');
      await writeMeta(store.db, INDEXED_TO, INDEXED_NOTHING);
      expect(await site.read('/search?q=ferry')).toContain('before Tuesday, November 24, 2026 may be missing');
    });

    it('refuses a client that asks too often, for a while', async () => {
      await save(store, article('a'));
      const asked = await Promise.all(Array.from({ length: 62 }, () => site.get('/search?q=headline')));
      const refused = asked.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(2);
      expect(refused[0]?.headers.get('Retry-After')).toBe('1');
      expect(await refused[0]?.text()).toContain('too many searches from your network');
      expect((await site.get('/search')).status).toBe(200);
    });
  });
});

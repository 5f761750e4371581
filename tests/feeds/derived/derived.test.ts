import { beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { deriveFeed } from '../../../src/feeds/derived/derived.ts';
import { type DerivedAddress, parseDerivedAddress } from '../../../src/feeds/derived/derived-address.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { feedsConfig, RETRACTED, STORIES } from '../feeds-fixture.ts';
import { jsonFeed } from '../formats/json-schema.ts';
import { validateFeed } from '../formats/validator.ts';
import { HAS_XMLLINT, sayIfMissing, xmllint } from '../formats/xmllint.ts';

const config = feedsConfig((text) => `${text}leadKickers: [Cover Story]\n`);

beforeAll(sayIfMissing);

const save = (store: Store, ...articles: Article[]): Promise<void> => saveAll(store, articles, NOW - DAY);

function addressOf(path: string): DerivedAddress {
  const [file = '', query] = path.split('?');
  const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
  if (parsed?.kind !== 'derived') throw new Error(parsed?.reason ?? `no address: ${path}`);
  return parsed.address;
}

async function bodyOf(store: Store, path: string, now = NOW): Promise<string | null> {
  return (await deriveFeed(store.db, config, addressOf(path), now))?.body ?? null;
}

async function idsIn(store: Store, feed: string, now = NOW): Promise<string[] | null> {
  const [id, query] = feed.split('?');
  const body = await bodyOf(store, `${id}.json${query === undefined ? '' : `?${query}`}`, now);
  if (body === null) return null;
  return jsonFeed.parse(JSON.parse(body)).items.map((item) => item.id.slice(item.id.indexOf('articles/') + 9));
}

const reporter = (name: string) => ({ role: 'reporter' as const, name, email: null });
const editor = (name: string) => ({ role: 'editor' as const, name, email: null });
const at = (publishedAt: number): Partial<Article> => ({ publishedAt, updatedAt: publishedAt });

forEachDatabase((open) => {
  describe('a derived feed', () => {
    it('of a search holds the public articles with all words, and tells nothing of others', async () => {
      const store = await open();
      const secret = { bodyHtml: '<p>The ferry and the zebra.</p>' };
      await save(
        store,
        article('old', { headline: 'Ferries', ...at(NOW - 40 * DAY), section: 'world' }),
        article('new', { bodyHtml: '<p>A ferry burns.</p>' }),
        article('draft', { ...secret, status: { state: 'draft' } }),
        article('wrong', { ...secret, status: { state: 'retracted', note: 'Wrong.', at: NOW - HOUR } }),
        article('coming', { ...secret, ...at(NOW + 1) }),
      );
      expect(await idsIn(store, 'custom?q=Ferr')).toEqual(['new', 'old']);
      expect(await idsIn(store, 'custom?q=ferr&section=world')).toEqual(['old']);
      for (const format of ['rss', 'atom', 'json']) {
        const [found, none] = [
          await bodyOf(store, `custom.${format}?q=zebra`),
          await bodyOf(store, `custom.${format}?q=quagga`),
        ];
        expect(found?.replaceAll('zebra', 'quagga')).toBe(none);
        expect(found).toContain('with the words zebra');
      }
    });

    it('holds the articles of a section, kicker, tag or reporter, newest first', async () => {
      const store = await open();
      await save(
        store,
        ...STORIES,
        article('other', { bylines: [reporter('LIN YE'), editor('Ann O’Hara')], kicker: 'In depth' }),
      );
      expect(await idsIn(store, 'section/world')).toEqual(['zh']);
      expect(await idsIn(store, 'kicker/in-depth')).toEqual(['other', 'everything']);
      expect(await idsIn(store, 'tag/5g')).toEqual(['everything']);
      expect(await idsIn(store, 'reporter/lin-ye')).toEqual(['other', 'everything']);
      // Every story of the desk names its editor.
      expect(await idsIn(store, 'reporter/ann-o-hara')).toEqual(['everything']);
      expect(await idsIn(store, 'reporter/bo-wu')).toBeNull();
    });

    it('requires any value of a facet, and all facets', async () => {
      const store = await open();
      const mei = { bylines: [reporter('Mei Tan')] };
      await save(
        store,
        article('a', { ...mei, kicker: 'In Depth', tags: ['x'], section: 'world', ...at(NOW - 1 * MINUTE) }),
        article('b', { ...mei, kicker: 'Exclusive', tags: ['y'], section: 'world', ...at(NOW - 2 * MINUTE) }),
        article('c', { kicker: 'In Depth', tags: ['x', 'y'], kind: 'feature', ...at(NOW - 3 * MINUTE) }),
        article('d', { ...mei, tags: ['x'], kind: 'analysis', ...at(NOW - 4 * MINUTE) }),
      );
      expect(await idsIn(store, 'custom?tag=x&tag=y')).toEqual(['a', 'b', 'c', 'd']);
      expect(await idsIn(store, 'custom?kicker=in-depth&kicker=exclusive&section=world')).toEqual(['a', 'b']);
      expect(await idsIn(store, 'custom?reporter=mei-tan&tag=x')).toEqual(['a', 'd']);
      expect(await idsIn(store, 'custom?reporter=mei-tan&tag=x&section=business-tech')).toEqual(['d']);
      expect(await idsIn(store, 'custom?kind=feature&kind=analysis')).toEqual(['c', 'd']);
      expect(await idsIn(store, 'custom?kind=feature&section=business-tech')).toEqual(['c']);
      expect(await idsIn(store, 'custom?kind=feature&reporter=mei-tan')).toEqual([]);
      expect(await idsIn(store, 'custom?kicker=exclusive&reporter=mei-tan&tag=y&section=world&kind=brief')).toEqual([
        'b',
      ]);
    });

    it('does not exist if one of its values has never been public', async () => {
      const store = await open();
      const until = NOW + HOUR;
      await save(
        store,
        article('draft', {
          tags: ['Merger'],
          kicker: 'Leak',
          bylines: [reporter('Deep Throat')],
          status: { state: 'draft' },
        }),
        article('embargoed', { tags: ['Takeover'], ...at(until), status: { state: 'scheduled', until } }),
        article('a', { tags: ['x'] }),
      );
      for (const feed of ['tag/merger', 'kicker/leak', 'reporter/deep-throat', 'tag/takeover', 'tag/nosuch']) {
        expect([feed, await idsIn(store, feed)]).toEqual([feed, null]);
      }
      expect(await idsIn(store, 'custom?tag=x&tag=takeover')).toBeNull();
      expect(await idsIn(store, 'tag/takeover', until)).toEqual(['embargoed']);
      // What the configuration names is known from the start.
      expect(await idsIn(store, 'kicker/cover-story')).toEqual([]);
      expect(await idsIn(store, 'section/world')).toEqual([]);
    });

    it('holds all names that share its slug, and lists them in its title', async () => {
      const store = await open();
      await save(
        store,
        article('a', { tags: ['C'] }),
        article('b', { tags: ['C++', 'c'] }),
        article('c', { tags: ['C#'] }),
      );
      expect(await idsIn(store, 'tag/c')).toEqual(['c', 'b', 'a']);
      expect(JSON.parse((await bodyOf(store, 'tag/c.json')) ?? '')).toMatchObject({
        title: 'The Meridian Wire: C, C#, C++',
        description: 'Stories of The Meridian Wire tagged C, C#, C++.',
      });
    });

    it('reflects an article whose facets change, and one that is retracted', async () => {
      const store = await open();
      await save(store, article('a', { tags: ['x'], bylines: [reporter('Mei Tan')] }), RETRACTED);
      await save(store, article('a', { tags: ['y'], bylines: [reporter('Jonas Weld')] }));
      expect(await idsIn(store, 'tag/x')).toBeNull();
      expect(await idsIn(store, 'reporter/mei-tan')).toBeNull();
      expect(await idsIn(store, 'reporter/jonas-weld')).toEqual(['a']);
      const status = { state: 'retracted' as const, note: 'Wrong.', at: NOW - MINUTE };
      await save(store, article('a', { tags: ['y'], bylines: [reporter('Jonas Weld')], status }));
      expect(await bodyOf(store, 'reporter/jonas-weld.atom')).toContain('<at:deleted-entry');
      expect(await bodyOf(store, 'custom.atom?reporter=jonas-weld&tag=y')).toContain(
        'ref="tag:example.com,2026:articles/a"',
      );
      expect(await bodyOf(store, 'section/world.atom')).not.toContain('deleted-entry');
    });

    it('holds the newest 50, among the newest 2,000 of the rarest facet of a combination', async () => {
      const store = await open();
      await save(store, article('far', { tags: ['common'], kicker: 'Rare', ...at(NOW - 3_000 * MINUTE) }));
      const many = Array.from({ length: 2_100 }, (_, index) =>
        article(`n${index}`, {
          tags: ['common'],
          kicker: 'Usual',
          section: 'world',
          ...at(NOW - (index + 1) * MINUTE),
        }),
      );
      await save(store, ...many);
      expect(await idsIn(store, 'tag/common')).toHaveLength(50);
      expect(await idsIn(store, 'custom?kicker=rare&tag=common')).toEqual(['far']);
      // No rarest to begin with: it lies behind the 2,000 newest of the tag.
      expect(await idsIn(store, 'custom?section=business-tech&tag=common')).toEqual([]);
    });

    it('has the same bytes for the same store, configuration and instant', async () => {
      const store = await open();
      await save(store, ...STORIES, RETRACTED);
      const path = 'custom.atom?tag=phones&tag=5g&kicker=in-depth';
      expect(await bodyOf(store, path)).toBe(await bodyOf(store, 'custom.atom?kicker=In%20Depth&tag=5G&tag=phones'));
    });
  });
});

describe('a derived feed as a document', () => {
  it('has its canonical URL, and its own id and title', async () => {
    const store = await openMigrated();
    await save(store, ...STORIES, article('zh-by', { bylines: [reporter('陈思')] }));
    const atom = (await bodyOf(store, 'custom.atom?tag=phones&kicker=In+Depth')) ?? '';
    expect(atom).toContain('<title>The Meridian Wire: In Depth, phones</title>');
    expect(atom).toContain('<id>tag:example.com,2026:feeds/custom?kicker=in-depth&#x26;tag=phones</id>');
    expect(atom).toContain(
      'rel="self" href="https://wire.example.com/feeds/custom.atom?kicker=in-depth&#x26;tag=phones"',
    );
    expect(atom).toContain('<?xml-stylesheet href="feed.css" type="text/css"?>');
    const rss = (await bodyOf(store, 'reporter/陈思.rss')) ?? '';
    expect(rss).toContain('href="https://wire.example.com/feeds/reporter/%E9%99%88%E6%80%9D.rss" rel="self"');
    expect(rss).toContain('<?xml-stylesheet href="../feed.css" type="text/css"?>');
  });

  it('is valid for any names', async () => {
    const store = await openMigrated();
    const hostile = [
      '<script>alert(1)</script>',
      `"quoted" & 'so'`,
      '🚀 Rockets',
      '陈思',
      ']]>]]&gt; <![CDATA[',
      'slot:0: {{ x }} %% \u2028 é',
      'A &amp; B &#0;',
      'x'.repeat(5_000),
      '!?🚀',
    ];
    await save(
      store,
      ...hostile.map((name, index) =>
        article(`h${index}`, {
          tags: [name],
          kicker: name,
          bylines: [reporter(name)],
          ...at(NOW - (index + 1) * MINUTE),
        }),
      ),
    );
    const slugs = (await store.db.selectFrom('facet_names').select(['facet', 'slug']).distinct().execute()).map(
      ({ facet, slug }) => `${facet}/${slug}`,
    );
    // Neither of the last two has a slug, in any facet.
    expect(slugs).toHaveLength(3 * (hostile.length - 2));
    const feeds = [
      ...slugs.map((slug) => [slug, ''] as const),
      [
        'custom',
        `?${slugs
          .slice(0, 8)
          .map((slug) => slug.replace('/', '='))
          .join('&')}`,
      ] as const,
    ];
    const documents = await Promise.all(
      feeds.flatMap(([id, query]) =>
        ['rss', 'atom'].map(async (format) => {
          const address = addressOf(`${id}.${format}${query}`);
          return {
            url: `https://wire.example.com/feeds/${address.path}`,
            body: (await bodyOf(store, address.path)) ?? '',
          };
        }),
      ),
    );
    for (const [id, query] of feeds) jsonFeed.parse(JSON.parse((await bodyOf(store, `${id}.json${query}`)) ?? ''));
    const found = documents.flatMap(({ url, body }) => validateFeed(body, url, NOW));
    expect(found.filter((line) => !/ Contains(Undeclared)?HTML/.test(line))).toEqual([]);
    if (HAS_XMLLINT) expect(xmllint(documents.map(({ body }) => body))).toBe('');
  });
});

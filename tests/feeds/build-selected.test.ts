import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import { encodeDocument } from '../../src/articles/stored-document.ts';
import type { Config, FeedConfig } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { buildSelectedFeed, type SelectedFeed } from '../../src/feeds/build-selected.ts';
import { findTouchedFeeds, saveFeedBuild } from '../../src/feeds/feed-builds.ts';
import { TurnTimer } from '../../src/lib/concurrency/turn-timer.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { article, picture, saveAll, UNREADABLE } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { feedsConfig } from './feeds-fixture.ts';

const config = feedsConfig();

function build(store: Store, by: Config = config, timer = new TurnTimer()): Promise<SelectedFeed> {
  return buildSelectedFeed({ store, config: by, now: NOW, timer }, by.feeds[0] as FeedConfig);
}

/** Builds a feed of which nothing has been rendered before. */
const buildAfresh = (store: Store): Promise<SelectedFeed> => build(store, { ...config });

const LETTERS = 'abcdef';

/** @param size of the body, in bytes */
function story(index: number, size = 100, change: Partial<Article> = {}): Article {
  const publishedAt = NOW - (index + 1) * MINUTE;
  const bodyHtml = `<p>${'三'.repeat(size / 3)}</p>`;
  return article(LETTERS[index] as string, { publishedAt, updatedAt: publishedAt, bodyHtml, ...change });
}

afterEach(() => vi.restoreAllMocks());

describe('buildSelectedFeed', () => {
  forEachDatabase((open) => {
    it('does not read an article again until its document has another version', async () => {
      const store = await open();
      await saveAll(store, [story(0), story(1)]);
      const before = await build(store);
      expect(before.items).toBe(2);
      await store.db.updateTable('articles').set(UNREADABLE).where('id', '=', 'a').execute();
      expect(await build(store)).toEqual(before);
      await store.db.updateTable('articles').set({ document_version: 2 }).where('id', '=', 'a').execute();
      const after = await build(store);
      expect(after.items).toBe(1);
      expect(after.failed).toEqual([
        { article: { id: 'a' }, problems: [expect.stringMatching(/^the article cannot be read as an item: /)] },
      ]);
      expect(await build(store)).toEqual(after);
    });

    it('has the items of another configuration as that one has them', async () => {
      const store = await open();
      await saveAll(store, [story(0)]);
      await build(store);
      const moved = feedsConfig((text) => text.replace('url: https://wire.example.com', 'url: https://moved.example'));
      expect((await build(store, moved)).documents[0]?.body.toString()).toContain(
        '<link>https://moved.example/articles/a</link>',
      );
    });

    it('says its own language, and that of each story in another, beside a feed of the same stories', async () => {
      const store = await open();
      await saveAll(store, [story(0), story(1, 100, { language: 'zh-Hans' })]);
      const [english] = config.feeds as [FeedConfig];
      const chinese = { ...english, id: 'zh', language: 'zh-Hans' };
      const both = { ...config, feeds: [english, chinese] };
      const bodiesOf = async (feed: FeedConfig) => {
        const built = await buildSelectedFeed({ store, config: both, now: NOW, timer: new TurnTimer() }, feed);
        return built.documents.map(({ body }) => body.toString());
      };
      const [rss = '', atom = '', json = '{}'] = await bodiesOf(chinese);
      expect(rss).toMatch(
        /<rss [^>]*xml:lang="zh-Hans">[\s\S]*<language>zh-Hans<[\s\S]*<item xml:lang="en">[\s\S]*<item>/,
      );
      expect(atom).toMatch(/<feed [^>]*xml:lang="zh-Hans">[\s\S]*<entry xml:lang="en">[\s\S]*<entry>/);
      expect(JSON.parse(json)).toMatchObject({
        language: 'zh-Hans',
        items: [{ language: 'en' }, { id: 'tag:example.com,2026:articles/b' }],
      });
      expect(JSON.parse(json).items[1]).not.toHaveProperty('language');
      const [ofEnglish = ''] = await bodiesOf(english);
      expect(ofEnglish).toMatch(/<language>en<[\s\S]*<item>[\s\S]*<item xml:lang="zh-Hans">/);
    });

    it('has pictures as enclosures, beside a podcast of the same stories, which has none', async () => {
      const store = await open();
      await saveAll(store, [story(0, 100, { image: picture('https://wire.example.com/media/a.png') })]);
      const [plain] = config.feeds as [FeedConfig];
      const podcast = { category: 'News', image: 'https://wire.example.com/cover.png', explicit: false };
      const both = { ...config, feeds: [plain, { ...plain, id: 'podcast', podcast }] };
      const rssOf = async (feed: FeedConfig | undefined): Promise<string> => {
        const context = { store, config: both, now: NOW, timer: new TurnTimer() };
        return (await buildSelectedFeed(context, feed as FeedConfig)).documents[0]?.body.toString() ?? '';
      };
      expect(await rssOf(plain)).toContain('<enclosure length="9" type="image/jpeg"');
      const ofPodcast = await rssOf(both.feeds[1]);
      expect(ofPodcast).toContain('<item>');
      expect(ofPodcast).not.toContain('<enclosure');
      expect(await rssOf(plain)).not.toContain('itunes');
    });

    it('has other words, and is built again, where the newsroom has changed its messages', async () => {
      const store = await open();
      const outlet = { name: 'Star News', url: null, publishedAt: null };
      await saveAll(store, [story(0, 100, { outlet })]);
      const before = await build(store);
      expect(before.documents[0]?.body.toString()).toContain('<p>Source: Star News</p>');
      const { feed, content } = before;
      await store.db.transaction().execute((tx) => saveFeedBuild(tx, config, feed, content));
      const own = { ...config, ownMessages: { en: { 'feed.source': 'First in {outlet}' } } };
      expect((await build(store, own)).documents[0]?.body.toString()).toContain('<p>First in Star News</p>');
      expect(await findTouchedFeeds(store.db, config, [], NOW)).not.toContain(feed.id);
      expect(await findTouchedFeeds(store.db, own, [], NOW)).toContain(feed.id);
    });

    it('is the same after any edits as one of which nothing was rendered before', async () => {
      const store = await open();
      // Together they are larger than a document may be, so each edit changes which bodies fit.
      const size = fc.constantFrom(0, 300, 150_000, 300_000, 400_000);
      const change = fc.record({
        index: fc.nat(LETTERS.length - 1),
        size,
        status: fc.constantFrom<Article['status']>(
          { state: 'published' },
          { state: 'draft' },
          { state: 'retracted', note: 'It was wrong.', at: NOW },
        ),
        tagUri: fc.constantFrom('tag:example.com,2026:articles/other', 'no URI', undefined),
      });
      await saveAll(
        store,
        [...LETTERS].map((_, index) => story(index, 300_000)),
      );
      const seen = new Set<number>();
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const last = new Map(changes.map((one) => [one.index, one]));
          await saveAll(
            store,
            [...last.values()].map(({ index, size, status, tagUri }) =>
              story(index, size, { status, ...(tagUri && { tagUri }) }),
            ),
          );
          const [built, afresh] = [await build(store), await buildAfresh(store)];
          expect(built.items).toBe(afresh.items);
          expect(built.failed).toEqual(afresh.failed);
          expect(built.documents.every(({ body }, index) => body.equals(afresh.documents[index]?.body as Buffer))).toBe(
            true,
          );
          seen.add(built.items);
        }),
        { numRuns: 8, seed: 20261128 },
      );
      expect(seen.size).toBeGreaterThan(1);
    });

    it('holds either version of an article that changes meanwhile, and never one that is retracted', async () => {
      const store = await open();
      const changes = [
        story(1, 900_000, { headline: 'Edited' }),
        story(1, 300, { status: { state: 'retracted', note: 'It was wrong.', at: NOW }, headline: 'Edited' }),
      ];
      const outcomes = new Set<string>();
      for (const changed of changes) {
        for (let turn = 0; turn < 6; turn++) {
          await saveAll(store, [story(0, 400_000), story(1, 400_000), story(2, 400_000)]);
          const timer = new TurnTimer();
          let turns = 0;
          vi.spyOn(timer, 'rest').mockImplementation(async () => {
            if (turns++ === turn) await saveAll(store, [changed]);
          });
          const { documents, items } = await build(store, { ...config }, timer);
          const feed = JSON.parse(String(documents[2]?.body)) as { items: { title: string; content_html?: string }[] };
          const titles = feed.items.map(({ title }) => title);
          const full = feed.items.map(({ content_html: html }) => html !== undefined);
          if (titles.includes('Edited')) expect(changed.status.state).toBe('published');
          for (const { body } of documents) expect(body.length).toBeLessThan(1_000_000);
          expect(titles).toHaveLength(items);
          outcomes.add(`${items} ${titles.includes('Edited')} ${full}`);
        }
      }
      expect([...outcomes].sort()).toEqual(['2 false true,true', '3 false true,true,false', '3 true true,false,true']);
    });
  });

  it('lets the rest of the process run between articles that take long', async () => {
    const store = await openMigrated();
    await saveAll(store, [story(0), story(1), story(2), story(3)]);
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 10));
    let turns = 0;
    let isBuilt = false;
    const watch = (): void => {
      turns++;
      if (!isBuilt) setImmediate(watch);
    };
    setImmediate(watch);
    await build(store);
    isBuilt = true;
    expect(turns).toBeGreaterThan(2);
  });

  it('rejects a row whose document is no article, and no other', async () => {
    const store = await openMigrated();
    await saveAll(store, [story(0), story(1)]);
    await store.db
      .updateTable('articles')
      .set(encodeDocument([] as never))
      .where('id', '=', 'a')
      .execute();
    const { items, failed } = await build(store);
    expect(items).toBe(1);
    expect(failed).toMatchObject([{ article: { id: 'a' } }]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { countRejections, listRejections } from '../../../src/articles/rejections.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { findDocument, listDocuments } from '../../../src/feeds/documents.ts';
import { readFeedVersion } from '../../../src/feeds/feed-version.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { expectGolden } from '../../support/golden.ts';
import { feedsConfig, feedsTemplates, RETRACTED, STORIES } from '../feeds-fixture.ts';

const config = feedsConfig();
const templates = feedsTemplates();

const save = (store: Store, articles: Article[]): Promise<void> => saveAll(store, articles, NOW - DAY);

async function idsIn(store: Store, feed: string): Promise<string[]> {
  const document = await findDocument(store.db, `${feed}.json`);
  const { items } = JSON.parse(String(document?.body)) as { items: { id: string }[] };
  return items.map(({ id }) => id.slice(id.indexOf('articles/') + 9));
}

const at = (publishedAt: number): Partial<Article> => ({ publishedAt, updatedAt: publishedAt });

forEachDatabase((open) => {
  describe('publishFeeds', () => {
    it('stores every document once, and again only if its bytes changed', async () => {
      const store = await open();
      await save(store, STORIES);
      const first = await publishFeeds(store, config, templates, { now: NOW });
      expect(first.documents.map(({ path }) => path).sort()).toEqual(
        [
          ...['24-hours', 'business-tech', 'in-depth', 'latest'].flatMap((id) => [
            `${id}.atom`,
            `${id}.json`,
            `${id}.rss`,
          ]),
          ...['feed.css', 'feeds.opml', 'index.html'],
        ].sort(),
      );
      expect(first.documents.every(({ changed }) => changed)).toBe(true);
      expect(first.documents.find(({ path }) => path === 'latest.rss')).toMatchObject({ items: 8 });
      const again = await publishFeeds(store, config, templates, { now: NOW + MINUTE });
      expect(again.documents).toHaveLength(15);
      expect(again.documents.filter(({ changed }) => changed)).toEqual([]);
      expect((await findDocument(store.db, 'latest.atom'))?.modifiedAt).toBe(NOW);

      await save(store, [{ ...(STORIES[0] as Article), headline: 'Edited', updatedAt: NOW }]);
      const edited = await publishFeeds(store, config, templates, { now: NOW + 2 * MINUTE });
      const changed = edited.documents.filter((document) => document.changed).map(({ path }) => path.split('.')[0]);
      expect(new Set(changed)).toEqual(new Set(['latest', '24-hours', 'business-tech', 'in-depth']));
      expect((await findDocument(store.db, 'latest.atom'))?.modifiedAt).toBe(NOW + 2 * MINUTE);
      expect((await findDocument(store.db, 'index.html'))?.modifiedAt).toBe(NOW);
    });

    it('changes documents at most once a second, and postpones earlier changes', async () => {
      const store = await open();
      const seen: [number | null, number | undefined][] = [];
      for (const offset of [0, 100, 999, SECOND]) {
        await save(store, [article('a', { headline: `Headline at ${offset}` })]);
        const { postponedUntil } = await publishFeeds(store, config, templates, { now: NOW + offset });
        seen.push([postponedUntil, (await findDocument(store.db, 'latest.rss'))?.modifiedAt]);
      }
      expect(seen).toEqual([
        [null, NOW],
        [NOW + SECOND, NOW],
        [NOW + SECOND, NOW],
        [null, NOW + SECOND],
      ]);
      expect((await findDocument(store.db, 'latest.rss'))?.body.toString()).toContain(`Headline at ${SECOND}`);
      const unchanged = await publishFeeds(store, config, templates, { now: NOW + SECOND + 1 });
      expect(unchanged.postponedUntil).toBeNull();
    });

    it('reports within its transaction which documents changed, and in which second', async () => {
      const store = await open();
      await save(store, [article('a', { section: 'world' })]);
      const notified: [string[], number][] = [];
      const onStored = async (_: unknown, paths: string[], at: number): Promise<void> => {
        notified.push([paths, at]);
      };
      await publishFeeds(store, config, templates, { now: NOW + 300, onStored });
      await publishFeeds(store, config, templates, { now: NOW + MINUTE, onStored });
      expect(notified).toHaveLength(1);
      expect(notified[0]?.[0]).toContain('latest.atom');
      expect(notified[0]?.[1]).toBe(NOW);
      await save(store, [article('b', { section: 'world' })]);
      const failing = publishFeeds(store, config, templates, {
        now: NOW + 2 * MINUTE,
        onStored: async () => {
          throw new Error('no');
        },
      });
      await expect(failing).rejects.toThrow('no');
      expect(await idsIn(store, 'latest')).toEqual(['a']);
    });

    it('advances the feed version with every change, also if only articles have changed', async () => {
      const store = await open();
      const versions: number[] = [];
      const publish = async (now: number, changed: string[] = []): Promise<void> => {
        await publishFeeds(store, config, templates, { now, hasChanges: changed.length > 0 });
        versions.push((await readFeedVersion(store.db)).version);
      };
      await publish(NOW);
      await publish(NOW + MINUTE);
      await publish(NOW + 2 * MINUTE, ['a']);
      expect(versions).toEqual([1, 1, 2]);
    });

    it('deletes the documents of a feed that is no longer configured', async () => {
      const store = await open();
      await publishFeeds(store, config, templates, { now: NOW });
      const fewer = feedsConfig((text) => text.replace(/.*id: in-depth.*\n/, ''));
      await publishFeeds(store, fewer, templates, { now: NOW + MINUTE, feeds: ['latest'] });
      const paths = (await listDocuments(store.db)).map(({ path }) => path);
      expect(paths.filter((path) => path.startsWith('in-depth'))).toEqual([]);
      expect(paths).toContain('business-tech.rss');
    });

    it('is harmless when two processes do it at once', async () => {
      const store = await open();
      await save(store, STORIES);
      const reports = await Promise.all([
        publishFeeds(store, config, templates, { now: NOW }),
        publishFeeds(store, config, templates, { now: NOW }),
      ]);
      const changed = reports.flatMap(({ documents }) =>
        documents.filter((document) => document.changed).map(({ path }) => path),
      );
      expect(changed).toHaveLength(15);
      expect(new Set(changed).size).toBe(15);
    });

    it('never replaces a newer build by an older one', async () => {
      const store = await open();
      await save(store, [article('a')]);
      await publishFeeds(store, config, templates, { now: NOW });
      await save(store, [article('b', at(NOW - MINUTE))]);
      // As if it had read the store before: its clock is behind.
      const late = await publishFeeds(store, config, templates, { now: NOW - SECOND });
      expect(late.documents.filter(({ changed }) => changed)).toEqual([]);
      expect(late.superseded).toEqual(['latest', '24-hours', 'business-tech', 'in-depth']);
      await publishFeeds(store, config, templates, { now: NOW + SECOND });
      expect(await idsIn(store, 'latest')).toEqual(['b', 'a']);
    });

    it('continues after the clock has been set back', async () => {
      const store = await open();
      await save(store, [article('a')]);
      await publishFeeds(store, config, templates, { now: NOW + DAY });
      await save(store, [article('b', at(NOW - MINUTE))]);
      const before = (await findDocument(store.db, 'latest.atom'))?.modifiedAt ?? 0;
      const { superseded } = await publishFeeds(store, config, templates, { now: NOW });
      expect(superseded).toEqual([]);
      // A reader that has the one before still gets the change.
      expect((await findDocument(store.db, 'latest.atom'))?.modifiedAt).toBe(before + SECOND);
      expect(await idsIn(store, 'latest')).toEqual(['b', 'a']);
    });
  });

  describe('a feed', () => {
    it('holds the articles of its selection, newest first', async () => {
      const store = await open();
      await save(store, [...STORIES, article('item-of-others', { kind: 'roundup-item', section: 'world' })]);
      await publishFeeds(store, config, templates, { now: NOW });
      expect(await idsIn(store, 'latest')).toEqual([
        'everything',
        'zh',
        'hostile',
        'item',
        'no-dek',
        'empty',
        'roundup',
        'old',
      ]);
      expect(await idsIn(store, 'business-tech')).toEqual([
        'everything',
        'hostile',
        'item',
        'no-dek',
        'roundup',
        'old',
      ]);
      expect(await idsIn(store, 'in-depth')).toEqual(['everything', 'item']);
    });

    it('with a window holds [now - 24 h, now): an article of this instant enters with the next publish', async () => {
      const store = await open();
      const edges = { before: -DAY - 1, first: -DAY, last: -1, now: 0, embargoed: 1 };
      await save(
        store,
        Object.entries(edges).map(([id, offset]) => article(id, at(NOW + offset))),
      );
      await publishFeeds(store, config, templates, { now: NOW });
      expect(await idsIn(store, '24-hours')).toEqual(['last', 'first']);
      expect(await idsIn(store, 'latest')).toEqual(['now', 'last', 'first', 'before']);
      await publishFeeds(store, config, templates, { now: NOW + SECOND });
      expect(await idsIn(store, '24-hours')).toEqual(['embargoed', 'now', 'last']);
      expect(await idsIn(store, 'latest')).toContain('embargoed');
    });

    it('holds an embargoed article from the end of its embargo, and no draft', async () => {
      const store = await open();
      const until = NOW + HOUR;
      await save(store, [
        article('embargoed', { ...at(until), status: { state: 'scheduled', until } }),
        article('draft', { status: { state: 'draft' } }),
      ]);
      await publishFeeds(store, config, templates, { now: until - 1 });
      expect(await idsIn(store, 'latest')).toEqual([]);
      await publishFeeds(store, config, templates, { now: until });
      expect(await idsIn(store, 'latest')).toEqual(['embargoed']);
    });

    it('holds 50 items, or all of the last 48 hours if those are more', async () => {
      const store = await open();
      const every = (minutes: number) =>
        Array.from({ length: 120 }, (_, index) => article(`a${index}`, at(NOW - (index + 1) * minutes * MINUTE)));
      await save(store, every(60));
      await publishFeeds(store, config, templates, { now: NOW });
      expect(await idsIn(store, 'latest')).toHaveLength(50);
      await save(store, every(30));
      await publishFeeds(store, config, templates, { now: NOW + SECOND });
      // The 96th was published exactly 48 hours before NOW, a second too early.
      expect(await idsIn(store, 'latest')).toHaveLength(95);
    });

    it('drops a retracted article, and reports it in Atom for 30 days', async () => {
      const store = await open();
      await save(store, [...STORIES, RETRACTED]);
      const retractedAt = NOW - 20 * HOUR;
      await publishFeeds(store, config, templates, { now: retractedAt + 30 * DAY });
      const atom = async () => (await findDocument(store.db, 'latest.atom'))?.body.toString() ?? '';
      expect(await atom()).toContain('<at:deleted-entry');
      expect(await idsIn(store, 'latest')).not.toContain('gone');
      expect((await findDocument(store.db, 'in-depth.atom'))?.body.toString()).not.toContain('deleted-entry');
      await publishFeeds(store, config, templates, { now: retractedAt + 30 * DAY + SECOND });
      expect(await atom()).not.toContain('<at:deleted-entry');
    });

    it('reports all retractions of 30 days, and none of an article that has never been public', async () => {
      const store = await open();
      const retracted = Array.from({ length: 70 }, (_, index) =>
        article(`r${index}`, {
          ...at(NOW - 2 * DAY),
          status: { state: 'retracted', note: 'Wrong.', at: NOW - index * MINUTE },
        }),
      );
      const never = article('never', { ...at(NOW + DAY), status: { state: 'retracted', note: 'Wrong.', at: NOW } });
      await save(store, [...retracted, never]);
      await publishFeeds(store, config, templates, { now: NOW });
      const refs = [
        ...((await findDocument(store.db, 'latest.atom'))?.body.toString() ?? '').matchAll(
          /ref="[^"]*articles\/(\w+)"/g,
        ),
      ];
      expect(refs.map(([, id]) => id)).toEqual(retracted.map(({ id }) => id));
    });
  });

  describe('an invalid article', () => {
    it('is rejected for each feed, until it is valid again', async () => {
      const store = await open();
      const bad = article('bad', { headline: ' ' });
      await save(store, [bad, article('good')]);
      const report = await publishFeeds(store, config, templates, { now: NOW });
      expect(report.rejected.map(({ feed, articleId }) => [feed, articleId])).toEqual([
        ['latest', 'bad'],
        ['24-hours', 'bad'],
        ['business-tech', 'bad'],
      ]);
      expect(await idsIn(store, 'latest')).toEqual(['good']);
      const kept = await listRejections(store.db, { limit: 10 });
      expect(kept.map(({ stage, source, articleId }) => [stage, source, articleId])).toEqual([
        ['feed', 'feeds/24-hours', 'bad'],
        ['feed', 'feeds/business-tech', 'bad'],
        ['feed', 'feeds/latest', 'bad'],
      ]);
      expect(kept[0]).toMatchObject({
        problems: ['the headline is empty'],
        raw: JSON.stringify(bad),
        rejectedAt: NOW,
      });
      // Nothing new to say: the record stays as it is.
      await publishFeeds(store, config, templates, { now: NOW + MINUTE });
      expect((await listRejections(store.db, { limit: 1 }))[0]?.rejectedAt).toBe(NOW);

      await save(store, [article('bad')]);
      await publishFeeds(store, config, templates, { now: NOW + 2 * MINUTE, feeds: ['latest'] });
      expect(await countRejections(store.db)).toBe(2);
      const withoutSection = feedsConfig((text) =>
        text.replace(/.*id: business-tech, title: Business & Tech, select.*\n/, ''),
      );
      await publishFeeds(store, withoutSection, templates, { now: NOW + 3 * MINUTE, feeds: ['24-hours'] });
      expect(await countRejections(store.db)).toBe(0);
      expect(await idsIn(store, 'latest')).toEqual(['good', 'bad']);
    });
  });
});

describe('the page of feeds and the stylesheet', () => {
  async function published(path: string, from = config): Promise<string> {
    const store = await openMigrated();
    await publishFeeds(store, from, templates, { now: NOW });
    return (await findDocument(store.db, path))?.body.toString() ?? '';
  }

  it('equal their golden files', async () => {
    expectGolden('feeds/index.html', await published('index.html'));
    expectGolden('feeds/feed.css', await published('feed.css'));
  });

  it('escape the configuration', async () => {
    const hostile = feedsConfig((text) => text.replace('name: The Meridian Wire', `name: '<script>"&'`));
    const html = await published('index.html', hostile);
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;&#34;&amp;');
  });
});

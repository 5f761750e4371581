import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { findArchivePage } from '../../../src/feeds/archive/archive-page.ts';
import { closeDuePages } from '../../../src/feeds/archive/close-due-pages.ts';
import { findDocument } from '../../../src/feeds/documents.ts';
import { readFeedVersion } from '../../../src/feeds/feed-version.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { feedsConfig, feedsTemplates } from '../feeds-fixture.ts';
import { archivesIn, bodyAt, differing, LATEST_ALONE, publishAt, walk } from './publish-at.ts';

const config = feedsConfig();
const templates = feedsTemplates();
const FORMATS = ['atom', 'rss', 'json'];
/** December 10, 2026: November is over in Shanghai. */
const DECEMBER = NOW + 16 * DAY;

const at = (publishedAt: number): Partial<Article> => ({ publishedAt, updatedAt: publishedAt });
const many = (count: number, prefix: string, change: (index: number) => Partial<Article>): Article[] =>
  Array.from({ length: count }, (_, index) => article(`${prefix}${String(index).padStart(4, '0')}`, change(index)));
const idsOf = (articles: Article[]): string[] => articles.map(({ id }) => id).sort();
const corrected = (one: Article, when: number): Article => ({
  ...one,
  headline: `Corrected ${one.id}`,
  updatedAt: when,
  status: { state: 'corrected', note: 'It was wrong.', at: when },
});
const retracted = (one: Article, when: number): Article => ({
  ...one,
  status: { state: 'retracted', note: 'It was all wrong.', at: when },
});

async function expectComplete(store: Store, feed: string, ids: string[]): Promise<string[]> {
  let paths: string[] = [];
  for (const format of FORMATS) {
    const walked = await walk(store, `${feed}.${format}`);
    expect(walked.ids).toEqual(ids);
    paths = walked.paths;
  }
  return paths.map((path) => path.replace(/\.\w+$/, ''));
}

forEachDatabase((open) => {
  describe('a walk from a feed through its archive', () => {
    it('finds every public article of all months, also back-dated and formerly embargoed ones', async () => {
      const store = await open();
      const all: Article[] = [];
      await publishAt(store, config, NOW - DAY);
      for (let month = 0; month < 5; month++) {
        const now = NOW + month * 31 * DAY;
        const embargo = now + 35 * DAY;
        const batch = [
          ...many(7, `m${month}-`, () => at(now - HOUR)),
          article(`back${month}`, { ...at(now - 400 * DAY), section: 'world', kicker: 'In Depth' }),
          article(`later${month}`, { ...at(embargo), status: { state: 'scheduled', until: embargo } }),
          article(`item${month}`, { ...at(now - HOUR), kind: 'roundup-item' }),
        ];
        all.push(...batch);
        await saveAll(store, batch, now);
        await publishAt(store, config, now + MINUTE);
      }
      const now = NOW + 4 * 31 * DAY + MINUTE;
      const out = all.filter(({ publishedAt }) => publishedAt <= now);
      expect(out.length).toBeLessThan(all.length);
      expect(await expectComplete(store, 'latest', idsOf(out.filter(({ kind }) => kind !== 'roundup-item')))).toEqual([
        'latest',
        ...['2027-02', '2027-01', '2026-12', '2026-11'].map((month) => `archive/latest/${month}`),
      ]);
      await expectComplete(store, 'business-tech', idsOf(out.filter(({ section }) => section === 'business-tech')));
      await expectComplete(store, 'in-depth', idsOf(out.filter(({ kicker }) => kicker === 'In Depth')));
      expect((await walk(store, '24-hours.atom')).paths).toEqual(['24-hours.atom']);
    });

    it('loses nothing if daywire dies between closing a page and publishing the feed that links to it', async () => {
      const store = await open();
      const all = many(40, 'a', (index) => at(NOW - 3 * DAY - index * MINUTE));
      await saveAll(store, all, NOW);
      await publishAt(store, LATEST_ALONE, NOW + SECOND);
      await closeDuePages(store, LATEST_ALONE, { now: DECEMBER });
      expect((await archivesIn(store)).size).toBe(3);
      await expectComplete(store, 'latest', idsOf(all));
      await publishAt(store, LATEST_ALONE, DECEMBER + SECOND);
      await expectComplete(store, 'latest', idsOf(all));
    });

    it('is the same if two processes publish at once', async () => {
      const store = await open();
      const all = many(130, 'a', (index) => at(NOW - DAY + index * MINUTE));
      await saveAll(store, all, NOW);
      await Promise.all([publishAt(store, LATEST_ALONE, NOW + SECOND), publishAt(store, LATEST_ALONE, NOW + SECOND)]);
      const paths = await expectComplete(store, 'latest', idsOf(all));
      expect(paths).toEqual(['latest', 'archive/latest/2026-11-2', 'archive/latest/2026-11']);
      await Promise.all([publishAt(store, LATEST_ALONE, DECEMBER), publishAt(store, LATEST_ALONE, DECEMBER)]);
      expect(await expectComplete(store, 'latest', idsOf(all))).toContain('archive/latest/2026-11-3');
      const pages = await store.db.selectFrom('archive_pages').select('members').execute();
      expect(pages.flatMap(({ members }) => JSON.parse(members) as string[]).sort()).toEqual(idsOf(all));
    });

    it('reaches the months before the archive began, and articles that a changed selection adds', async () => {
      const store = await open();
      for (const month of [0, 1, 2]) {
        await saveAll(
          store,
          [article(`old${month}`, at(NOW - (90 - 30 * month) * DAY))],
          NOW - (90 - 30 * month) * DAY,
        );
      }
      const item = article('item', { ...at(NOW - 60 * DAY), kind: 'roundup-item' });
      await saveAll(store, [item], NOW - 60 * DAY);
      await store.db.deleteFrom('pending_changes').execute();
      await publishAt(store, config, NOW);
      expect(await expectComplete(store, 'latest', ['old0', 'old1', 'old2'])).toEqual([
        'latest',
        ...['2026-10', '2026-09', '2026-08'].map((month) => `archive/latest/${month}`),
      ]);
      const before = await archivesIn(store);
      const wider = feedsConfig((text) =>
        text.replace('[brief, analysis, feature, roundup] }', '[brief, roundup-item] }'),
      );
      await publishAt(store, wider, NOW + MINUTE);
      expect(await expectComplete(store, 'latest', ['item', 'old0', 'old1', 'old2'])).toContain(
        'archive/latest/2026-09-2',
      );
      const added = differing(before, await archivesIn(store));
      expect(added).toEqual(['atom', 'json', 'rss'].map((format) => `archive/latest/2026-09-2.${format}`));
    });

    it('omits an article that cannot be an item, and shows it on its page as soon as it is valid', async () => {
      const store = await open();
      const bad = article('bad', { ...at(NOW - 3 * DAY), headline: ' ' });
      await saveAll(store, [bad, article('good', at(NOW - 3 * DAY))], NOW);
      await publishAt(store, config, NOW + SECOND);
      await publishAt(store, config, DECEMBER);
      await expectComplete(store, 'latest', ['good']);
      await saveAll(store, [article('bad', at(NOW - 3 * DAY))], DECEMBER + MINUTE);
      await publishAt(store, config, DECEMBER + 2 * MINUTE);
      expect(await bodyAt(store, 'archive/latest/2026-11.atom')).toContain('articles/bad');
      await expectComplete(store, 'latest', ['bad', 'good']);
    });
  });

  describe('a closed page', () => {
    async function closed(): Promise<{ store: Store; articles: Article[]; before: Map<string, string> }> {
      const store = await open();
      const articles: Article[] = [];
      await publishAt(store, config, NOW - DAY);
      for (const [index, month] of ['oct', 'nov'].entries()) {
        const now = NOW - 31 * DAY + index * 31 * DAY;
        const batch = many(3, month, () => ({ ...at(now - HOUR), section: 'world' }));
        articles.push(...batch);
        await saveAll(store, batch, now);
        await publishAt(store, config, now + SECOND);
      }
      await publishAt(store, config, DECEMBER);
      const before = await archivesIn(store);
      expect([...before.keys()]).toEqual(
        ['2026-10', '2026-11'].flatMap((month) =>
          ['atom', 'json', 'rss'].map((end) => `archive/latest/${month}.${end}`),
        ),
      );
      return { store, articles, before };
    }

    it('keeps its articles through edits, new and back-dated articles, and changes with an edit of one', async () => {
      const { store, articles, before } = await closed();
      const [one] = articles as [Article];
      const now = DECEMBER + HOUR;
      await saveAll(store, [{ ...one, headline: 'Edited', updatedAt: now }], now);
      await publishAt(store, config, now + SECOND);
      await saveAll(
        store,
        [
          article('new', { ...at(now), section: 'world' }),
          article('back', { ...at(NOW - 31 * DAY), section: 'world' }),
        ],
        now + MINUTE,
      );
      await publishAt(store, config, now + 2 * MINUTE);
      const renamed = feedsConfig((text) =>
        text.replace('title: Latest', 'title: Newest').replace('name: The Meridian Wire', 'name: The Other Wire'),
      );
      await publishAt(store, renamed, now + HOUR);
      const october = ['atom', 'json', 'rss'].map((format) => `archive/latest/2026-10.${format}`);
      expect(differing(before, await archivesIn(store))).toEqual(october);
      expect(await bodyAt(store, 'archive/latest/2026-10.atom')).toContain('Edited');
      expect((await walk(store, 'archive/latest/2026-10.json')).ids).toEqual(['oct0000', 'oct0001', 'oct0002']);
      await publishAt(store, renamed, now + 31 * DAY);
      expect(differing(before, await archivesIn(store))).toEqual([
        ...october,
        ...['atom', 'json', 'rss'].map((format) => `archive/latest/2026-12.${format}`),
      ]);
    });

    it('drops a retracted article, reports it in Atom, and still links to earlier pages', async () => {
      const { store, articles, before } = await closed();
      const one = articles[4] as Article;
      const now = DECEMBER + 100 * DAY;
      await saveAll(store, [retracted(one, now)], now);
      await publishAt(store, config, now + SECOND);
      expect(differing(before, await archivesIn(store))).toEqual(
        ['atom', 'json', 'rss'].map((format) => `archive/latest/2026-11.${format}`),
      );
      await publishAt(store, config, now + 90 * DAY);
      expect(await bodyAt(store, 'archive/latest/2026-11.atom')).toContain(
        `<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="${one.tagUri}"`,
      );
      await expectComplete(store, 'latest', idsOf(articles.filter((other) => other !== one)));
      await saveAll(store, [one], now + 91 * DAY);
      await publishAt(store, config, now + 92 * DAY);
      await expectComplete(store, 'latest', idsOf(articles));
    });

    it('gets a later time with each change, also if the clock has been set back', async () => {
      const { store, articles } = await closed();
      const times: number[] = [];
      for (const now of [DECEMBER + HOUR, DECEMBER + HOUR + SECOND, DECEMBER - HOUR]) {
        await saveAll(store, [corrected(articles[0] as Article, now)], now);
        await publishAt(store, config, now + SECOND);
        times.push((await findArchivePage(store.db, 'archive/latest/2026-10'))?.changedAt ?? 0);
      }
      const first = DECEMBER + HOUR + SECOND;
      expect(times).toEqual([first, first + SECOND, first + 2 * SECOND]);
    });

    it('is deleted if its feed is given a window', async () => {
      const { store } = await closed();
      const fewer = feedsConfig((text) =>
        text.replace('[brief, analysis, feature, roundup] } }', '[brief] }, windowHours: 24 }'),
      );
      const { version } = await readFeedVersion(store.db);
      await publishFeeds(store, fewer, templates, { now: DECEMBER + MINUTE });
      expect((await archivesIn(store)).size).toBe(0);
      expect((await readFeedVersion(store.db)).version).toBe(version + 1);
      expect((await findDocument(store.db, 'latest.atom'))?.body.toString()).not.toContain('prev-archive');
      for (const table of ['archive_pages', 'archive_waiting', 'archive_feeds'] as const) {
        expect(await store.db.selectFrom(table).selectAll().where('feed', '=', 'latest').execute()).toEqual([]);
      }
    });

    it('advances the feed version only with the feed that links to it', async () => {
      const store = await open();
      await saveAll(store, [article('a')], NOW);
      await publishAt(store, LATEST_ALONE, NOW + SECOND);
      const before = await readFeedVersion(store.db);
      expect((await closeDuePages(store, LATEST_ALONE, { now: DECEMBER })).closed).toBe(1);
      expect(await readFeedVersion(store.db)).toEqual(before);
      await publishAt(store, LATEST_ALONE, DECEMBER);
      expect(await readFeedVersion(store.db)).toEqual({ version: before.version + 1, modifiedAt: DECEMBER });
    });
  });

  it('closeDuePages ends with a signal, and is continued', async () => {
    const store = await open();
    const old = many(5, 'a', (index) => at(NOW - (index + 1) * 31 * DAY));
    for (const one of old) await saveAll(store, [one], one.publishedAt);
    const now = NOW + SECOND;
    await store.db.deleteFrom('pending_changes').execute();
    expect(await closeDuePages(store, config, { now, signal: AbortSignal.abort() })).toEqual({ closed: 0, more: true });
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const started = await closeDuePages(store, config, { now, signal: controller.signal, onProgress });
    expect(started).toEqual({ closed: expect.any(Number), more: true });
    const { closed, more } = await closeDuePages(store, config, { now });
    expect(more).toBe(false);
    const pages = await store.db.selectFrom('archive_pages').select('path').execute();
    expect(started.closed + closed).toBe(pages.length);
    expect(closed).toBeGreaterThan(0);
    expect(await closeDuePages(store, config, { now })).toEqual({ closed: 0, more: false });
  });
});

import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { findDocument, listDocuments } from '../../../src/feeds/documents.ts';
import { publish, publishChanges } from '../../../src/feeds/publish/publish.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

const FEEDS = ['latest', '24-hours', 'analysis', 'world'];

function changedOf({ documents }: { documents: { path: string; changed: boolean }[] }): string[] {
  return documents.flatMap(({ path, changed }) => (changed ? path : [])).sort();
}

const formatsOf = (...feeds: string[]): string[] =>
  feeds.flatMap((feed) => ['atom', 'json', 'rss'].map((format) => `${feed}.${format}`)).sort();

async function hashes(store: Store): Promise<Map<string, string>> {
  return new Map((await listDocuments(store.db)).map(({ path, hash }) => [path, hash]));
}

async function pending({ store }: TestApp): Promise<string[]> {
  const rows = await store.db.selectFrom('pending_changes').select('article_id').orderBy('article_id').execute();
  return rows.map((row) => row.article_id);
}

type Step =
  | { kind: 'import'; count: number; age: number; change: Partial<Article> }
  | { kind: 'edit'; which: number; change: Partial<Article> }
  | { kind: 'wait'; hours: number };

const change: fc.Arbitrary<Partial<Article>> = fc.record(
  {
    kind: fc.constantFrom('brief' as const, 'analysis' as const, 'roundup-item' as const),
    section: fc.constantFrom('world', 'business-tech'),
    headline: fc.constantFrom('One', 'Two', 'Three'),
    language: fc.constantFrom('en', 'zh-Hans'),
    status: fc.constantFrom<Article['status']>(
      { state: 'published' },
      { state: 'draft' },
      { state: 'corrected', note: 'It was wrong.', at: NOW },
      { state: 'retracted', note: 'It was all wrong.', at: NOW },
    ),
  },
  { requiredKeys: [] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('import' as const),
      count: fc.constantFrom(1, 1, 30, 120),
      age: fc.constantFrom(HOUR, 3 * HOUR, 30 * HOUR, 60 * DAY),
      change,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('edit' as const), which: fc.nat(), change }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.constantFrom(1, 30, 40 * 24) }) },
);

describe('publishing changes', () => {
  forEachDatabase((open, dialect) => {
    it('leaves nothing that a publish of all feeds would still change, after any steps', async () => {
      const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const app = openTestApp(await open(), {
          feeds: FEEDS,
          edit: (yaml) =>
            yaml.replace('select: { sections: [world] }', 'language: zh-Hans\n    select: { languages: [zh] }'),
        });
        const articles: Article[] = [];
        await publish(app);
        for (const one of steps) {
          app.now += MINUTE;
          if (one.kind === 'wait') {
            // Time alone moves windows, and ends reports of retractions.
            app.now += one.hours * HOUR;
            await publish(app);
          }
          await apply(app, one, articles);
          app.now += 2 * SECOND;
          await publishChanges(app);
          expect(await pending(app)).toEqual([]);
          const before = await hashes(app.store);
          app.now += 2 * SECOND;
          const changed = changedOf(await publish(app));
          expect([one, changed]).toEqual([one, []]);
          expect(await hashes(app.store)).toEqual(before);
        }
      });
      await fc.assert(property, { numRuns: runs(dialect === 'sqlite' ? 10 : 3), endOnFailure: true });
    });

    it('builds the feeds that an article enters or leaves, and no others', async () => {
      const app = openTestApp(await open(), { feeds: FEEDS });
      const stored = article('a', { kind: 'analysis', section: 'world' });
      await saveAll(app.store, [stored], app.now);
      app.now += 2 * SECOND;
      await publish(app);
      const save = async (changes: Partial<Article>): Promise<string[]> => {
        app.now += MINUTE;
        await saveAll(app.store, [{ ...stored, ...changes }], app.now);
        app.now += SECOND;
        const result = await publishChanges(app);
        expect(result.changes).toBe(1);
        expect(changedOf(result).filter((path) => path !== 'index.html')).toEqual(
          result.documents.flatMap(({ path }) => (/\.(?:atom|json|rss)$/.test(path) ? path : [])).sort(),
        );
        return changedOf(result).filter((path) => path !== 'index.html');
      };
      expect(await save({ headline: 'Other' })).toEqual(formatsOf('latest', '24-hours', 'analysis', 'world'));
      expect(await save({ headline: 'Other', section: 'business-tech' })).toEqual(
        formatsOf('latest', '24-hours', 'analysis', 'world'),
      );
      expect(await save({ headline: 'Third', section: 'business-tech' })).toEqual(
        formatsOf('latest', '24-hours', 'analysis'),
      );
      expect(await save({ headline: 'Third', section: 'business-tech', kind: 'roundup-item' })).toEqual(
        formatsOf('latest', '24-hours', 'analysis'),
      );
      app.now += MINUTE;
      await saveAll(app.store, [{ ...stored, headline: 'Fourth', kind: 'roundup-item', section: 'trending' }], app.now);
      app.now += SECOND;
      expect(await publishChanges(app)).toMatchObject({ changes: 1, documents: [] });
      expect(await pending(app)).toEqual([]);
    });

    it('lets a new change overtake a backlog', async () => {
      const app = openTestApp(await open(), { feeds: FEEDS });
      await addBacklog(app);
      const stopping = new AbortController();
      const stopped = { ...app, beforePublish: async () => stopping.abort() };
      const first = await publishChanges(stopped, { signal: stopping.signal });
      expect(first.changes).toBe(2_000);
      expect(changedOf(first)).toEqual(formatsOf('latest', '24-hours'));
      expect((await findDocument(app.store.db, 'latest.json'))?.body.toString()).toContain('Hot');
      expect(await pending(app)).toHaveLength(2_501);
      app.now += SECOND;
      const rest = await publishChanges(app);
      expect(rest.changes).toBe(2_501);
      expect(await pending(app)).toEqual([]);
      expect(await bytesOfIndexes(app.store)).toBeLessThanOrEqual(2 * 16_384);
      expect(changedOf(rest)).toEqual([]);
    });

    it('leaves the changes of others to them', async () => {
      const app = openTestApp(await open(), { feeds: FEEDS });
      await addBacklog(app);
      const own = await publishChanges(app, { since: app.now - SECOND });
      expect(own.changes).toBe(1);
      expect(await pending(app)).toHaveLength(4_500);
    });

    it('shows the newest 50 and all of 48 hours by dateline, whatever archives are imported', async () => {
      const app = openTestApp(await open(), { feeds: FEEDS });
      const items = async (): Promise<string[]> => {
        const body = (await findDocument(app.store.db, 'latest.json'))?.body.toString() ?? '';
        return (JSON.parse(body) as { items: { id: string }[] }).items.map(({ id }) =>
          id.replace(/.*\/(\w+)-.*/, '$1'),
        );
      };
      const add = async (prefix: string, count: number, newest: number): Promise<Record<string, number>> => {
        app.now += MINUTE;
        const added = Array.from({ length: count }, (_, n) =>
          article(`${prefix}-${n}`, { publishedAt: newest - n * HOUR }),
        );
        await saveAll(app.store, added, app.now);
        app.now += SECOND;
        await publishChanges(app);
        return Object.fromEntries([...Map.groupBy(await items(), String)].map(([id, { length }]) => [id, length]));
      };
      // An import into an empty store fills the feed.
      expect(await add('archive', 230, NOW - 365 * DAY)).toEqual({ archive: 50 });
      expect(await add('fresh', 20, NOW)).toEqual({ fresh: 20, archive: 30 });
      expect(await add('week', 30, NOW - 2 * DAY)).toEqual({ fresh: 20, week: 30 });
      expect(await add('other', 203, NOW - 365 * DAY)).toEqual({ fresh: 20, week: 30 });
    });

    it('shows what a wider selection adds, and drops what a narrower one no longer has', async () => {
      const wide = openTestApp(await open(), { feeds: FEEDS });
      const narrow = openTestApp(wide.store, {
        feeds: FEEDS,
        edit: (yaml) =>
          yaml.replace('select: { kinds: [analysis] }', 'select: { kinds: [analysis], sections: [world] }'),
      });
      const stories = ['a', 'b'].map((id) => article(id, { kind: 'analysis', publishedAt: NOW - 90 * DAY }));
      const [inWorld] = [article('w', { kind: 'analysis', section: 'world', publishedAt: NOW - 90 * DAY })];
      await saveAll(wide.store, [...stories, inWorld as Article], NOW);
      const shown = async (): Promise<string[]> => {
        const document = await findDocument(wide.store.db, 'analysis.json');
        const { items } = JSON.parse(document?.body.toString() ?? '') as { items: { id: string }[] };
        return items.map(({ id }) => id.slice(id.lastIndexOf('/') + 1)).sort();
      };
      let { now } = wide;
      for (const [app, expected] of [
        [narrow, ['w']],
        [wide, ['a', 'b', 'w']],
        [narrow, ['w']],
      ] as const) {
        now += MINUTE;
        app.now = now;
        await publish(app);
        expect(await shown()).toEqual(expected);
      }
    });

    it('reports the rejections of every feed, whichever was built last', async () => {
      const app = openTestApp(await open(), { feeds: FEEDS });
      await saveAll(app.store, [article('bad', { headline: ' ' })], app.now);
      await saveAll(app.store, backlog(150, app.now), app.now);
      app.now += SECOND;
      const { rejected } = await publish(app, new AbortController().signal);
      expect(rejected.map(({ feed }) => feed).sort()).toEqual(['24-hours', 'latest']);
    });
  });
});

/** Of pending changes; on SQLite, which keeps free pages for what comes next, 0. */
async function bytesOfIndexes({ db, dialect }: Store): Promise<number> {
  if (dialect === 'sqlite') return 0;
  const { rows } = await sql<{ bytes: number }>`select pg_indexes_size('pending_changes') as bytes`.execute(db);
  return Number(rows[0]?.bytes);
}

function backlog(count: number, now: number): Article[] {
  return Array.from({ length: count }, (_, n) => {
    return article(`old${n}`, { kind: 'feature', publishedAt: now - 90 * DAY - n * MINUTE });
  });
}

/** Sixty published articles, 4,500 old ones that are not published yet, and then a change of the newest. */
async function addBacklog(app: TestApp): Promise<void> {
  const newest = Array.from({ length: 60 }, (_, n) => article(`n${n}`, { publishedAt: NOW - n * MINUTE }));
  await saveAll(app.store, newest, NOW);
  app.now += SECOND;
  await publish(app);
  app.now += MINUTE;
  await saveAll(app.store, backlog(4_500, NOW), app.now);
  app.now += MINUTE;
  await saveAll(app.store, [article('n0', { publishedAt: NOW, headline: 'Hot' })], app.now);
  app.now += SECOND;
}

async function apply(app: TestApp, one: Step, articles: Article[]): Promise<void> {
  if (one.kind === 'import') {
    const at = app.now - one.age;
    const added = Array.from({ length: one.count }, (_, n) =>
      article(`a${articles.length + n}`, { publishedAt: at - n * SECOND, updatedAt: at, ...one.change }),
    );
    articles.push(...added);
    await saveAll(app.store, added, app.now);
  }
  if (one.kind === 'edit' && articles.length > 0) {
    const index = one.which % articles.length;
    const before = articles[index] as Article;
    const after = { ...before, ...one.change, updatedAt: app.now };
    // What was public never becomes a draft again.
    if (after.status.state === 'draft') after.status = before.status;
    if (after.status.state === 'corrected' || after.status.state === 'retracted') {
      after.status = { ...after.status, at: app.now };
    }
    articles[index] = after;
    await saveAll(app.store, [after], app.now);
  }
}

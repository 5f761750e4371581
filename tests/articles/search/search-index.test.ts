import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Article, ArticleStatus } from '../../../src/articles/article.ts';
import { saveArticle } from '../../../src/articles/import/save.ts';
import { type ArticleFilter, listArticles } from '../../../src/articles/search/list-articles.ts';
import { indexSome, searchedText, unindexedBefore } from '../../../src/articles/search/search-index.ts';
import { parseWordQuery } from '../../../src/articles/search/search-terms.ts';
import { INDEXED_NOTHING, INDEXED_TO, writeMeta } from '../../../src/core/store/meta.ts';
import { inTransaction, type Store } from '../../../src/core/store/store.ts';
import { DAY } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';

const ALL = { from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER };
const STATES: ArticleStatus[] = [
  { state: 'published' },
  { state: 'draft' },
  { state: 'corrected', note: 'A name.', at: NOW },
  { state: 'retracted', note: 'Wrong.', at: NOW },
];

const word = fc.constantFrom(
  'ferry',
  'ferries',
  'l’Élysée',
  'O’Reilly',
  '央行下调',
  '行下',
  'Straße',
  '2026',
  'شَرِكَة',
  'x',
);
const text = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
const anyArticle = fc.record({
  headline: text,
  dek: fc.option(text),
  bodyHtml: text.map((body) => `<p>${body}</p>`),
  publishedAt: fc.integer({ min: -70, max: 3 }).map((days) => NOW + days * DAY),
  section: fc.constantFrom('world', 'business-tech'),
  kind: fc.constantFrom('brief' as const, 'analysis' as const),
  status: fc.constantFrom(...STATES),
});

const found = async (store: Store, query: string, filter: ArticleFilter = {}): Promise<string[]> => {
  const words = parseWordQuery(query) ?? undefined;
  const page = await listArticles(store.db, { ...filter, words }, { now: NOW, limit: 50, after: null });
  return page.articles.map(({ id }) => id);
};

/** Resolves when a transaction waits for another one. */
async function waitForLock({ db }: Store): Promise<void> {
  for (;;) {
    const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    if ((await waiting.execute(db)).rows.length > 0) return;
  }
}

forBothDatabases((open) => {
  describe('the index of words', () => {
    it('finds what a scan of all articles finds, whatever they are', async () => {
      const store = await open();
      const many = fc.array(anyArticle, { minLength: 10, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(many, fc.array(text, { minLength: 4, maxLength: 4 }), async (drawn, queries) => {
          const articles = drawn.map((change, n) => article(`a${n}`, change));
          await store.db.deleteFrom('article_slugs').execute();
          await store.db.deleteFrom('articles').execute();
          await saveAll(store, articles);
          const newest = articles.toSorted((a, b) => b.publishedAt - a.publishedAt || (a.id < b.id ? 1 : -1));
          const scan = (query: string, matches: (one: Article) => boolean): string[] =>
            newest.flatMap((one) => (parseWordQuery(query)?.matches(searchedText(one)) && matches(one) ? one.id : []));
          for (const query of queries) {
            expect(await found(store, query)).toEqual(scan(query, () => true));
            const filter = { section: 'world', publicIn: { from: NOW - 40 * DAY, until: NOW + DAY } };
            const isHidden = ({ status }: Article) => status.state === 'draft' || status.state === 'retracted';
            const isIn = (one: Article) =>
              one.section === 'world' && one.publishedAt >= NOW - 40 * DAY && one.publishedAt <= NOW && !isHidden(one);
            expect(await found(store, query, filter)).toEqual(scan(query, isIn));
          }
        }),
        { numRuns: 12 },
      );
    });

    it('has nothing for the public of drafts, embargoed and retracted articles, and follows each change', async () => {
      const store = await open();
      const secret = { bodyHtml: '<p>The zebra merger.</p>' };
      await saveAll(store, [
        article('draft', { ...secret, status: { state: 'draft' } }),
        article('coming', { ...secret, publishedAt: NOW + 1, status: { state: 'scheduled', until: NOW + 1 } }),
        article('wrong', { ...secret, status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
      ]);
      expect(await found(store, 'zebra')).toEqual(['coming', 'wrong', 'draft']);
      expect(await found(store, 'zebra', { publicIn: ALL })).toEqual([]);
      await saveAll(store, [article('draft', secret), article('wrong', { bodyHtml: '<p>A correction.</p>' })]);
      expect(await found(store, 'zebra', { publicIn: ALL })).toEqual(['draft']);
      await saveAll(store, [article('draft', { ...secret, status: { state: 'retracted', note: 'Wrong.', at: NOW } })]);
      expect(await found(store, 'zebra', { publicIn: ALL })).toEqual([]);
      await store.db.deleteFrom('articles').where('id', '=', 'coming').execute();
      expect(await found(store, 'zebra')).toEqual(['draft']);
    });

    it('is built step by step, newest first, while searches go on and articles change', async () => {
      const store = await open();
      const articles = Array.from({ length: 120 }, (_, n) =>
        article(`a${String(n).padStart(3, '0')}`, { headline: 'Ferry', publishedAt: NOW - n * DAY }),
      );
      await saveAll(store, articles);
      await writeMeta(store.db, INDEXED_TO, INDEXED_NOTHING);
      await store.db.deleteFrom('indexed_articles').execute();
      expect(await found(store, 'ferry')).toEqual([]);
      expect(await unindexedBefore(store.db, NOW)).toBe(NOW);
      expect(await indexSome(store.db)).toBe(true);
      expect(await found(store, 'ferry')).toEqual(articles.slice(0, 50).map(({ id }) => id));
      expect(await unindexedBefore(store.db, NOW)).toBe(NOW - 49 * DAY);
      // Moved over the mark, one in each direction, and edited beyond it.
      await saveAll(store, [
        article('a000', { headline: 'Ferry', publishedAt: NOW - 200 * DAY }),
        article('a119', { headline: 'Ferry', publishedAt: NOW }),
        article('a118', { headline: 'Boat', publishedAt: NOW - 118 * DAY }),
      ]);
      while (await indexSome(store.db)) expect(await found(store, 'ferry')).toHaveLength(50);
      expect(await unindexedBefore(store.db, NOW)).toBeNull();
      expect(await store.db.selectFrom('indexed_articles').select('article_id').execute()).toHaveLength(120);
      expect(await found(store, 'boat')).toEqual(['a118']);
      await writeMeta(store.db, INDEXED_TO, INDEXED_NOTHING);
      expect(await found(store, 'boat')).toEqual(['a118']);
    });

    it('is built from what an article is, also where it is saved in the same instant', async () => {
      const store = await open();
      await saveAll(store, [article('a', { headline: 'Ferry' }), article('b', { headline: 'Ferry' })]);
      for (const isIndexed of [true, false]) {
        const headline = isIndexed ? 'Barge' : 'Canoe';
        if (!isIndexed) await store.db.deleteFrom('indexed_articles').execute();
        await writeMeta(store.db, INDEXED_TO, INDEXED_NOTHING);
        let building: Promise<boolean> | undefined;
        await inTransaction(store.db, async (tx) => {
          await saveArticle(tx, article('a', { headline }), 'digest', NOW);
          building = indexSome(store.db);
          // PostgreSQL: until the other transaction waits for this one.
          if (store.dialect === 'postgres') await waitForLock(store);
        });
        expect(await building).toBe(false);
        expect([await found(store, headline), await found(store, 'ferry')]).toEqual([['a'], ['b']]);
      }
    });

    it('holds a text of any length, up to its end', async () => {
      const store = await open();
      const long = (words: (n: number) => string) =>
        `<p>${Array.from({ length: 70_000 }, (_, n) => words(n)).join('')}</p>`;
      await saveAll(store, [
        article('pairs', { bodyHtml: long((n) => String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000))) }),
        article('words', { bodyHtml: long((n) => `${n.toString(36)} `) }),
        article('wide', { bodyHtml: long((n) => String.fromCodePoint(0x20000 + ((n * 7919) % 40_000))) }),
      ]);
      expect(await found(store, '1a2b')).toEqual([]);
      expect(await found(store, '1a2')).toEqual(['words']);
    });
  });
});

import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { type ArticleFilter, listArticles } from '../../../src/articles/search/list-articles.ts';
import { monthOf, parseWordQuery } from '../../../src/articles/search/search-terms.ts';
import { jsonRows } from '../../../src/core/store/json-rows.ts';
import { replaceEntries } from '../../../src/core/store/search/term-index.ts';
import { inTransaction, type Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { article, saveAll, UNREADABLE } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';

const ARTICLES: Article[] = [
  article('ferry', { headline: 'Ferry Burns off Naxos', publishedAt: NOW - HOUR, section: 'world' }),
  article('rates', { headline: '央行下调利率', publishedAt: NOW - 2 * DAY, language: 'zh' }),
  article('chips', { kicker: 'Breaking', headline: 'Chip Makers Cut Prices', publishedAt: NOW - 40 * DAY }),
  article('old', { headline: 'Ferries and Chips', publishedAt: NOW - 4_000 * DAY, kind: 'analysis' }),
  article('draft', { headline: 'Ferry draft', publishedAt: NOW - DAY, status: { state: 'draft' } }),
  article('coming', {
    headline: 'Ferry embargo',
    publishedAt: NOW + DAY,
    status: { state: 'scheduled', until: NOW + DAY },
    pinned: true,
  }),
  article('wrong', {
    headline: 'Chip story',
    publishedAt: NOW - 3 * DAY,
    status: { state: 'retracted', note: 'Wrong.', at: NOW },
  }),
  article('fixed', {
    headline: 'Chip story again',
    publishedAt: NOW - 3 * DAY,
    status: { state: 'corrected', note: 'A name.', at: NOW },
  }),
];

const oldestOf = (articles: { publishedAt: number }[]): number => Math.min(...articles.map((one) => one.publishedAt));

/** Indexes articles that are stored without a document. */
async function fillIndex(store: Store, articles: { id: string; publishedAt: number; words: string }[]): Promise<void> {
  const rows = articles.map(({ id, publishedAt }) => [id, publishedAt] as const);
  await sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at, digest,
      document, json_bytes)
    select id, id, id, 'brief', 0, 'published', at, at, at, '', ${UNREADABLE.document}, 0
    from ${jsonRows(store.dialect, rows, { id: 'text', at: 'int' })} as added`.execute(store.db);
  const entries = articles.map(({ id, publishedAt, words }) => ({
    articleId: id,
    publishedAt,
    month: monthOf(publishedAt),
    isHidden: false,
    terms: words.split(' '),
  }));
  await inTransaction(store.db, (tx) => replaceEntries(tx, entries));
}

forBothDatabases((open) => {
  const list = async (store: Store, query: string | null, filter: ArticleFilter = {}): Promise<string[]> => {
    const words = query === null ? undefined : (parseWordQuery(query) ?? undefined);
    const page = await listArticles(store.db, { ...filter, words }, { now: NOW, limit: 50, after: null });
    expect(page.next).toBeNull();
    return page.articles.map(({ id }) => id);
  };

  describe('listArticles', () => {
    it('finds articles of all states by the beginnings of words, newest first', async () => {
      const store = await open();
      await saveAll(store, ARTICLES);
      expect(await list(store, null)).toEqual(
        ['coming', 'ferry', 'draft', 'rates', 'wrong', 'fixed', 'chips', 'old'].slice(0, 8),
      );
      expect(await list(store, 'ferr')).toEqual(['coming', 'ferry', 'draft', 'old']);
      expect(await list(store, 'chip ferries')).toEqual(['old']);
      expect(await list(store, 'breaking chip')).toEqual(['chips']);
      expect(await list(store, '下调')).toEqual(['rates']);
      expect(await list(store, 'nothing like it')).toEqual([]);
    });

    it('filters by state, kind and section, with words and without', async () => {
      const store = await open();
      await saveAll(store, ARTICLES);
      const states = ['draft', 'embargoed', 'published', 'corrected', 'retracted', 'pinned'] as const;
      const byState = await Promise.all(states.map((state) => list(store, null, { state })));
      expect(byState).toEqual([
        ['draft'],
        ['coming'],
        ['ferry', 'rates', 'chips', 'old'],
        ['fixed'],
        ['wrong'],
        ['coming'],
      ]);
      expect(await list(store, 'ferry', { state: 'draft' })).toEqual(['draft']);
      expect(await list(store, 'chip', { state: 'retracted' })).toEqual(['wrong']);
      expect(await list(store, 'ferr', { state: 'published', kind: 'analysis' })).toEqual(['old']);
      expect(await list(store, 'ferr', { section: 'world' })).toEqual(['ferry']);
      expect(await list(store, null, { section: 'world' })).toEqual(['ferry']);
    });

    it('follows an article to its new headline and time, and no longer finds it by the old ones', async () => {
      const store = await open();
      await saveAll(store, ARTICLES);
      await saveAll(store, [article('ferry', { headline: 'Boat Sinks off Naxos', publishedAt: NOW - 90 * DAY })]);
      expect(await list(store, 'naxos')).toEqual(['ferry']);
      expect(await list(store, 'boat')).toEqual(['ferry']);
      expect(await list(store, 'burns')).toEqual([]);
      const rows = await store.db.selectFrom('indexed_articles').select('article_id').execute();
      expect(rows.map((row) => row.article_id).sort()).toEqual(ARTICLES.map(({ id }) => id).sort());
    });

    it('pages by keyset through articles of one instant, each once', async () => {
      const store = await open();
      const many = Array.from({ length: 25 }, (_, index) =>
        article(`a${String(index).padStart(2, '0')}`, { headline: `Word ${index}`, publishedAt: NOW - (index % 3) }),
      );
      await saveAll(store, many);
      for (const words of [undefined, parseWordQuery('wor') ?? undefined]) {
        const seen: string[] = [];
        let after = null;
        for (let pages = 0; pages < 10; pages++) {
          const page = await listArticles(store.db, { words }, { now: NOW, limit: 4, after });
          seen.push(...page.articles.map(({ id }) => id));
          after = page.next;
          if (after === null) break;
        }
        expect(seen).toHaveLength(25);
        expect(new Set(seen).size).toBe(25);
      }
    });

    it('reads a bounded number of texts for a word that the index is not asked for', async () => {
      const store = await open();
      const headline = 'Eight words that every single article always shares';
      const articles = Array.from({ length: 700 }, (_, n) =>
        article(`a${n}`, { headline: n === 650 ? `A ${headline}` : headline, publishedAt: NOW - n * HOUR }),
      );
      await saveAll(store, articles);
      const words = parseWordQuery(`a ${headline}`) ?? undefined;
      expect(words?.terms).toHaveLength(8);
      const first = await listArticles(store.db, { words }, { now: NOW, limit: 50, after: null });
      expect(first).toMatchObject({ articles: [], lookedBackTo: articles[399]?.publishedAt });
      const second = await listArticles(store.db, { words }, { now: NOW, limit: 50, after: first.next });
      expect(second.articles.map(({ id }) => id)).toEqual(['a650']);
    });

    it('pauses among words that are common and never together, says how far it has looked, and goes on', async () => {
      const store = await open();
      // 14 months, 1,100 articles each, with one word of two; the oldest has both.
      const articles = Array.from({ length: 15_400 }, (_, index) => {
        const month = Date.UTC(2026, 10 - Math.floor(index / 1_100), 10);
        const word = index === 15_399 ? 'one two' : index % 2 === 0 ? 'one' : 'two';
        return { id: `m${index}`, publishedAt: month - (index % 1_100), words: `${word} three` };
      });
      await fillIndex(store, articles);
      await saveAll(store, [article('m15399', { headline: 'One two three', publishedAt: oldestOf(articles) })]);
      const words = parseWordQuery('one two three') ?? undefined;
      const first = await listArticles(store.db, { words }, { now: NOW, limit: 50, after: null });
      expect(first.articles).toEqual([]);
      expect(first.lookedBackTo).toBe(Date.UTC(2026, 1));
      // For the public, articles that are not public change nothing of it.
      const publicIn = { from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER };
      const pause = () => listArticles(store.db, { words, publicIn }, { now: NOW, limit: 50, after: null });
      const { lookedBackTo } = await pause();
      expect(lookedBackTo).toBeLessThan(NOW);
      const hidden = Array.from({ length: 60 }, (_, n) => {
        const isDraft = n % 2 === 0;
        const publishedAt = isDraft ? NOW - n * 10 * DAY : NOW + n + 1;
        const status = isDraft ? ({ state: 'draft' } as const) : ({ state: 'published' } as const);
        return article(`hidden${n}`, { headline: 'One two three', publishedAt, status });
      });
      await saveAll(store, hidden);
      expect(await pause()).toMatchObject({ lookedBackTo, articles: [] });
      await store.db.deleteFrom('articles').where('id', 'like', 'hidden%').execute();
      const second = await listArticles(store.db, { words }, { now: NOW, limit: 50, after: first.next });
      expect(second.articles.map(({ id }) => id)).toEqual(['m15399']);
      expect(second.next).toBeNull();
      const february = (2026 - 1970) * 12 + 1;
      await store.db.deleteFrom('indexed_articles').where('month', '<', february).execute();
      const all = await listArticles(store.db, { words }, { now: NOW, limit: 50, after: null });
      expect([all.next, all.lookedBackTo]).toEqual([null, null]);
    });
  });
});

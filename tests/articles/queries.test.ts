import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import {
  findArticle,
  findArticleBySlug,
  findArticles,
  findPublicArticles,
  findRetractedArticles,
  hasNoArticles,
} from '../../src/articles/queries.ts';
import { matchesSelection } from '../../src/articles/selection.ts';
import type { Selection } from '../../src/core/config/config.ts';
import { selection } from '../../src/core/config/values.ts';
import { HOUR } from '../../src/lib/time.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';

const at = (id: string, publishedAt: number): Article => article(id, { publishedAt });
const ids = (articles: Article[]): string[] => articles.map(({ id }) => id);

forEachDatabase((open) => {
  const withArticles = async (...articles: Article[]) => {
    const store = await open();
    await saveAll(store, articles);
    return store;
  };

  describe('findPublicArticles', () => {
    it('sorts articles newest first, equal instants by id, and pages through them', async () => {
      const { db } = await withArticles(at('b', NOW), at('a', NOW), at('c', NOW - HOUR));
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 9 }))).toEqual(['b', 'a', 'c']);
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 1, offset: 1 }))).toEqual(['a']);
    });

    it('omits articles that are not due, and those outside of a half-open window', async () => {
      const { db } = await withArticles(at('early', NOW - HOUR), at('on', NOW), at('later', NOW + 1));
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 9 }))).toEqual(['on', 'early']);
      const window = { from: NOW - HOUR, until: NOW };
      expect(ids(await findPublicArticles(db, { ...window, now: NOW, limit: 9 }))).toEqual(['early']);
    });

    it('omits drafts and retracted articles', async () => {
      const { db } = await withArticles(
        article('draft', { status: { state: 'draft' } }),
        article('scheduled', { status: { state: 'scheduled', until: NOW } }),
        article('corrected', { status: { state: 'corrected', note: 'N', at: NOW } }),
        article('retracted', { status: { state: 'retracted', note: 'N', at: NOW } }),
      );
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 9 })).sort()).toEqual(['corrected', 'scheduled']);
    });
  });

  it('matchesSelection selects the same articles as findPublicArticles', async () => {
    const store = await withArticles(
      article('a', { kind: 'analysis', section: 'world', kicker: 'In Depth', tags: ['chips'], language: 'zh-Hans' }),
      article('b', { bylines: [{ role: 'reporter', name: 'Mei Tan', email: null }] }),
      article('c', { tags: ['chips', 'power'], bylines: [{ role: 'reporter', name: 'Lin Ye', email: null }] }),
    );
    const selections: [Selection, string[]][] = [
      [{}, ['a', 'b', 'c']],
      [{ kinds: ['analysis'] }, ['a']],
      [{ sections: ['world'] }, ['a']],
      [{ kickers: ['In Depth'] }, ['a']],
      [{ tags: ['chips'] }, ['a', 'c']],
      [{ reporters: ['Mei Tan'] }, ['b']],
      [{ languages: ['zh'] }, ['a']],
      [{ languages: ['de', 'en'], kinds: ['brief'] }, ['b', 'c']],
      [{ languages: ['zh'], sections: ['world'] }, ['a']],
      [{ languages: ['en'], tags: ['chips'] }, ['c']],
      [{ tags: ['power'], reporters: ['Lin Ye', 'Mei Tan'] }, ['c']],
    ];
    const covered = new Set(selections.flatMap(([select]) => Object.keys(select)));
    expect(covered).toEqual(new Set(Object.keys(selection.shape)));
    for (const [select, expected] of selections) {
      const listed = await findPublicArticles(store.db, { select, now: NOW, limit: 10 });
      const matching = store.db.selectFrom('articles').select('id').where(matchesSelection(select)).orderBy('id');
      expect([select, ids(listed).sort()]).toEqual([select, expected]);
      expect([select, (await matching.execute()).map(({ id }) => id)]).toEqual([select, expected]);
    }
  });

  it('selects languages in the database as the pure rule does (RFC 4647, basic filtering)', async () => {
    const tags = ['en', 'en-GB', 'eng', 'zh', 'zh-Hans', 'zh-Hans-CN', 'zh-Hant', 'zha', 'de-CH-1996', 'x_y', 'a%'];
    const store = await withArticles(...tags.map((language, index) => article(`a${index}`, { language })));
    const range = fc.constantFrom('en', 'EN-gb', 'zh', 'zh-hans', 'zh-Hant-TW', 'z', 'de', 'de-CH', 'a', 'x-y', 'fr');
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 3 }), async (languages) => {
        const found = await findPublicArticles(store.db, { select: { languages }, now: NOW, limit: 99 });
        const isIn = (tag: string, one: string): boolean => `${tag}-`.toLowerCase().startsWith(`${one}-`.toLowerCase());
        const expected = tags.filter((tag) => languages.some((one) => isIn(tag, one)));
        expect(found.map(({ language }) => language).sort()).toEqual(expected.sort());
      }),
      { numRuns: 40 },
    );
  });

  it('findRetractedArticles lists articles that were public, newest retraction first', async () => {
    const retracted = (id: string, publishedAt: number, at: number) =>
      article(id, { publishedAt, status: { state: 'retracted', note: 'N', at } });
    const { db } = await withArticles(
      retracted('old', NOW - HOUR, NOW - HOUR),
      retracted('a', NOW - HOUR, NOW),
      retracted('b', NOW - HOUR, NOW + 1),
      retracted('never', NOW + HOUR, NOW),
    );
    expect(ids(await findRetractedArticles(db, {}, NOW, 9))).toEqual(['b', 'a']);
  });

  describe('a saved article', () => {
    it('is read as it was written, and replaces the previous one except for its tag: URI', async () => {
      const store = await open();
      expect(await hasNoArticles(store.db)).toBe(true);
      const first = article('a', { tags: ['x', 'y'], headline: '🚀 “三星”' });
      await saveAll(store, [first]);
      expect(await findArticle(store.db, 'a')).toEqual(first);
      expect(await hasNoArticles(store.db)).toBe(false);
      const second = article('a', { tags: ['y'], tagUri: 'tag:other:a' });
      await saveAll(store, [second], NOW + HOUR);
      expect(await findArticles(store.db, ['a', 'none'])).toEqual([second]);
      expect(await findArticles(store.db, [])).toEqual([]);
      const row = await store.db.selectFrom('articles').selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({ tag_uri: first.tagUri, created_at: NOW, digest: JSON.stringify(second) });
      expect(await store.db.selectFrom('article_tags').select('tag').execute()).toEqual([{ tag: 'y' }]);
    });

    it('is found by every slug that it had, and no other article can take one of them', async () => {
      const store = await withArticles(article('a', { slug: 'one' }));
      const { db } = store;
      await saveAll(store, [article('a', { slug: 'two' })]);
      for (const slug of ['one', 'two']) expect((await findArticleBySlug(db, slug))?.id).toBe('a');
      await expect(saveAll(store, [article('b', { slug: 'one' })])).rejects.toThrow(
        'article b cannot have the slug one: it belongs to article a',
      );
      expect(await findArticle(db, 'b')).toBeNull();
      await saveAll(store, [article('a', { slug: 'one' })]);
      expect((await findArticleBySlug(db, 'two'))?.slug).toBe('one');
      expect(await findArticleBySlug(db, 'three')).toBeNull();
    });
  });
});

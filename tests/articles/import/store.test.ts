import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { saveArticle, saveArticles } from '../../../src/articles/import/save.ts';
import {
  countDueChanges,
  deletePublishedChanges,
  readDueChanges,
  recordPendingChanges,
} from '../../../src/articles/pending-changes.ts';
import {
  articlesOf,
  findArticle,
  findArticleBySlug,
  findArticles,
  findPublicArticles,
  findRetractedArticles,
  hasNoArticles,
} from '../../../src/articles/queries.ts';
import {
  clearRejections,
  countRejections,
  listRejections,
  type Rejection,
  recordRejection,
} from '../../../src/articles/rejections.ts';
import { type Selection, selection } from '../../../src/config/schema.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { NOW } from '../newsroom.ts';

function article(id: string, choices: Partial<Article> = {}): Article {
  return {
    ...{ id, tagUri: `tag:example.com,2026:articles/${id}`, slug: id, kind: 'brief', kicker: null, topic: null },
    ...{
      headline: 'H',
      shortHeadline: null,
      pinned: false,
      dek: null,
      body: { format: 'markdown', source: '' },
      bodyHtml: '',
    },
    ...{
      publishedAt: NOW,
      updatedAt: NOW,
      section: null,
      tags: [],
      bylines: [],
      fullStory: null,
      related: [],
      outlet: null,
    },
    ...{ eventKey: null, image: null, enclosures: [], language: 'en', status: { state: 'published' }, page: null },
    ...choices,
  };
}

forEachDatabase((open) => {
  const withArticles = async (...articles: Article[]) => {
    const store = await open();
    await saveArticles(
      store.db,
      articles.map((one) => ({ article: one, digest: 'd' })),
      NOW,
    );
    return store;
  };
  const ids = (articles: Article[]): string[] => articles.map(({ id }) => id);

  describe('public articles', () => {
    it('come newest first, equal instants by id, and page by page', async () => {
      const { db } = await withArticles(article('b'), article('a'), article('c', { publishedAt: NOW - HOUR }));
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 9 }))).toEqual(['b', 'a', 'c']);
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 1, offset: 1 }))).toEqual(['a']);
    });

    it('are those whose time has come, within a window that is open at its end', async () => {
      const at = (id: string, publishedAt: number) => article(id, { publishedAt });
      const { db } = await withArticles(at('early', NOW - HOUR), at('on', NOW), at('later', NOW + 1));
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 9 }))).toEqual(['on', 'early']);
      expect(ids(await findPublicArticles(db, { from: NOW - HOUR, until: NOW, now: NOW, limit: 9 }))).toEqual([
        'early',
      ]);
    });

    it('are no drafts and no retracted ones', async () => {
      const { db } = await withArticles(
        article('draft', { status: { state: 'draft' } }),
        article('scheduled', { status: { state: 'scheduled', until: NOW } }),
        article('corrected', { status: { state: 'corrected', note: 'N', at: NOW } }),
        article('retracted', { status: { state: 'retracted', note: 'N', at: NOW } }),
      );
      expect(ids(await findPublicArticles(db, { now: NOW, limit: 9 })).sort()).toEqual(['corrected', 'scheduled']);
    });

    it('match all that a selection names', async () => {
      const { db } = await withArticles(
        article('a', { kind: 'analysis', section: 'world', kicker: 'Exclusive', tags: ['5G', 'AI'] }),
        article('b', { kind: 'analysis', section: 'world', tags: ['AI'] }),
        article('c', { kind: 'brief', section: 'tech', tags: ['5G'] }),
      );
      const select = async (selection: object) =>
        ids(await findPublicArticles(db, { select: selection, now: NOW, limit: 9 })).sort();
      expect(await select({})).toEqual(['a', 'b', 'c']);
      expect(await select({ kinds: ['analysis'] })).toEqual(['a', 'b']);
      expect(await select({ tags: ['5G'] })).toEqual(['a', 'c']);
      expect(await select({ tags: ['5G', 'AI'], sections: ['world'] })).toEqual(['a', 'b']);
      expect(await select({ kickers: ['Exclusive'], kinds: ['brief', 'analysis'] })).toEqual(['a']);
    });
  });

  it('a selection names the same articles in a list as in a statement that takes them by id', async () => {
    const store = await withArticles(
      article('a', { kind: 'analysis', section: 'world', kicker: 'In Depth', tags: ['chips'] }),
      article('b', { bylines: [{ role: 'reporter', name: 'Mei Tan', email: null }] }),
      article('c', { tags: ['chips', 'power'], bylines: [{ role: 'reporter', name: 'Lin Ye', email: null }] }),
    );
    const selections: Selection[] = [
      {},
      { kinds: ['analysis'] },
      { sections: ['world'] },
      { kickers: ['In Depth'] },
      { tags: ['chips'] },
      { reporters: ['Mei Tan'] },
      { tags: ['power'], reporters: ['Lin Ye', 'Mei Tan'] },
    ];
    expect(new Set(selections.flatMap(Object.keys))).toEqual(new Set(Object.keys(selection.shape)));
    for (const select of selections) {
      const listed = ids(await findPublicArticles(store.db, { select, now: NOW, limit: 10 })).sort();
      const taken = await articlesOf(store.db, select).select('articles.id').orderBy('articles.id').execute();
      expect([select, taken.map(({ id }) => id)]).toEqual([select, listed]);
    }
    expect(ids(await findPublicArticles(store.db, { select: { reporters: ['Mei Tan'] }, now: NOW, limit: 9 }))).toEqual(
      ['b'],
    );
  });

  describe('retracted articles', () => {
    it('are those that were public, newest retraction first', async () => {
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
  });

  describe('a saved article', () => {
    it('comes back as it was, and replaces the one before', async () => {
      const store = await open();
      expect(await hasNoArticles(store.db)).toBe(true);
      const first = article('a', { tags: ['x', 'y'], headline: '🚀 “三星”' });
      await saveArticle(store.db, first, 'd1', NOW);
      expect(await findArticle(store.db, 'a')).toEqual(first);
      expect(await hasNoArticles(store.db)).toBe(false);
      const second = article('a', { tags: ['y'], tagUri: 'tag:other:a' });
      await saveArticle(store.db, second, 'd2', NOW + HOUR);
      expect(await findArticles(store.db, ['a', 'none'])).toEqual([second]);
      expect(await findArticles(store.db, [])).toEqual([]);
      const row = await store.db.selectFrom('articles').selectAll().executeTakeFirstOrThrow();
      // The column that everything refers to is written once.
      expect(row).toMatchObject({ tag_uri: first.tagUri, created_at: NOW, digest: 'd2' });
      expect(await store.db.selectFrom('article_tags').select('tag').execute()).toEqual([{ tag: 'y' }]);
    });

    it('is found by every slug it ever had, and no other may take one of them', async () => {
      const { db } = await withArticles(article('a', { slug: 'one' }));
      await saveArticle(db, article('a', { slug: 'two' }), 'd', NOW);
      for (const slug of ['one', 'two']) expect((await findArticleBySlug(db, slug))?.id).toBe('a');
      await expect(
        db.transaction().execute((tx) => saveArticle(tx, article('b', { slug: 'one' }), 'd', NOW)),
      ).rejects.toThrow('article b cannot have the slug one: it belongs to article a');
      expect(await findArticle(db, 'b')).toBeNull();
      await saveArticle(db, article('a', { slug: 'one' }), 'd', NOW);
      expect((await findArticleBySlug(db, 'two'))?.slug).toBe('one');
      expect(await findArticleBySlug(db, 'three')).toBeNull();
    });
  });

  describe('pending changes', () => {
    it('are due at once, at the end of an embargo, or never for a draft', async () => {
      const { db } = await withArticles(
        article('a', { publishedAt: NOW - HOUR }),
        article('embargoed', { publishedAt: NOW + HOUR, status: { state: 'scheduled', until: NOW + HOUR } }),
        article('draft', { status: { state: 'draft' } }),
      );
      expect(await countDueChanges(db, NOW - 1)).toBeNull();
      expect(await countDueChanges(db, NOW)).toEqual({ count: 1, oldestDueAt: NOW });
      expect(await countDueChanges(db, NOW + HOUR)).toEqual({ count: 2, oldestDueAt: NOW });
    });

    it('that a publish has taken are forgotten, an embargo noted long ago among them', async () => {
      const { db } = await withArticles(
        article('a'),
        article('b', { publishedAt: NOW + HOUR }),
        article('c', { publishedAt: NOW + 2 * HOUR }),
      );
      await deletePublishedChanges(db, await readDueChanges(db, NOW + HOUR + 1, 100));
      expect(await countDueChanges(db, NOW + HOUR)).toBeNull();
      expect(await countDueChanges(db, NOW + 2 * HOUR)).toEqual({ count: 1, oldestDueAt: NOW + 2 * HOUR });
    });

    it('made while a publish runs stay, in the same millisecond and by a clock behind its own too', async () => {
      for (const now of [NOW, NOW - HOUR, NOW + HOUR]) {
        const { db } = await withArticles(article('a'), article('b'));
        const taken = await readDueChanges(db, NOW + 1, 100);
        await saveArticle(db, article('a', { publishedAt: NOW - HOUR }), 'e', now);
        await saveArticle(db, article('new', { publishedAt: NOW - HOUR }), 'e', now);
        await deletePublishedChanges(db, taken);
        const left = await readDueChanges(db, NOW + HOUR + 1, 100);
        expect(left.map((change) => change.articleId).sort()).toEqual(['a', 'new']);
      }
    });

    it('due at the very instant of a publish stay: its windows do not hold them yet', async () => {
      const { db } = await withArticles(article('a'));
      await deletePublishedChanges(db, await readDueChanges(db, NOW, 100));
      expect(await countDueChanges(db, NOW)).toEqual({ count: 1, oldestDueAt: NOW });
    });

    it('of a crashed publish stay', async () => {
      const { db } = await withArticles(article('a'));
      await readDueChanges(db, NOW + 1, 100);
      expect(await countDueChanges(db, NOW)).toEqual({ count: 1, oldestDueAt: NOW });
    });

    it('are forgotten by the thousand', async () => {
      const { db } = await open();
      const changes = Array.from({ length: 1_300 }, (_, n) => ({ articleId: `a${n}`, dueAt: NOW }));
      await recordPendingChanges(db, changes, NOW);
      await recordPendingChanges(db, [], NOW);
      const taken = await readDueChanges(db, NOW + 1, 1_250);
      expect(taken).toHaveLength(1_250);
      await deletePublishedChanges(db, taken);
      expect(await countDueChanges(db, NOW)).toMatchObject({ count: 50 });
      await deletePublishedChanges(db, await readDueChanges(db, NOW + 1, 1_250));
      expect(await countDueChanges(db, NOW)).toBeNull();
    });
  });

  describe('what is rejected', () => {
    const entry = (choices: Partial<Rejection>): Rejection => ({
      ...{ stage: 'import', source: 'a.jsonl', line: null, articleId: null, problems: ['p'], raw: 'r' },
      ...choices,
    });

    it('is listed by source and line, the same on both databases', async () => {
      const { db } = await open();
      const entries = [
        entry({ line: 10 }),
        entry({ line: 2 }),
        entry({}),
        entry({ source: 'B.md' }),
        entry({ stage: 'feed', source: 'latest', articleId: 'x' }),
      ];
      for (const one of entries) await recordRejection(db, one, NOW);
      expect((await listRejections(db, 9)).map(({ source, line }) => [source, line])).toEqual([
        ['B.md', null],
        ['a.jsonl', null],
        ['a.jsonl', 2],
        ['a.jsonl', 10],
        ['latest', null],
      ]);
      expect(await listRejections(db, 2)).toHaveLength(2);
      expect(await countRejections(db)).toBe(5);
    });

    it('is replaced from the same place, and cleared by it', async () => {
      const { db } = await open();
      await recordRejection(db, entry({ line: 2, problems: ['one'] }), NOW);
      await recordRejection(db, entry({ line: 2, problems: ['two', 'three'] }), NOW + 1);
      expect(await listRejections(db, 9)).toEqual([
        { ...entry({ line: 2, problems: ['two', 'three'] }), rejectedAt: NOW + 1 },
      ]);
      const feed = entry({ stage: 'feed', source: 'latest', articleId: 'x' });
      await recordRejection(db, feed, NOW);
      await recordRejection(db, { ...feed, articleId: 'y' }, NOW);
      await clearRejections(db, feed);
      await clearRejections(db, entry({ line: 2 }));
      expect((await listRejections(db, 9)).map(({ articleId }) => articleId)).toEqual(['y']);
    });

    it('holds whatever was read, U+0000 too', async () => {
      const { db } = await open();
      await recordRejection(db, entry({ raw: 'a\u0000b', problems: ['\u0000 \ud800'] }), NOW);
      const [kept] = await listRejections(db, 9);
      expect(kept?.raw).toBe(`data:application/octet-stream;base64,${Buffer.from('a\u0000b').toString('base64')}`);
      expect(kept?.problems).toEqual(['\u0000 \ud800']);
    });
  });
});

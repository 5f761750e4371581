import { describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { article, CUTOFF, close, composed, save } from './fixtures.ts';

const day = (n: number): Article[] =>
  [1, 2, 3].map((k) => article(`day${n}-${k}`, { publishedAt: CUTOFF + n * DAY - k * HOUR }));

function corrected(one: Article, note: string, at: number): Article {
  return { ...one, status: { state: 'corrected', note, at } };
}

describe('the corrections of an edition', () => {
  forEachDatabase((open) => {
    it('list what was corrected or retracted of earlier editions, newest first, once', async () => {
      const store = await open();
      const [a, b, c] = day(0) as [Article, Article, Article];
      await save(store, [a, b, c]);
      const first = await composed(store);
      expect(first.corrections).toEqual([]);
      await close(store, first);
      await save(store, [
        ...day(1),
        corrected(a, 'The figure is <b>67.7%</b>.', CUTOFF + HOUR),
        { ...b, status: { state: 'retracted', note: 'It did not happen.', at: CUTOFF + 2 * HOUR } },
      ]);
      const second = await composed(store, CUTOFF + DAY);
      expect(second.corrections.map((one) => [one.articleId, one.notedAt])).toEqual([
        ['day0-2', CUTOFF + 2 * HOUR],
        ['day0-1', CUTOFF + HOUR],
      ]);
      expect(second.html).toContain('The figure is &lt;b&gt;67.7%&lt;/b&gt;.');
      expect(second.text).toContain('It did not happen.');
      expect(second.text).toMatch(/retract/i);
      expect(second.roundupArticle.bodyHtml).toContain('Retracted: <a href="http://127.0.0.1:8080/articles/day0-2">');
      await close(store, second);
      await save(store, day(2));
      expect((await composed(store, CUTOFF + 2 * DAY)).corrections).toEqual([]);
    });

    it('list a further correction of the same story', async () => {
      const store = await open();
      await save(store, day(0));
      await close(store, await composed(store));
      const [a] = day(0) as [Article];
      await save(store, [...day(1), corrected(a, 'One.', CUTOFF + HOUR)]);
      await close(store, await composed(store, CUTOFF + DAY));
      await save(store, [...day(2), corrected(a, 'Two.', CUTOFF + DAY + HOUR)]);
      expect((await composed(store, CUTOFF + 2 * DAY)).corrections).toHaveLength(1);
    });

    it('do not list a correction that stood with the story in its own edition', async () => {
      const store = await open();
      const [a, b, c] = day(0) as [Article, Article, Article];
      await save(store, [{ ...corrected(a, 'Corrected before.', CUTOFF - MINUTE), pinned: true }, b, c]);
      const first = await composed(store);
      expect(first.html).toContain('Corrected before.');
      expect(first.corrections).toEqual([]);
      await close(store, first);
      await save(store, day(1));
      expect((await composed(store, CUTOFF + DAY)).corrections).toEqual([]);
    });

    it('list a note that came in after the edition closed, though it is dated before', async () => {
      const store = await open();
      await save(store, day(0));
      await close(store, await composed(store));
      await save(store, [...day(1), corrected(day(0)[0] as Article, 'Late.', CUTOFF - MINUTE)]);
      expect((await composed(store, CUTOFF + DAY)).corrections).toHaveLength(1);
    });

    it('leave out stories that were in no edition, or only in one of another newsletter', async () => {
      const store = await open();
      await save(store, day(0));
      await close(store, await composed(store));
      await save(store, [
        ...day(1),
        corrected(article('never', { publishedAt: CUTOFF - 9 * DAY }), 'Note.', CUTOFF + HOUR),
        corrected(day(0)[0] as Article, 'Note.', CUTOFF + HOUR),
      ]);
      expect((await composed(store, CUTOFF + DAY, { id: 'evening' })).corrections).toEqual([]);
      expect((await composed(store, CUTOFF + DAY)).corrections.map((one) => one.articleId)).toEqual(['day0-1']);
    });

    it('are at most twenty, the longest waiting first; the others stand in the next', async () => {
      const store = await open();
      const many = Array.from({ length: 23 }, (_, n) => article(`m${n}`, { publishedAt: CUTOFF - HOUR - n }));
      await save(store, many);
      const wide = { blocks: { news: 50, analysis: 0, roundup: 0, latest: 0 } };
      await close(store, await composed(store, CUTOFF, wide));
      await save(store, [...day(1), ...many.map((one, n) => corrected(one, 'Note.', CUTOFF + HOUR + n))]);
      const second = await composed(store, CUTOFF + DAY);
      expect(second.corrections.map((one) => one.articleId)).toEqual(
        many
          .slice(0, 20)
          .map((one) => one.id)
          .reverse(),
      );
      await close(store, second);
      await save(store, day(2));
      const third = await composed(store, CUTOFF + 2 * DAY);
      expect(third.corrections.map((one) => one.articleId)).toEqual(['m22', 'm21', 'm20']);
    });

    it('set a bad one aside and list the others', async () => {
      const store = await open();
      await save(store, day(0));
      await close(store, await composed(store));
      await save(store, [...day(1), ...day(0).map((one, n) => corrected(one, 'Note.', CUTOFF + HOUR + n))]);
      await store.db.updateTable('articles').set({ document: '{' }).where('id', '=', 'day0-2').execute();
      const edition = await composed(store, CUTOFF + DAY);
      expect(edition.corrections.map((one) => one.articleId)).toEqual(['day0-3', 'day0-1']);
      expect(edition.rejected.map((one) => one.articleId)).toEqual(['day0-2']);
    });
  });
});

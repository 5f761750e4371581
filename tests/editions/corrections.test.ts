import { describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { UNREADABLE } from '../support/articles.ts';
import { forEachDatabase } from '../support/databases.ts';
import { article, CUTOFF, closeEdition, compose, save, threeStories } from './fixtures.ts';

const day = (n: number): Article[] => threeStories(`day${n}`, CUTOFF + n * DAY);

function corrected(one: Article, note: string, at: number): Article {
  return { ...one, status: { state: 'corrected', note, at } };
}

describe('the corrections of an edition', () => {
  forEachDatabase((open) => {
    it('list corrected and retracted stories of earlier editions once, newest first', async () => {
      const store = await open();
      const [a, b, c] = day(0) as [Article, Article, Article];
      await save(store, [a, b, c]);
      const first = await compose(store);
      expect(first.corrections).toEqual([]);
      await closeEdition(store, first);
      await save(store, [
        ...day(1),
        corrected(a, 'The figure is <b>67.7%</b>.', CUTOFF + HOUR),
        { ...b, status: { state: 'retracted', note: 'It did not happen.', at: CUTOFF + 2 * HOUR } },
      ]);
      const second = await compose(store, CUTOFF + DAY);
      expect(second.corrections.map((one) => [one.articleId, one.notedAt])).toEqual([
        ['day0-2', CUTOFF + 2 * HOUR],
        ['day0-1', CUTOFF + HOUR],
      ]);
      expect(second.html).toContain('The figure is &lt;b&gt;67.7%&lt;/b&gt;.');
      expect(second.text).toContain('It did not happen.');
      expect(second.text).toMatch(/retract/i);
      expect(second.roundupArticle.bodyHtml).toContain('Retracted: <a href="http://127.0.0.1:8080/articles/day0-2">');
      await closeEdition(store, second);
      await save(store, day(2));
      expect((await compose(store, CUTOFF + 2 * DAY)).corrections).toEqual([]);
    });

    it('include a second correction of the same story', async () => {
      const store = await open();
      await save(store, day(0));
      await closeEdition(store, await compose(store));
      const [a] = day(0) as [Article];
      await save(store, [...day(1), corrected(a, 'One.', CUTOFF + HOUR)]);
      await closeEdition(store, await compose(store, CUTOFF + DAY));
      await save(store, [...day(2), corrected(a, 'Two.', CUTOFF + DAY + HOUR)]);
      expect((await compose(store, CUTOFF + 2 * DAY)).corrections).toHaveLength(1);
    });

    it('do not include a correction shown with the story in its own edition', async () => {
      const store = await open();
      const [a, b, c] = day(0) as [Article, Article, Article];
      await save(store, [{ ...corrected(a, 'Corrected before.', CUTOFF - MINUTE), pinned: true }, b, c]);
      const first = await compose(store);
      expect(first.html).toContain('Corrected before.');
      expect(first.corrections).toEqual([]);
      await closeEdition(store, first);
      await save(store, day(1));
      expect((await compose(store, CUTOFF + DAY)).corrections).toEqual([]);
    });

    it('include a note that was stored after the edition closed but dated before', async () => {
      const store = await open();
      await save(store, day(0));
      await closeEdition(store, await compose(store));
      await save(store, [...day(1), corrected(day(0)[0] as Article, 'Late.', CUTOFF - MINUTE)]);
      expect((await compose(store, CUTOFF + DAY)).corrections).toHaveLength(1);
    });

    it('do not include stories that were only in an edition of another newsletter, or in none', async () => {
      const store = await open();
      await save(store, day(0));
      await closeEdition(store, await compose(store));
      await save(store, [
        ...day(1),
        corrected(article('never', { publishedAt: CUTOFF - 9 * DAY }), 'Note.', CUTOFF + HOUR),
        corrected(day(0)[0] as Article, 'Note.', CUTOFF + HOUR),
      ]);
      expect((await compose(store, CUTOFF + DAY, { id: 'evening' })).corrections).toEqual([]);
      expect((await compose(store, CUTOFF + DAY)).corrections.map((one) => one.articleId)).toEqual(['day0-1']);
    });

    it('are at most twenty, oldest first; the next edition lists the others', async () => {
      const store = await open();
      const many = Array.from({ length: 23 }, (_, n) => article(`m${n}`, { publishedAt: CUTOFF - HOUR - n }));
      await save(store, many);
      const wide = { blocks: { news: 50, analysis: 0, roundup: 0, latest: 0 } };
      await closeEdition(store, await compose(store, CUTOFF, wide));
      await save(store, [...day(1), ...many.map((one, n) => corrected(one, 'Note.', CUTOFF + HOUR + n))]);
      const second = await compose(store, CUTOFF + DAY);
      expect(second.corrections.map((one) => one.articleId)).toEqual(
        many
          .slice(0, 20)
          .map((one) => one.id)
          .reverse(),
      );
      await closeEdition(store, second);
      await save(store, day(2));
      const third = await compose(store, CUTOFF + 2 * DAY);
      expect(third.corrections.map((one) => one.articleId)).toEqual(['m22', 'm21', 'm20']);
    });

    it('omit and reject one that cannot be shown', async () => {
      const store = await open();
      await save(store, day(0));
      await closeEdition(store, await compose(store));
      await save(store, [...day(1), ...day(0).map((one, n) => corrected(one, 'Note.', CUTOFF + HOUR + n))]);
      await store.db.updateTable('articles').set(UNREADABLE).where('id', '=', 'day0-2').execute();
      const edition = await compose(store, CUTOFF + DAY);
      expect(edition.corrections.map((one) => one.articleId)).toEqual(['day0-3', 'day0-1']);
      expect(edition.rejected.map((one) => one.articleId)).toEqual(['day0-2']);
    });
  });
});

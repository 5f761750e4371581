import { describe, expect, it } from 'vitest';
import { listEditions } from '../../../src/editions/queries.ts';
import { editionSlot } from '../../../src/editions/slot.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { article, CUTOFF, closeEdition, compose, idsByBlock, omissions, save, threeStories } from '../fixtures.ts';

describe('the stories of an edition', () => {
  forEachDatabase((open) => {
    it('are published within the age limit and before the cut-off, to the millisecond', async () => {
      const store = await open();
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('oldest', { publishedAt: CUTOFF - 2 * DAY }),
        article('too-old', { publishedAt: CUTOFF - 2 * DAY - 1 }),
        article('newest', { publishedAt: CUTOFF - 1 }),
        article('at-cutoff', { publishedAt: CUTOFF }),
      ]);
      const edition = await compose(store, CUTOFF, { now: CUTOFF + HOUR });
      expect(edition.articles.map((one) => one.articleId).sort()).toEqual([
        'newest',
        'oldest',
        'today-1',
        'today-2',
        'today-3',
      ]);
    });

    it('are never drafts, retracted or embargoed articles, even if pinned', async () => {
      const store = await open();
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('draft', { pinned: true, status: { state: 'draft' } }),
        article('retracted', { pinned: true, status: { state: 'retracted', note: 'Wrong.', at: CUTOFF - HOUR } }),
        article('embargoed', {
          pinned: true,
          publishedAt: CUTOFF + HOUR,
          status: { state: 'scheduled', until: CUTOFF + HOUR },
        }),
        article('freed', { publishedAt: CUTOFF - HOUR, status: { state: 'scheduled', until: CUTOFF - HOUR } }),
      ]);
      // A cut-off in the future must not include the embargoed article.
      const edition = await compose(store, CUTOFF + DAY, { now: CUTOFF });
      expect(edition.articles.map((one) => one.articleId)).toEqual(
        expect.arrayContaining(['freed', 'today-1', 'today-2', 'today-3']),
      );
      expect(edition.articles).toHaveLength(4);
      expect(edition.cutoffAt).toBe(CUTOFF);
    });

    it('include a pinned story of any age, once', async () => {
      const store = await open();
      await save(store, [
        ...threeStories('today', CUTOFF),
        article('pinned', { pinned: true, publishedAt: CUTOFF - 400 * DAY }),
      ]);
      const edition = await compose(store);
      expect(idsByBlock(edition).lead).toEqual(['pinned']);
      await closeEdition(store, edition);
      await save(store, threeStories('next', CUTOFF + DAY));
      expect((await compose(store, CUTOFF + DAY)).articles.map((one) => one.articleId)).not.toContain('pinned');
    });

    it('include a story dated before the last cut-off that was stored after it', async () => {
      const store = await open();
      const monday = CUTOFF + 3 * DAY;
      await save(store, threeStories('before-friday', CUTOFF));
      await closeEdition(store, await compose(store));
      await save(
        store,
        [
          article('late', { publishedAt: CUTOFF - MINUTE }),
          article('too-late', { publishedAt: CUTOFF - DAY - 1 }),
          ...threeStories('weekend', monday),
        ],
        CUTOFF + HOUR,
      );
      const edition = await compose(store, monday);
      expect(edition.articles.map((one) => one.articleId)).toContain('late');
      expect(edition.articles.map((one) => one.articleId)).not.toContain('too-late');
      expect(await omissions(store, await closeEdition(store, edition))).toEqual({ 'too-late': 'aged-out' });
    });

    it('include stories that did not fit into the last edition, until they pass the age limit', async () => {
      const store = await open();
      const few = { blocks: { news: 2, analysis: 0, roundup: 0, latest: 0 } };
      await save(store, [...threeStories('day1', CUTOFF), article('left', { publishedAt: CUTOFF - 9 * HOUR })]);
      const first = await closeEdition(store, await compose(store, CUTOFF, few));
      expect(await omissions(store, first)).toEqual({ left: 'did-not-fit' });
      await save(store, threeStories('day2', CUTOFF + DAY));
      const second = await closeEdition(store, await compose(store, CUTOFF + DAY, few));
      expect(await omissions(store, second)).toEqual({ left: 'did-not-fit' });
      await save(store, threeStories('day3', CUTOFF + 2 * DAY));
      const third = await closeEdition(store, await compose(store, CUTOFF + 2 * DAY, few));
      expect(await omissions(store, third)).toEqual({ left: 'aged-out' });
      await save(store, threeStories('day4', CUTOFF + 3 * DAY));
      expect(await omissions(store, await closeEdition(store, await compose(store, CUTOFF + 3 * DAY, few)))).toEqual(
        {},
      );
    });

    it('are each in exactly one edition', async () => {
      const store = await open();
      const hourly = Array.from({ length: 96 }, (_, n) => article(`h${n}`, { publishedAt: CUTOFF + n * HOUR }));
      await save(store, hourly);
      const wide = { blocks: { news: 50, analysis: 0, roundup: 0, latest: 50 } };
      const taken: string[] = [];
      for (const hours of [25, 26, 49, 96]) {
        const cutoffAt = CUTOFF + hours * HOUR;
        const slot = editionSlot(cutoffAt, 'Asia/Shanghai', true);
        const outcome = await compose(store, cutoffAt, { ...wide, minimumStories: 1, slot });
        taken.push(...outcome.articles.map((one) => one.articleId));
        await closeEdition(store, outcome);
      }
      expect(taken.toSorted()).toEqual(hourly.map((one) => one.id).toSorted());
    }, 30_000);

    it('do not depend on the editions of another newsletter', async () => {
      const store = await open();
      await save(store, threeStories('today', CUTOFF));
      await closeEdition(store, await compose(store));
      const other = await compose(store, CUTOFF, { id: 'evening' });
      expect(other).toMatchObject({ number: 1, slot: '2026-11-24', roundupArticle: { id: 'evening-2026-11-24' } });
      await closeEdition(store, other);
      expect((await listEditions(store.db, null, 10)).map((one) => one.newsletter).sort()).toEqual([
        'daily-roundup',
        'evening',
      ]);
    });
  });
});

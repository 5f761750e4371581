import { describe, expect, it } from 'vitest';
import { listEditions } from '../../src/editions/queries.ts';
import { editionSlot } from '../../src/editions/slot.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { article, blocks, CUTOFF, close, composed, filler, passedOver, save } from './fixtures.ts';

describe('what an edition takes', () => {
  forEachDatabase((open) => {
    it('is at least the age limit to the millisecond, and before the cut-off', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('oldest', { publishedAt: CUTOFF - 2 * DAY }),
        article('too-old', { publishedAt: CUTOFF - 2 * DAY - 1 }),
        article('newest', { publishedAt: CUTOFF - 1 }),
        article('at-cutoff', { publishedAt: CUTOFF }),
      ]);
      const edition = await composed(store, CUTOFF, { now: CUTOFF + HOUR });
      expect(edition.articles.map((one) => one.articleId).sort()).toEqual([
        'newest',
        'oldest',
        'today-1',
        'today-2',
        'today-3',
      ]);
    });

    it('is never a draft, a retracted or an embargoed article, not even a pinned one', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('draft', { pinned: true, status: { state: 'draft' } }),
        article('retracted', { pinned: true, status: { state: 'retracted', note: 'Wrong.', at: CUTOFF - HOUR } }),
        article('embargoed', {
          pinned: true,
          publishedAt: CUTOFF + HOUR,
          status: { state: 'scheduled', until: CUTOFF + HOUR },
        }),
        article('freed', { publishedAt: CUTOFF - HOUR, status: { state: 'scheduled', until: CUTOFF - HOUR } }),
      ]);
      // A cut-off ahead of the clock must not let the embargoed one in.
      const edition = await composed(store, CUTOFF + DAY, { now: CUTOFF });
      expect(edition.articles.map((one) => one.articleId)).toEqual(
        expect.arrayContaining(['freed', 'today-1', 'today-2', 'today-3']),
      );
      expect(edition.articles).toHaveLength(4);
      expect(edition.cutoffAt).toBe(CUTOFF);
    });

    it('includes a pinned story whatever its age, once', async () => {
      const store = await open();
      await save(store, [
        ...filler('today', CUTOFF),
        article('pinned', { pinned: true, publishedAt: CUTOFF - 400 * DAY }),
      ]);
      const edition = await composed(store);
      expect(blocks(edition).lead).toEqual(['pinned']);
      await close(store, edition);
      await save(store, filler('next', CUTOFF + DAY));
      expect((await composed(store, CUTOFF + DAY)).articles.map((one) => one.articleId)).not.toContain('pinned');
    });

    it('on a Monday includes the news of Friday, after the edition of Friday', async () => {
      const store = await open();
      const monday = CUTOFF + 3 * DAY;
      await save(store, filler('before-friday', CUTOFF));
      await close(store, await composed(store));
      await save(store, [article('friday', { publishedAt: CUTOFF + HOUR }), ...filler('weekend', monday)]);
      const edition = await composed(store, monday);
      expect(blocks(edition).latest).toEqual(['friday']);
      expect(edition.articles).toHaveLength(4);
    });

    it('includes what came in late for the last edition, and was published a moment before its cut-off', async () => {
      const store = await open();
      const monday = CUTOFF + 3 * DAY;
      await save(store, filler('before-friday', CUTOFF));
      await close(store, await composed(store));
      await save(
        store,
        [
          article('late', { publishedAt: CUTOFF - MINUTE }),
          article('too-late', { publishedAt: CUTOFF - DAY - 1 }),
          ...filler('weekend', monday),
        ],
        CUTOFF + HOUR,
      );
      const edition = await composed(store, monday);
      expect(edition.articles.map((one) => one.articleId)).toContain('late');
      expect(edition.articles.map((one) => one.articleId)).not.toContain('too-late');
      expect(await passedOver(store, await close(store, edition))).toEqual({ 'too-late': 'aged-out' });
    });

    it('is what did not fit into the last one, until it ages out, each time with its reason', async () => {
      const store = await open();
      const few = { blocks: { news: 2, analysis: 0, roundup: 0, latest: 0 } };
      await save(store, [...filler('day1', CUTOFF), article('left', { publishedAt: CUTOFF - 9 * HOUR })]);
      const first = await close(store, await composed(store, CUTOFF, few));
      expect(await passedOver(store, first)).toEqual({ left: 'did-not-fit' });
      await save(store, filler('day2', CUTOFF + DAY));
      const second = await close(store, await composed(store, CUTOFF + DAY, few));
      expect(await passedOver(store, second)).toEqual({ left: 'did-not-fit' });
      await save(store, filler('day3', CUTOFF + 2 * DAY));
      const third = await close(store, await composed(store, CUTOFF + 2 * DAY, few));
      expect(await passedOver(store, third)).toEqual({ left: 'aged-out' });
      await save(store, filler('day4', CUTOFF + 3 * DAY));
      expect(await passedOver(store, await close(store, await composed(store, CUTOFF + 3 * DAY, few)))).toEqual({});
    });

    it('never stands in two editions, and nothing within the window is lost', async () => {
      const store = await open();
      const hourly = Array.from({ length: 96 }, (_, n) => article(`h${n}`, { publishedAt: CUTOFF + n * HOUR }));
      await save(store, hourly);
      const wide = { blocks: { news: 50, analysis: 0, roundup: 0, latest: 50 } };
      const taken: string[] = [];
      for (const hours of [25, 26, 49, 96]) {
        const cutoffAt = CUTOFF + hours * HOUR;
        const slot = editionSlot(cutoffAt, 'Asia/Shanghai', true);
        const outcome = await composed(store, cutoffAt, { ...wide, minimumStories: 1, slot });
        taken.push(...outcome.articles.map((one) => one.articleId));
        await close(store, outcome);
      }
      expect(taken.toSorted()).toEqual(hourly.map((one) => one.id).toSorted());
    }, 30_000);

    it('of two newsletters does not depend on the other', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      await close(store, await composed(store));
      const other = await composed(store, CUTOFF, { id: 'evening' });
      expect(other).toMatchObject({ number: 1, slot: '2026-11-24', roundupArticle: { id: 'evening-2026-11-24' } });
      await close(store, other);
      expect((await listEditions(store.db, null, 10)).map((one) => one.newsletter).sort()).toEqual([
        'daily-roundup',
        'evening',
      ]);
    });
  });
});

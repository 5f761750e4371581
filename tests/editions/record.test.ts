import { describe, expect, it } from 'vitest';
import { saveArticle } from '../../src/articles/import/save.ts';
import { findEdition, listEditions } from '../../src/editions/queries.ts';
import { recordEdition, StaleComposition } from '../../src/editions/record.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';
import { forEachDatabase } from '../support/databases.ts';
import { article, CUTOFF, close, composed, filler, newsletter, save } from './fixtures.ts';

describe('closing what was composed', () => {
  forEachDatabase((open, dialect) => {
    const changed = async (change: (store: Store) => Promise<unknown>): Promise<[Promise<number>, Store]> => {
      const store = await open();
      await save(store, [...filler('day1', CUTOFF)]);
      await close(store, await composed(store));
      await save(store, [
        ...filler('day2', CUTOFF + DAY),
        article('day1-1', {
          publishedAt: CUTOFF - HOUR,
          status: { state: 'corrected', note: 'A figure was wrong.', at: CUTOFF + HOUR },
        }),
      ]);
      const edition = await composed(store, CUTOFF + DAY);
      await change(store);
      return [close(store, edition), store];
    };

    it.each<[string, (store: Store) => Promise<unknown>]>([
      ['an article of it was edited', (store) => save(store, [article('day2-1', { headline: 'Another' })])],
      [
        'an article of it was retracted',
        (store) => save(store, [article('day2-2', { status: { state: 'retracted', note: 'No.', at: CUTOFF } })]),
      ],
      [
        'a correction that it lists was edited',
        (store) => save(store, [article('day1-1', { status: { state: 'corrected', note: 'Other.', at: CUTOFF } })]),
      ],
      [
        'another edition was closed',
        async (store) => close(store, await composed(store, CUTOFF + DAY, { slot: { label: 'x', slotAt: 1 } })),
      ],
      ['an article took the id of its roundup article', (store) => save(store, [article('daily-roundup-2026-11-25')])],
    ])('is refused where %s, and leaves no trace', async (_, change) => {
      const [closing, store] = await changed(change);
      await expect(closing).rejects.toThrow(StaleComposition);
      expect(await findEdition(store.db, newsletter.id, '2026-11-25')).toBeNull();
    });

    it('goes well where another article came in since: it waits for the next', async () => {
      const [closing, store] = await changed((s) => save(s, [article('new', { publishedAt: CUTOFF + DAY - 1 })]));
      await closing;
      await save(store, filler('day3', CUTOFF + 2 * DAY));
      expect((await composed(store, CUTOFF + 2 * DAY)).articles.map((one) => one.articleId)).toContain('new');
    });

    it('twice at once makes one edition', async () => {
      const store = await open();
      await save(store, filler('today', CUTOFF));
      const edition = await composed(store);
      const outcomes = await Promise.allSettled([close(store, edition), close(store, edition)]);
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      const rejected = outcomes.find((one) => one.status === 'rejected') as PromiseRejectedResult;
      expect(rejected.reason).toBeInstanceOf(StaleComposition);
      expect(await listEditions(store.db, null, 10)).toHaveLength(1);
    });

    // SQLite has one writer: there the lock is the transaction itself.
    if (dialect === 'postgres') {
      it('keeps an article from being retracted before it has committed', async () => {
        const store = await open();
        await save(store, filler('today', CUTOFF));
        const edition = await composed(store);
        const order: string[] = [];
        let retracting: Promise<unknown> | undefined;
        await store.db.transaction().execute(async (tx) => {
          await recordEdition(tx, edition, CUTOFF);
          const retracted = article('today-1', { status: { state: 'retracted', note: 'No.', at: CUTOFF } });
          retracting = store.db
            .transaction()
            .execute((other) => saveArticle(other, retracted, 'other', CUTOFF))
            .then(() => order.push('retracted'));
          // Long enough for the other connection to have finished, were it not waiting for us: a dozen round trips.
          for (let n = 0; n < 12; n++) await tx.selectFrom('meta').selectAll().execute();
          order.push('closed');
        });
        await retracting;
        expect(order).toEqual(['closed', 'retracted']);
      });
    }
  });
});

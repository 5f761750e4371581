import { describe, expect, it } from 'vitest';
import { saveArticle } from '../../src/articles/import/save.ts';
import type { Store } from '../../src/core/store/store.ts';
import { findEdition, listEditions } from '../../src/editions/queries.ts';
import { recordEdition, StaleComposition } from '../../src/editions/record.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { forBothDatabases } from '../support/databases.ts';
import { article, CUTOFF, closeEdition, compose, newsletter, save, threeStories } from './fixtures.ts';

describe('recordEdition', () => {
  forBothDatabases((open, dialect) => {
    const changed = async (change: (store: Store) => Promise<unknown>): Promise<[Promise<number>, Store]> => {
      const store = await open();
      await save(store, [...threeStories('day1', CUTOFF)]);
      await closeEdition(store, await compose(store));
      await save(store, [
        ...threeStories('day2', CUTOFF + DAY),
        article('day1-1', {
          publishedAt: CUTOFF - HOUR,
          status: { state: 'corrected', note: 'A figure was wrong.', at: CUTOFF + HOUR },
        }),
      ]);
      const edition = await compose(store, CUTOFF + DAY);
      await change(store);
      return [closeEdition(store, edition), store];
    };

    it.each<[string, (store: Store) => Promise<unknown>]>([
      ['one of its articles was edited', (store) => save(store, [article('day2-1', { headline: 'Another' })])],
      [
        'one of its articles was retracted',
        (store) => save(store, [article('day2-2', { status: { state: 'retracted', note: 'No.', at: CUTOFF } })]),
      ],
      [
        'one of its corrections was edited',
        (store) => save(store, [article('day1-1', { status: { state: 'corrected', note: 'Other.', at: CUTOFF } })]),
      ],
      [
        'another edition was closed',
        async (store) => closeEdition(store, await compose(store, CUTOFF + DAY, { slot: { label: 'x', slotAt: 1 } })),
      ],
      [
        'another edition has listed one of its corrections',
        async ({ db }) => {
          const { id } = await db.selectFrom('editions').select('id').executeTakeFirstOrThrow();
          const note = { newsletter: newsletter.id, article_id: 'day1-1', noted_at: CUTOFF + HOUR, edition_id: id };
          await db.insertInto('edition_corrections').values(note).execute();
        },
      ],
      ['an article took the id of its roundup article', (store) => save(store, [article('daily-roundup-2026-11-25')])],
    ])('throws and writes nothing if %s', async (_, change) => {
      const [closing, store] = await changed(change);
      await expect(closing).rejects.toThrow(StaleComposition);
      expect(await findEdition(store.db, newsletter.id, '2026-11-25')).toBeNull();
    });

    it('leaves an article that was added since composing to the next edition', async () => {
      const [closing, store] = await changed((s) => save(s, [article('new', { publishedAt: CUTOFF + DAY - 1 })]));
      await closing;
      await save(store, threeStories('day3', CUTOFF + 2 * DAY));
      expect((await compose(store, CUTOFF + 2 * DAY)).articles.map((one) => one.articleId)).toContain('new');
    });

    it('writes one edition if called twice at the same time', async () => {
      const store = await open();
      await save(store, threeStories('today', CUTOFF));
      const edition = await compose(store);
      const outcomes = await Promise.allSettled([closeEdition(store, edition), closeEdition(store, edition)]);
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      const rejected = outcomes.find((one) => one.status === 'rejected') as PromiseRejectedResult;
      expect(rejected.reason).toBeInstanceOf(StaleComposition);
      expect(await listEditions(store.db, null, 10)).toHaveLength(1);
    });

    // With SQLite's single writer, the transaction itself is the lock.
    if (dialect === 'postgres') {
      it('prevents its articles from being retracted until it commits', async () => {
        const store = await open();
        await save(store, threeStories('today', CUTOFF));
        const edition = await compose(store);
        const order: string[] = [];
        let retracting: Promise<unknown> | undefined;
        await store.db.transaction().execute(async (tx) => {
          await recordEdition(tx, edition, CUTOFF);
          const retracted = article('today-1', { status: { state: 'retracted', note: 'No.', at: CUTOFF } });
          retracting = store.db
            .transaction()
            .execute((other) => saveArticle(other, retracted, 'other', CUTOFF))
            .then(() => order.push('retracted'));
          // Twelve round trips: enough time for the other transaction to finish if it did not wait.
          for (let n = 0; n < 12; n++) await tx.selectFrom('meta').selectAll().execute();
          order.push('closed');
        });
        await retracting;
        expect(order).toEqual(['closed', 'retracted']);
      });
    }
  });
});

import { describe, expect, it } from 'vitest';
import { closeEdition } from '../../../src/delivery/close.ts';
import { pauseEdition, resumeEdition } from '../../../src/delivery/control/edition-control.ts';
import { pauseEditionsWithRetracted, type RetractionPause } from '../../../src/delivery/control/retraction.ts';
import { HOUR } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { article, CUTOFF, composed, config, newsletter, save } from '../../editions/fixtures.ts';
import { forEachDatabase } from '../../support/databases.ts';

const NOW = CUTOFF + 1_000;
const terms = { ...newsletter, zone: config.publication.zone };
const retracted = (at: number) => ({ status: { state: 'retracted' as const, note: 'Wrong.', at } });

/** An edition of four stories, queued for one reader. @returns its id */
async function closedEdition(store: Store): Promise<number> {
  await save(
    store,
    ['a', 'b', 'c', 'd'].map((id) => article(id)),
  );
  const email = 'ada@example.com';
  const { id } = await store.db
    .insertInto('subscribers')
    .values({ email, email_key: email, created_at: NOW - HOUR })
    .returning('id')
    .executeTakeFirstOrThrow();
  await store.db
    .insertInto('subscriptions')
    .values({ subscriber_id: id, newsletter: newsletter.id, state: 'confirmed', changed_at: NOW - HOUR })
    .execute();
  const { edition } = await closeEdition(store, await composed(store), terms, NOW);
  return edition.id;
}

function look(store: Store): Promise<RetractionPause[]> {
  return pauseEditionsWithRetracted(store, async () => {});
}

function standing(store: Store) {
  return store.db.selectFrom('editions').select(['delivery_state', 'delivery_reason']).executeTakeFirstOrThrow();
}

describe('an article that is retracted', () => {
  forEachDatabase((open) => {
    it('pauses the edition that holds it while deliveries are open, naming the article', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      expect(await look(store)).toEqual([]);
      // The newsroom dates it before the close, and the import comes after.
      await save(store, [article('b', retracted(NOW - 500))]);
      expect(await look(store)).toEqual([{ editionId, articleIds: ['b'] }]);
      expect(await standing(store)).toEqual({
        delivery_state: 'paused',
        delivery_reason: 'retracted since it closed: b ("Headline of b")',
      });
    });

    it('pauses it once: the operator may resume it, and only another retraction pauses it again', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      await save(store, [article('b', retracted(NOW))]);
      await look(store);
      expect(await look(store)).toEqual([]);
      await resumeEdition(store.db, editionId);
      expect(await look(store)).toEqual([]);
      expect(await standing(store)).toMatchObject({ delivery_state: 'delivering' });
      await save(store, [article('c', retracted(NOW + 1))]);
      expect(await look(store)).toEqual([{ editionId, articleIds: ['c'] }]);
    });

    it('is another reason for an edition that stands paused, told before it is resumed; then it goes on', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      await pauseEdition(store.db, editionId, 'by the operator');
      await save(store, [article('b', retracted(NOW))]);
      expect(await look(store)).toEqual([{ editionId, articleIds: ['b'] }]);
      expect(await look(store)).toEqual([]);
      expect(await standing(store)).toEqual({
        delivery_state: 'paused',
        delivery_reason: 'by the operator; retracted since it closed: b ("Headline of b")',
      });
      await resumeEdition(store.db, editionId);
      expect(await look(store)).toEqual([]);
      expect(await standing(store)).toEqual({ delivery_state: 'delivering', delivery_reason: null });
    });

    it('pauses for the edition’s own roundup too', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      const { article_id } = await store.db.selectFrom('editions').select('article_id').executeTakeFirstOrThrow();
      const { document } = await store.db
        .selectFrom('articles')
        .select('document')
        .where('id', '=', article_id)
        .executeTakeFirstOrThrow();
      await save(store, [{ ...JSON.parse(document), ...retracted(NOW) }]);
      expect(await look(store)).toEqual([{ editionId, articleIds: [article_id] }]);
    });

    it('pauses nothing where no delivery is open, or another edition holds it', async () => {
      const store = await open();
      await closedEdition(store);
      await save(store, [article('elsewhere', retracted(NOW))]);
      expect(await look(store)).toEqual([]);
      await store.db.updateTable('deliveries').set({ state: 'submitted' }).execute();
      await save(store, [article('b', retracted(NOW))]);
      expect(await look(store)).toEqual([]);
      expect(await standing(store)).toMatchObject({ delivery_state: 'delivering' });
    });

    it('is paused for by one of two processes that look at once', async () => {
      const store = await open();
      await closedEdition(store);
      await save(store, [article('b', retracted(NOW)), article('c', retracted(NOW))]);
      const both = await Promise.all([look(store), look(store)]);
      expect(both.flat()).toMatchObject([{ articleIds: ['b', 'c'] }]);
    });

    it('is told in the transaction that pauses: where that fails, it is paused for at the next look', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      await save(store, [article('b', retracted(NOW))]);
      const failing = pauseEditionsWithRetracted(store, () => Promise.reject(new Error('the disk is full')));
      await expect(failing).rejects.toThrow('the disk is full');
      expect(await standing(store)).toMatchObject({ delivery_state: 'delivering' });
      expect(await look(store)).toEqual([{ editionId, articleIds: ['b'] }]);
    });
  });
});

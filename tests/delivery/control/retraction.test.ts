import { describe, expect, it } from 'vitest';
import { storeSubscribers } from '../../../scripts/test-edition.ts';
import { toArticle } from '../../../src/articles/stored-document.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { closeEdition } from '../../../src/delivery/closing/close.ts';
import { pauseEdition, resumeEdition } from '../../../src/delivery/control/edition-control.ts';
import { pauseEditionsWithRetracted, type RetractionPause } from '../../../src/delivery/control/retraction.ts';
import { article, CUTOFF, compose, config, newsletter, save } from '../../editions/fixtures.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { setDeliveries } from '../fixture.ts';

const NOW = CUTOFF + 1_000;
const terms = { ...newsletter, zone: config.publication.zone };
const retracted = (at: number) => ({ status: { state: 'retracted' as const, note: 'Wrong.', at } });

/** An edition of four articles, queued for one subscriber. @returns its id */
async function closedEdition(store: Store): Promise<number> {
  await save(
    store,
    ['a', 'b', 'c', 'd'].map((id) => article(id)),
  );
  await storeSubscribers(store, ['ada@example.com'], newsletter.id);
  const { edition } = await closeEdition(store, await compose(store), terms, NOW);
  return edition.id;
}

function pauseRetracted(store: Store): Promise<RetractionPause[]> {
  return pauseEditionsWithRetracted(store, async () => {});
}

function editionState(store: Store) {
  return store.db.selectFrom('editions').select(['delivery_state', 'delivery_reason']).executeTakeFirstOrThrow();
}

describe('pauseEditionsWithRetracted', () => {
  forEachDatabase((open) => {
    it('pauses an edition that contains a retracted article, and names the article', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      expect(await pauseRetracted(store)).toEqual([]);
      // Dated before the close, but imported after it.
      await save(store, [article('b', retracted(NOW - 500))]);
      expect(await pauseRetracted(store)).toEqual([{ editionId, articleIds: ['b'] }]);
      expect(await editionState(store)).toEqual({
        delivery_state: 'paused',
        delivery_reason: 'retracted since it closed: b ("Headline of b")',
      });
    });

    it('pauses an edition once per retraction, so that the operator can resume it', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      await save(store, [article('b', retracted(NOW))]);
      await pauseRetracted(store);
      expect(await pauseRetracted(store)).toEqual([]);
      await resumeEdition(store.db, editionId);
      expect(await pauseRetracted(store)).toEqual([]);
      expect(await editionState(store)).toMatchObject({ delivery_state: 'delivering' });
      await save(store, [article('c', retracted(NOW + 1))]);
      expect(await pauseRetracted(store)).toEqual([{ editionId, articleIds: ['c'] }]);
    });

    it('extends the reason of an edition that is paused already, which continues when it is resumed', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      await pauseEdition(store.db, editionId, 'by the operator');
      await save(store, [article('b', retracted(NOW))]);
      expect(await pauseRetracted(store)).toEqual([{ editionId, articleIds: ['b'] }]);
      expect(await pauseRetracted(store)).toEqual([]);
      expect(await editionState(store)).toEqual({
        delivery_state: 'paused',
        delivery_reason: 'by the operator; retracted since it closed: b ("Headline of b")',
      });
      await resumeEdition(store.db, editionId);
      expect(await pauseRetracted(store)).toEqual([]);
      expect(await editionState(store)).toEqual({ delivery_state: 'delivering', delivery_reason: null });
    });

    it('pauses an edition whose own roundup article is retracted', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      const { article_id } = await store.db.selectFrom('editions').select('article_id').executeTakeFirstOrThrow();
      const stored = await store.db
        .selectFrom('articles')
        .select('document')
        .where('id', '=', article_id)
        .executeTakeFirstOrThrow();
      await save(store, [{ ...toArticle(stored), ...retracted(NOW) }]);
      expect(await pauseRetracted(store)).toEqual([{ editionId, articleIds: [article_id] }]);
    });

    it('does not pause an edition without open deliveries or without the retracted article', async () => {
      const store = await open();
      await closedEdition(store);
      await save(store, [article('elsewhere', retracted(NOW))]);
      expect(await pauseRetracted(store)).toEqual([]);
      await setDeliveries(store, { state: 'submitted' });
      await save(store, [article('b', retracted(NOW))]);
      expect(await pauseRetracted(store)).toEqual([]);
      expect(await editionState(store)).toMatchObject({ delivery_state: 'delivering' });
    });

    it('pauses an edition in one of two concurrent processes', async () => {
      const store = await open();
      await closedEdition(store);
      await save(store, [article('b', retracted(NOW)), article('c', retracted(NOW))]);
      const both = await Promise.all([pauseRetracted(store), pauseRetracted(store)]);
      expect(both.flat()).toMatchObject([{ articleIds: ['b', 'c'] }]);
    });

    it('calls onPause in the transaction, and pauses the edition at the next call if that fails', async () => {
      const store = await open();
      const editionId = await closedEdition(store);
      await save(store, [article('b', retracted(NOW))]);
      const failing = pauseEditionsWithRetracted(store, () => Promise.reject(new Error('the disk is full')));
      await expect(failing).rejects.toThrow('the disk is full');
      expect(await editionState(store)).toMatchObject({ delivery_state: 'delivering' });
      expect(await pauseRetracted(store)).toEqual([{ editionId, articleIds: ['b'] }]);
    });
  });
});

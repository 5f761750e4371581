import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../scripts/test-edition.ts';
import { deleteProgress, listProgress, recordEditionProgress } from '../../src/delivery/progress.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { setDeliveries } from './fixture.ts';

describe('the progress of a delivery', () => {
  forEachDatabase((open) => {
    it('is recorded once a minute, at its last change', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 4);
      const record = (at: number) => recordEditionProgress(store.db, [editionId], at);
      const end = (n: number, state: 'submitted' | 'failed') =>
        setDeliveries(store, { state }, { subscriber_id: subscriberIds[n]! });
      await record(NOW);
      await end(0, 'submitted');
      await record(NOW + 5 * SECOND);
      await end(1, 'failed');
      await record(NOW + 20 * SECOND);
      await record(NOW + 40 * SECOND);
      await record(NOW + MINUTE);
      await end(2, 'submitted');
      await record(NOW + 3 * MINUTE);
      const expected = [
        { at: NOW + 3 * MINUTE, submitted: 2, failed: 1 },
        { at: NOW + 20 * SECOND, submitted: 1, failed: 1 },
      ];
      expect(await listProgress(store.db, editionId, 10)).toEqual(expected);
      expect(await listProgress(store.db, editionId, 1)).toEqual(expected.slice(0, 1));
      expect(await deleteProgress(store.db, NOW + MINUTE)).toBe(1);
      expect(await listProgress(store.db, editionId, 10)).toEqual(expected.slice(0, 1));
    });
  });
});

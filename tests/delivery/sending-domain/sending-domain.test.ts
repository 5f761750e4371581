import { expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { countComplaints } from '../../../src/delivery/sending-domain/sending-domain.ts';
import { DAY } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';

forEachDatabase((open) => {
  it('counts complaints and accepted messages of the editions since an instant', async () => {
    const store = await open();
    expect(await countComplaints(store.db, NOW - 30 * DAY)).toEqual({ delivered: 0, complaints: 0 });
    const old = await queueEdition(store, 2, {
      slot: '2026-10-01',
      number: 2,
      articleId: 'old',
      closedAt: NOW - 31 * DAY,
    });
    const recent = await queueEdition(store, 3);
    for (const { editionId, subscriberIds } of [old, recent]) {
      const [first = 0, second = 0] = subscriberIds;
      await store.db
        .updateTable('deliveries')
        .set({ state: 'submitted' })
        .where('edition_id', '=', editionId)
        .where('subscriber_id', 'in', [first, second])
        .execute();
      await store.db
        .insertInto('bounces')
        .values([
          { edition_id: editionId, subscriber_id: first, kind: 'complaint', at: NOW },
          { edition_id: editionId, subscriber_id: second, kind: 'hard', at: NOW },
        ])
        .execute();
    }
    expect(await countComplaints(store.db, NOW - 30 * DAY)).toEqual({ delivered: 2, complaints: 1 });
  });
});

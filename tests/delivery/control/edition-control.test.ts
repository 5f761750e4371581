import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import {
  cancelEdition,
  DeliveryControlError,
  pauseEdition,
  resumeEdition,
  settleDeliveries,
} from '../../../src/delivery/control/edition-control.ts';
import { listUncertain } from '../../../src/delivery/queue/queries.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { deliveriesOf, setDeliveries } from '../fixture.ts';

function editionStates(store: Store) {
  return store.db
    .selectFrom('editions')
    .select(['delivery_state', 'delivery_reason as reason'])
    .orderBy('id')
    .execute();
}

async function interrupt(store: Store, leaseUntil: number): Promise<void> {
  await setDeliveries(store, { state: 'submitting', attempts: 1, fence: 3, lease_until: leaseUntil });
}

describe('edition control', () => {
  forBothDatabases((open) => {
    it('pauses and resumes an edition, and repeating either changes nothing', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 1);
      expect(await pauseEdition(store.db, editionId, 'a mistake')).toBe(true);
      expect(await pauseEdition(store.db, editionId, 'another')).toBe(false);
      expect(await editionStates(store)).toEqual([{ delivery_state: 'paused', reason: 'a mistake' }]);
      expect(await resumeEdition(store.db, editionId)).toBe(true);
      expect(await resumeEdition(store.db, editionId)).toBe(false);
      expect(await editionStates(store)).toEqual([{ delivery_state: 'delivering', reason: null }]);
    });

    it('cancels the pending deliveries of one edition, and lets submissions in progress finish', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 5);
      await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      const of = (n: number) => store.db.updateTable('deliveries').where('subscriber_id', '=', subscriberIds[n]!);
      await of(3)
        .set({ state: 'submitting', lease_until: NOW + MINUTE })
        .execute();
      await of(4).set({ state: 'submitted' }).execute();
      await of(2)
        .set({ lease_until: NOW + MINUTE })
        .execute();
      await pauseEdition(store.db, editionId, 'a mistake');
      expect(await cancelEdition(store, editionId, 'the wrong list', NOW + 1)).toBe(3);
      expect(await cancelEdition(store, editionId, 'again', NOW + 2)).toBe(0);
      const reason = 'cancelled by the operator: the wrong list';
      expect(await deliveriesOf(store)).toMatchObject([
        ...Array(3).fill({ state: 'suppressed', reason, lease_until: null, changed_at: NOW + 1 }),
        { state: 'submitting' },
        { state: 'submitted' },
        { state: 'pending' },
      ]);
      expect(await editionStates(store)).toMatchObject([
        { delivery_state: 'cancelled', reason: 'the wrong list' },
        { delivery_state: 'delivering' },
      ]);
    });

    it('rejects changes that the state of an edition does not allow', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 1);
      await expect(pauseEdition(store.db, 99, 'x')).rejects.toThrow(
        new DeliveryControlError('edition 99 does not exist'),
      );
      await cancelEdition(store, editionId, 'x', NOW);
      const cancelled = 'daily-roundup/2026-11-24 is cancelled and cannot be';
      await expect(resumeEdition(store.db, editionId)).rejects.toThrow(`${cancelled} resumed`);
      await expect(pauseEdition(store.db, editionId, 'x')).rejects.toThrow(`${cancelled} paused`);
      await store.db.updateTable('editions').set({ delivery_state: 'done' }).execute();
      const done = 'daily-roundup/2026-11-24 is done and cannot be';
      await expect(cancelEdition(store, editionId, 'x', NOW)).rejects.toThrow(`${done} cancelled`);
      await expect(resumeEdition(store.db, editionId)).rejects.toThrow(`${done} resumed`);
    });

    it('advises a retry of an edition that is done only where something failed', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 1);
      await store.db.updateTable('editions').set({ delivery_state: 'done' }).execute();
      const finishAs = (state: 'submitted' | 'failed') => store.db.updateTable('deliveries').set({ state }).execute();
      const done = 'daily-roundup/2026-11-24 is done and cannot be resumed';
      await finishAs('submitted');
      await expect(resumeEdition(store.db, editionId)).rejects.toThrow(new DeliveryControlError(done));
      await finishAs('failed');
      await expect(resumeEdition(store.db, editionId)).rejects.toThrow('use "daywire editions retry');
    });

    it('lists uncertain deliveries: submitting under an expired lease', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 1);
      await interrupt(store, NOW);
      await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      expect(await listUncertain(store.db, { now: NOW - 1, limit: 9 })).toEqual([]);
      expect(await listUncertain(store.db, { now: NOW, limit: 9 })).toEqual([
        {
          editionId,
          newsletter: 'daily-roundup',
          slot: '2026-11-24',
          subscriberId: subscriberIds[0],
          email: 'subscriber1@example.com',
          attempts: 1,
          since: NOW,
        },
      ]);
    });

    it.each([
      ['submitted', { state: 'submitted', reply: 'settled by the operator as submitted', reason: null }],
      ['retry', { state: 'pending', due_at: NOW + 1, reason: expect.stringMatching(/^settled by the operator/) }],
    ] as const)('settles an uncertain delivery as %s', async (as, expected) => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 1);
      const settle = () => settleDeliveries(store.db, { editionId, subscriberId: subscriberIds[0]! }, as, NOW + 1);
      await interrupt(store, NOW + 2);
      await expect(settle()).rejects.toThrow('may still be in progress: settle it after 2026-11-24T07:30:00Z');
      await interrupt(store, NOW);
      await settle();
      await settle();
      expect(await deliveriesOf(store)).toMatchObject([{ ...expected, fence: 4, lease_until: null, attempts: 1 }]);
    });

    it('settles only uncertain deliveries, and does not retry deliveries of a cancelled edition', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 1);
      const settle = (as: 'submitted' | 'retry') =>
        settleDeliveries(store.db, { editionId, subscriberId: subscriberIds[0]! }, as, NOW);
      await expect(settle('submitted')).rejects.toThrow(
        `the delivery of daily-roundup/2026-11-24 to subscriber ${subscriberIds[0]} is pending, not uncertain`,
      );
      await expect(settleDeliveries(store.db, { editionId, subscriberId: 99 }, 'retry', NOW)).rejects.toThrow(
        'the delivery of daily-roundup/2026-11-24 to subscriber 99 does not exist',
      );
      await interrupt(store, NOW);
      await cancelEdition(store, editionId, 'x', NOW);
      await expect(settle('retry')).rejects.toThrow(
        'daily-roundup/2026-11-24 is cancelled, so its deliveries cannot be retried',
      );
      await settle('submitted');
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitted' }]);
    });
  });
});

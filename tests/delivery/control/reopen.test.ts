import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { Tables } from '../../../src/core/store/tables.ts';
import { cancelEdition, pauseEdition, settleDeliveries } from '../../../src/delivery/control/edition-control.ts';
import {
  countExpiredPending,
  extendDeliveries,
  type ReopenRequest,
  reopenDeliveries,
} from '../../../src/delivery/control/reopen.ts';
import { expiredReason } from '../../../src/delivery/queue/delivery-outcome.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, setDeliveries } from '../fixture.ts';

const REFUSED = 'mx.example:25 answered: 550 5.1.1 <address>: relay not permitted';
const EXPIRED = expiredReason('mx.example:25 answered: 451 4.7.1 try again in 300 seconds');
const LATER = NOW + 12 * HOUR;
const BOTH = ['failed', 'expired'] as const;

function reopen(store: Store, editionId: number, changes: Partial<ReopenRequest> = {}) {
  const request = { kinds: BOTH, expiresAt: LATER, isDryRun: false, ...changes };
  return reopenDeliveries(store, editionId, request, NOW);
}

/** An edition that is done, each of whose deliveries has failed or, as the last one, expired. */
async function failedEdition(store: Store, emails: string[]) {
  const queued = await queueEdition(store, emails);
  const failed = { state: 'failed' as const, attempts: 8, fence: 3, expires_at: NOW - HOUR, reason: REFUSED };
  await setDeliveries(store, failed);
  await setDeliveries(store, { reason: EXPIRED }, { subscriber_id: queued.subscriberIds.at(-1)! });
  await store.db.updateTable('editions').set({ delivery_state: 'done' }).execute();
  return queued;
}

async function stateOf(store: Store): Promise<string> {
  return (await store.db.selectFrom('editions').select('delivery_state').executeTakeFirstOrThrow()).delivery_state;
}

describe('reopening deliveries', () => {
  forBothDatabases((open) => {
    it('makes failed and expired ones pending, with all attempts and a new expiry, of a done edition', async () => {
      const store = await open();
      const { editionId } = await failedEdition(store, ['a@example.com', 'b@example.com', 'c@example.com']);
      const groups = [
        { kind: 'failed', words: '550 5.1.1 <address>: relay not permitted', count: 2 },
        { kind: 'expired', words: '451 4.7.1 try again in # seconds', count: 1 },
      ];
      const before = await deliveriesOf(store);
      expect(await reopen(store, editionId, { isDryRun: true })).toEqual({ reopened: 3, ineligible: 0, groups });
      expect([await deliveriesOf(store), await stateOf(store)]).toEqual([before, 'done']);

      expect(await reopen(store, editionId)).toEqual({ reopened: 3, ineligible: 0, groups });
      const row = { state: 'pending', attempts: 0, due_at: NOW, expires_at: LATER, lease_until: null, fence: 4 };
      expect(await deliveriesOf(store)).toMatchObject(Array(3).fill({ ...row, reason: 'retried by the operator' }));
      expect(await stateOf(store)).toBe('delivering');
      expect(await reopen(store, editionId)).toEqual({ reopened: 0, ineligible: 0, groups: [] });
    });

    it('keeps a later expiry, and none', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await failedEdition(store, ['a@example.com', 'b@example.com']);
      await setDeliveries(store, { expires_at: null }, { subscriber_id: subscriberIds[0]! });
      await setDeliveries(store, { expires_at: LATER + 1 }, { subscriber_id: subscriberIds[1]! });
      await reopen(store, editionId);
      expect((await deliveriesOf(store)).map((row) => row.expires_at)).toEqual([null, LATER + 1]);
    });

    it('takes only the named kinds', async () => {
      const store = await open();
      const emails = ['a@one_x.example', 'b@oneyx.example', 'c@sub.one_x.example', 'd@one_x.example'];
      const { editionId } = await failedEdition(store, emails);
      const reopened = async (changes: Partial<ReopenRequest>) =>
        (await reopen(store, editionId, { isDryRun: true, ...changes })).groups.map(({ kind, count }) => [kind, count]);
      expect(await reopened({ kinds: ['failed'] })).toEqual([['failed', 3]]);
      expect(await reopened({ kinds: ['expired'] })).toEqual([['expired', 1]]);
    });

    it('never retries people who are suppressed, unsubscribed, paused or erased', async () => {
      const store = await open();
      const emails = ['suppressed', 'left', 'paused', 'erased', 'here'].map((name) => `${name}@example.com`);
      const { editionId, subscriberIds } = await failedEdition(store, emails);
      const [suppressed, left, paused, erased, here] = subscriberIds as [number, number, number, number, number];
      await suppressAddress(store.db, SECRETS, suppressed, 'hard-bounce', { channel: 'bounce' }, NOW);
      await store.db
        .updateTable('subscriptions')
        .set({ state: 'unsubscribed' })
        .where('subscriber_id', '=', left)
        .execute();
      await store.db
        .updateTable('subscribers')
        .set({ paused_until: NOW + 1 })
        .where('id', '=', paused)
        .execute();
      await eraseSubscriber(store.db, SECRETS, erased, NOW);
      expect(await reopen(store, editionId)).toMatchObject({ reopened: 1, ineligible: 4 });
      const pending = (await deliveriesOf(store)).filter((row) => row.state === 'pending');
      expect(pending.map((row) => row.subscriber_id)).toEqual([here]);
    });

    it('leaves a paused edition paused, and opens a cancelled one only where that is requested', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 3);
      await setDeliveries(store, { state: 'failed', reason: REFUSED }, { subscriber_id: subscriberIds[0]! });
      await pauseEdition(store.db, editionId, 'a mistake');
      expect(await reopen(store, editionId)).toMatchObject({ reopened: 1 });
      expect(await stateOf(store)).toBe('paused');
      await setDeliveries(store, { state: 'failed', reason: REFUSED }, { subscriber_id: subscriberIds[0]! });
      await cancelEdition(store, editionId, 'the wrong list', NOW);
      await expect(reopen(store, editionId)).rejects.toThrow(
        'daily-roundup/2026-11-24 is cancelled: to deliver it after all, use "daywire editions retry',
      );
      expect(await reopen(store, editionId, { kinds: ['cancelled'] })).toMatchObject({
        reopened: 2,
        groups: [{ kind: 'cancelled', words: 'the wrong list', count: 2 }],
      });
      expect(await stateOf(store)).toBe('delivering');
      expect((await deliveriesOf(store)).map((row) => row.state)).toEqual(['failed', 'pending', 'pending']);
    });
  });
});

describe('expired and uncertain deliveries of an edition', () => {
  forBothDatabases((open) => {
    it('are counted and extended while they are open', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 5);
      const rows: Partial<Tables['deliveries']>[] = [
        { expires_at: NOW },
        { expires_at: NOW + 1 },
        { expires_at: LATER + 1 },
        { expires_at: NOW, state: 'failed' },
      ];
      for (const [n, row] of rows.entries()) await setDeliveries(store, row, { subscriber_id: subscriberIds[n]! });
      expect(await countExpiredPending(store.reports, editionId, NOW)).toBe(1);
      expect(await extendDeliveries(store, editionId, LATER)).toBe(2);
      expect(await extendDeliveries(store, editionId, LATER)).toBe(0);
      expect((await deliveriesOf(store)).map((row) => row.expires_at)).toEqual([LATER, LATER, LATER + 1, NOW, null]);
    });

    it('are settled together, except those that may still be in progress', async () => {
      const store = await open();
      const { editionId, subscriberIds } = await queueEdition(store, 4);
      const other = await queueEdition(store, 1, { slot: '2026-11-25', number: 2, articleId: 'next' });
      await setDeliveries(store, { state: 'submitting', lease_until: NOW, fence: 1 });
      await setDeliveries(store, { lease_until: NOW + MINUTE }, { subscriber_id: subscriberIds[2]! });
      await setDeliveries(store, { state: 'failed' }, { subscriber_id: subscriberIds[3]! });
      const of = (id: number, as: 'submitted' | 'retry') => settleDeliveries(store.db, { editionId: id }, as, NOW);
      expect(await of(editionId, 'submitted')).toEqual({ settled: 2, inProgress: 1, until: NOW + MINUTE });
      expect(await of(editionId, 'submitted')).toMatchObject({ settled: 0 });
      const states = (await deliveriesOf(store)).map((row) => row.state);
      expect(states).toEqual(['submitted', 'submitted', 'submitting', 'failed', 'submitting']);
      await cancelEdition(store, other.editionId, 'x', NOW);
      await expect(of(other.editionId, 'retry')).rejects.toThrow('2026-11-25 is cancelled');
    });
  });
});

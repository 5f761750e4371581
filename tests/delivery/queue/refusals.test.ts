import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { EditionDeliveryState } from '../../../src/core/store/tables.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { GroupCommit } from '../../../src/delivery/queue/group-commit.ts';
import type { ClaimedDelivery } from '../../../src/delivery/queue/outbox.ts';
import {
  deleteRefusalsOfFinished,
  readRefusalsInARow,
  readRefusalsOfDomain,
  takeBackRefusals,
} from '../../../src/delivery/queue/refusals.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf } from '../fixture.ts';

const EMAILS = ['ada@example.com', 'bo@example.org', 'cy@example.org'];

/** Three deliveries that are being submitted. */
async function submitting(store: Store) {
  const { editionId, subscriberIds } = await queueEdition(store, EMAILS);
  const options = { now: NOW, limit: 10, leaseMs: MINUTE, uncertain: 'retry' as const, rateLimiter: null };
  const { deliveries } = await claimDeliveries(store, options);
  const commit = new GroupCommit(store, () => NOW);
  await Promise.all(deliveries.map((delivery) => commit.mark(delivery)));
  const refuse = (delivery: ClaimedDelivery | undefined, domain: string, change: Partial<ClaimedDelivery> = {}) =>
    commit.record(
      { ...(delivery as ClaimedDelivery), ...change },
      { kind: 'failed', reply: '550 no', reason: 'no' },
      { kind: 'refused', domain, refusal: 'permanent', isRepeated: false },
    );
  const accept = (delivery: ClaimedDelivery | undefined, domain: string) =>
    commit.record(delivery as ClaimedDelivery, { kind: 'submitted', reply: '250 ok' }, { kind: 'accepted', domain });
  return { editionId, subscriberIds, deliveries, refuse, accept };
}

function setState({ db }: Store, delivery_state: EditionDeliveryState) {
  return db.updateTable('editions').set({ delivery_state }).execute();
}

describe('refusals', () => {
  forBothDatabases((open) => {
    it('are recorded with their outcome, unless the claim was lost', async () => {
      const store = await open();
      const { editionId, deliveries, refuse } = await submitting(store);
      const [ada, bo, cy] = deliveries;
      await Promise.all([
        refuse(ada, 'example.com'),
        refuse(bo, 'example.org'),
        refuse(cy, 'example.org', { fence: 99 }),
      ]);
      const group = { kind: 'permanent', repeated: false, count: 1 };
      const { groups, since } = await readRefusalsInARow(store.db, editionId);
      expect(groups.sort((a, b) => a.domain.localeCompare(b.domain))).toEqual([
        { ...group, domain: 'example.com' },
        { ...group, domain: 'example.org' },
      ]);
      expect(since).toBe(NOW);
    });

    it('in a row end with a success, and those of a domain with a success in it', async () => {
      const store = await open();
      const { editionId, deliveries, refuse, accept } = await submitting(store);
      const [ada, bo, cy] = deliveries;
      await Promise.all([refuse(ada, 'example.com'), refuse(bo, 'example.org')]);
      await accept(cy, 'example.org');
      expect(await readRefusalsInARow(store.db, editionId)).toEqual({ groups: [], since: null });
      expect((await readRefusalsOfDomain(store.db, editionId, 'example.com')).groups).toHaveLength(1);
      expect((await readRefusalsOfDomain(store.db, editionId, 'example.org')).groups).toEqual([]);
    });

    it('are taken back with the attempt, unless the edition is cancelled', async () => {
      for (const [state, after] of [
        ['cancelled', 'cancelled'],
        ['paused', 'paused'],
        ['done', 'delivering'],
      ] as const) {
        const store = await open();
        const { editionId, deliveries, refuse } = await submitting(store);
        await refuse(deliveries[0], 'example.com');
        await setState(store, state);
        const rows = await store.db
          .transaction()
          .execute((tx) => takeBackRefusals(tx, { editionId }, 'everyone', NOW + 1));
        expect(rows).toHaveLength(state === 'cancelled' ? 0 : 1);
        expect((await deliveriesOf(store))[0]).toMatchObject(
          state === 'cancelled'
            ? { state: 'failed', attempts: 1 }
            : { state: 'pending', attempts: 0, due_at: NOW + 1, reason: 'everyone', reply: '550 no' },
        );
        expect(await store.db.selectFrom('edition_refusals').selectAll().execute()).toEqual([]);
        const edition = await store.db.selectFrom('editions').select('delivery_state').executeTakeFirst();
        expect(edition?.delivery_state).toBe(after);
      }
    });

    it('are deleted with their subscriber, and when the edition is over', async () => {
      const store = await open();
      const { subscriberIds, deliveries, refuse } = await submitting(store);
      const rest = () =>
        store.db.selectFrom('edition_refusals').select('subscriber_id').orderBy('subscriber_id').execute();
      await Promise.all([refuse(deliveries[0], 'example.com'), refuse(deliveries[1], 'example.org')]);
      expect(await rest()).toHaveLength(2);
      await eraseSubscriber(store.db, SECRETS, subscriberIds[0] as number, NOW);
      expect(await rest()).toEqual([{ subscriber_id: subscriberIds[1] }]);
      await deleteRefusalsOfFinished(store.db);
      expect(await rest()).toHaveLength(1);
      await setState(store, 'done');
      await deleteRefusalsOfFinished(store.db);
      expect(await rest()).toEqual([]);
    });
  });
});

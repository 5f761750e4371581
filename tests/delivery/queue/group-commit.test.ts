import { describe, expect, it } from 'vitest';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { openGroupCommit } from '../../../src/delivery/queue/group-commit.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import type { StatementBatch } from '../../../src/store/statement-batch.ts';
import type { Store } from '../../../src/store/store.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { deliveriesOf, NOW, queueEdition } from '../fixture.ts';

const SUBMITTED = { kind: 'submitted', reply: '250 ok' } as const;

async function claim(store: Store) {
  const options = { now: NOW, limit: 100, leaseMs: 2 * MINUTE, uncertain: 'retry', throttle: null } as const;
  return (await claimDeliveries(store, options)).deliveries;
}

/** The store, counting its group transactions, and failing those that it is told to. */
function counting(store: Store, fail: (transaction: number) => Error | null = () => null) {
  let transactions = 0;
  const batch: StatementBatch = async (queries) => {
    transactions += 1;
    const error = fail(transactions);
    if (error !== null) throw error;
    return store.batch(queries);
  };
  return { db: store.db, batch, transactions: () => transactions };
}

describe('the ledger', () => {
  forEachDatabase((open) => {
    it('writes the marks of all connections in one transaction', async () => {
      const store = await open();
      await queueEdition(store, 7);
      const claims = await claim(store);
      const counted = counting(store);
      const ledger = openGroupCommit(counted, () => NOW);
      const markings = await Promise.all(claims.map((row) => ledger.mark(row)));
      expect(markings).toEqual(Array(7).fill({ kind: 'submitting' }));
      expect(counted.transactions()).toBe(1);
      expect(await deliveriesOf(store)).toMatchObject(
        Array(7).fill({ state: 'submitting', attempts: 1, lease_until: NOW + 12 * MINUTE }),
      );
    });

    it('writes a result together with the next mark, and gathers while it writes', async () => {
      const store = await open();
      await queueEdition(store, 8);
      const claims = await claim(store);
      const counted = counting(store);
      const ledger = openGroupCommit(counted, () => NOW);
      // Four connections with two messages each.
      await Promise.all(
        claims.slice(0, 4).map(async (first, n) => {
          await ledger.mark(first);
          const recorded = ledger.record(first, SUBMITTED);
          const second = claims[4 + n]!;
          expect(await ledger.mark(second)).toEqual({ kind: 'submitting' });
          expect(await recorded).toBe(true);
          expect(await ledger.record(second, SUBMITTED)).toBe(true);
        }),
      );
      expect(counted.transactions()).toBe(3);
      expect((await deliveriesOf(store)).map((row) => row.state)).toEqual(Array(8).fill('submitted'));
    });

    it('tells each what came of its own', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 3);
      const [a, b, c] = await claim(store);
      await store.db
        .updateTable('subscribers')
        .set({ paused_until: NOW + 1 })
        .where('id', '=', subscriberIds[1]!)
        .execute();
      const ledger = openGroupCommit(store, () => NOW);
      const answers = await Promise.all([
        ledger.mark(a!),
        ledger.mark(b!),
        ledger.mark({ ...c!, fence: 7 }),
        ledger.record({ ...c!, fence: 7 }, SUBMITTED),
        ledger.record(c!, { kind: 'put-back', reason: null }),
      ]);
      expect(answers).toMatchObject([{ kind: 'submitting' }, { kind: 'suppressed' }, { kind: 'lost' }, false, true]);
    });

    it('tells all of a transaction that it failed, and goes on with the next', async () => {
      const store = await open();
      await queueEdition(store, 2);
      const [a, b] = await claim(store);
      const counted = counting(store, (n) => (n === 1 ? new Error('the disk is full') : null));
      const ledger = openGroupCommit(counted, () => NOW);
      const ended = await Promise.allSettled([ledger.mark(a!), ledger.record(b!, SUBMITTED)]);
      expect(ended).toMatchObject(Array(2).fill({ status: 'rejected', reason: { message: 'the disk is full' } }));
      expect(await ledger.mark(a!)).toEqual({ kind: 'submitting' });
    });

    it('begins again where the database ended the transaction for the sake of another', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const [row] = await claim(store);
      const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' });
      const ledger = openGroupCommit(
        counting(store, (n) => (n <= 2 ? deadlock : null)),
        () => NOW,
      );
      expect(await ledger.mark(row!)).toEqual({ kind: 'submitting' });
      expect(await deliveriesOf(store)).toMatchObject([{ attempts: 1 }]);
    });
  });
});

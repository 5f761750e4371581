import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { StatementBatch } from '../../../src/core/store/statement-batch.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { GroupCommit, SUBMITTING_LEASE } from '../../../src/delivery/queue/group-commit.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { deliveriesOf } from '../fixture.ts';

const SUBMITTED = { kind: 'submitted', reply: '250 ok' } as const;

async function claim(store: Store) {
  const options = { now: NOW, limit: 100, leaseMs: 2 * MINUTE, uncertain: 'retry', dailyLimit: null } as const;
  return (await claimDeliveries(store, options)).deliveries;
}

/** A store that counts its batches, and in which some fail. */
function countBatches(store: Store, fail: (transaction: number) => Error | null = () => null) {
  let transactions = 0;
  const batch: StatementBatch = async (queries) => {
    transactions += 1;
    const error = fail(transactions);
    if (error !== null) throw error;
    return store.batch(queries);
  };
  return { db: store.db, batch, transactions: () => transactions };
}

describe('GroupCommit', () => {
  forBothDatabases((open) => {
    it.each([
      ['is back', new Error('Connection terminated unexpectedly')],
      ['has room again', Object.assign(new Error('database or disk is full'), { errcode: 13 })],
      ['has room again', Object.assign(new Error('could not extend file'), { code: '53100' })],
    ])('records the outcome of a submission when the database %s, and refuses marks until then', async (_, lost) => {
      const store = await open();
      await queueEdition(store, 2);
      const [first, second] = await claim(store);
      const counted = countBatches(store, (transaction) => (transaction === 2 || transaction === 3 ? lost : null));
      const commit = new GroupCommit(counted, () => NOW, 5);
      await commit.mark(first!);
      const recorded = commit.record(first!, SUBMITTED);
      await expect(commit.mark(second!)).rejects.toBe(lost);
      expect(await recorded).toBe(true);
      expect(counted.transactions()).toBe(4);
      expect((await deliveriesOf(store)).map(({ state }) => state)).toEqual(['submitted', 'pending']);
    });

    it.each([
      ['records an outcome after an outage that was longer than the lease', 50 * MINUTE, true],
      ['gives an outcome up after an hour, and so lets the process end', 61 * MINUTE, false],
    ])('%s', async (_, lasts, isRecorded) => {
      const store = await open();
      await queueEdition(store, 1);
      const [claimed] = await claim(store);
      const clock = vi.spyOn(performance, 'now');
      onTestFinished(() => clock.mockRestore());
      const lost = new Error('Connection terminated unexpectedly');
      const counted = countBatches(store, (transaction) => {
        if (transaction === 3) clock.mockReturnValue(performance.now() + lasts);
        return transaction === 2 || transaction === 3 ? lost : null;
      });
      const commit = new GroupCommit(counted, () => NOW, 5);
      await commit.mark(claimed!);
      const recorded = await commit.record(claimed!, SUBMITTED).catch((error: unknown) => error);
      expect(recorded).toBe(isRecorded || lost);
      expect((await deliveriesOf(store)).map(({ state }) => state)).toEqual([isRecorded ? 'submitted' : 'submitting']);
    });

    it('writes the marks of all workers in one transaction', async () => {
      const store = await open();
      await queueEdition(store, 7);
      const claims = await claim(store);
      const counted = countBatches(store);
      const commit = new GroupCommit(counted, () => NOW, 5);
      const results = await Promise.all(claims.map((row) => commit.mark(row)));
      expect(results).toEqual(Array(7).fill({ kind: 'submitting' }));
      expect(counted.transactions()).toBe(1);
      expect(await deliveriesOf(store)).toMatchObject(
        Array(7).fill({ state: 'submitting', attempts: 1, lease_until: NOW + SUBMITTING_LEASE }),
      );
    });

    it('writes an outcome together with the next mark, and collects requests while it writes', async () => {
      const store = await open();
      await queueEdition(store, 8);
      const claims = await claim(store);
      const counted = countBatches(store);
      const commit = new GroupCommit(counted, () => NOW, 5);
      // Four workers with two messages each.
      await Promise.all(
        claims.slice(0, 4).map(async (first, n) => {
          await commit.mark(first);
          const recorded = commit.record(first, SUBMITTED);
          const second = claims[4 + n]!;
          expect(await commit.mark(second)).toEqual({ kind: 'submitting' });
          expect(await recorded).toBe(true);
          expect(await commit.record(second, SUBMITTED)).toBe(true);
        }),
      );
      expect(counted.transactions()).toBe(3);
      expect((await deliveriesOf(store)).map((row) => row.state)).toEqual(Array(8).fill('submitted'));
    });

    it('returns to each caller its own result', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 3);
      const [a, b, c] = await claim(store);
      await store.db
        .updateTable('subscribers')
        .set({ paused_until: NOW + 1 })
        .where('id', '=', subscriberIds[1]!)
        .execute();
      const commit = new GroupCommit(store, () => NOW);
      const results = await Promise.all([
        commit.mark(a!),
        commit.mark(b!),
        commit.mark({ ...c!, fence: 7 }),
        commit.record({ ...c!, fence: 7 }, SUBMITTED),
        commit.record(c!, { kind: 'released', reason: null }),
      ]);
      expect(results).toMatchObject([{ kind: 'submitting' }, { kind: 'suppressed' }, { kind: 'lost' }, false, true]);
    });

    it('rejects all requests of a failed transaction, and continues with the next', async () => {
      const store = await open();
      await queueEdition(store, 2);
      const [a, b] = await claim(store);
      const counted = countBatches(store, (n) => (n === 1 ? new Error('the disk is full') : null));
      const commit = new GroupCommit(counted, () => NOW, 5);
      const results = await Promise.allSettled([commit.mark(a!), commit.record(b!, SUBMITTED)]);
      expect(results).toMatchObject(Array(2).fill({ status: 'rejected', reason: { message: 'the disk is full' } }));
      expect(await commit.mark(a!)).toEqual({ kind: 'submitting' });
    });

    it('retries a transaction after a deadlock', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const [row] = await claim(store);
      const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' });
      const commit = new GroupCommit(
        countBatches(store, (n) => (n <= 2 ? deadlock : null)),
        () => NOW,
      );
      expect(await commit.mark(row!)).toEqual({ kind: 'submitting' });
      expect(await deliveriesOf(store)).toMatchObject([{ attempts: 1 }]);
    });
  });
});

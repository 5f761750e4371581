import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import {
  claimLease,
  claimRows,
  deleteClaimed,
  releaseLease,
  revokedLease,
  updateClaimed,
} from '../../../src/core/store/lease.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

async function addRequests({ db }: Store, ...keys: string[]): Promise<void> {
  const request = { mode: 'subscribe' as const, topic: 'latest.atom', callback: 'https://example.org/', host: '' };
  const queued = { lease_seconds: 1, created_at: NOW, attempts: 0, due_at: NOW, fence: 0 };
  await db
    .insertInto('hub_requests')
    .values(keys.map((key) => ({ key, ...request, ...queued })))
    .execute();
}

function claim({ db }: Pick<Store, 'db'>, now: number, condition = sql`mode = 'subscribe'`) {
  return claimRows(db, 'hub_requests', condition, { now, until: now + MINUTE });
}

forBothDatabases((open, dialect) => {
  describe('a claim', () => {
    it('takes the rows that fulfil its condition and are due, and no row that is leased', async () => {
      const store = await open();
      await addRequests(store, 'a', 'b');
      expect(await claim(store, NOW - 1)).toEqual([]);
      expect(await claim(store, NOW, sql`key = ${'b'}`)).toMatchObject([
        { key: 'b', fence: 1, lease_until: NOW + MINUTE },
      ]);
      expect(await claim(store, NOW)).toMatchObject([{ key: 'a', fence: 1 }]);
      expect(await claim(store, NOW + MINUTE - 1)).toEqual([]);
    });

    it('records nothing once its lease has expired and another claim has followed', async () => {
      const store = await open();
      await addRequests(store, 'a');
      const [late] = await claim(store, NOW);
      const [current] = await claim(store, NOW + MINUTE);
      if (late === undefined || current === undefined) throw new Error('nothing was claimed');
      const record = (claimed: typeof late) =>
        updateClaimed(store.db, 'hub_requests', claimed).set({ attempts: 9 }).executeTakeFirstOrThrow();
      expect((await record(late)).numUpdatedRows).toBe(0n);
      expect((await deleteClaimed(store.db, 'hub_requests', late).executeTakeFirstOrThrow()).numDeletedRows).toBe(0n);
      expect((await record(current)).numUpdatedRows).toBe(1n);
      await store.db.updateTable('hub_requests').set(revokedLease('hub_requests')).execute();
      expect((await record(current)).numUpdatedRows).toBe(0n);
      const [last] = await claim(store, NOW + MINUTE);
      expect(last).toMatchObject({ attempts: 9, fence: 4 });
      expect(
        (await deleteClaimed(store.db, 'hub_requests', last as typeof late).executeTakeFirstOrThrow()).numDeletedRows,
      ).toBe(1n);
    });

    // SQLite has one writer at a time.
    if (dialect === 'postgres')
      it('skips rows that another transaction is claiming', async () => {
        const store = await open();
        await addRequests(store, 'a', 'b');
        await store.db.transaction().execute(async (tx) => {
          expect(await claim({ db: tx as never }, NOW, sql`key = ${'a'}`)).toHaveLength(1);
          expect((await claim(store, NOW)).map(({ key }) => key)).toEqual(['b']);
        });
      });
  });

  describe('a lease by name', () => {
    it('is held by one process until it is released or expires', async () => {
      const { db } = await open();
      const first = (await claimLease(db, 'x', NOW, NOW + MINUTE)) as string;
      expect(await claimLease(db, 'x', NOW + 59 * SECOND, NOW + HOUR)).toBeNull();
      expect(await claimLease(db, 'y', NOW, NOW + MINUTE)).not.toBeNull();
      const second = (await claimLease(db, 'x', NOW + MINUTE, NOW + HOUR)) as string;
      await releaseLease(db, 'x', first);
      expect(await claimLease(db, 'x', NOW + MINUTE, NOW + HOUR)).toBeNull();
      await releaseLease(db, 'x', second);
      expect(await claimLease(db, 'x', NOW + MINUTE, NOW + HOUR)).not.toBeNull();
    });

    it('is free if it was claimed before the clock was set back', async () => {
      const { db } = await open();
      await claimLease(db, 'x', NOW, NOW + MINUTE);
      expect(await claimLease(db, 'x', NOW - 30 * SECOND, NOW + 30 * SECOND)).toBeNull();
      expect(await claimLease(db, 'x', NOW - 10 * MINUTE, NOW - 9 * MINUTE)).not.toBeNull();
    });
  });
});

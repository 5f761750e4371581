import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { correctFutureInstants, LONGEST_LEASES } from '../../../src/core/store/future-instants.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { SUBMITTING_LEASE } from '../../../src/delivery/queue/group-commit.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { deliveriesOf, queueConfirmation, serviceMessagesOf } from '../../delivery/fixture.ts';
import { forBothDatabases } from '../../support/databases.ts';

const SET_BACK = NOW - 10 * MINUTE;
const CLAIM = { limit: 100, leaseMs: LONGEST_LEASES.claim, uncertain: 'retry', dailyLimit: null } as const;

/** Changes one delivery after the other, by the order of subscribers. */
async function changeDeliveries(store: Store, ids: number[], changes: Record<string, unknown>[]): Promise<void> {
  for (const [n, change] of changes.entries()) {
    await store.db.updateTable('deliveries').set(change).where('subscriber_id', '=', ids[n]!).execute();
  }
}

async function claimedAt(store: Store, now: number): Promise<number[]> {
  return (await claimDeliveries(store, { ...CLAIM, now })).deliveries.map(({ subscriberId }) => subscriberId);
}

describe('correctFutureInstants', () => {
  forBothDatabases((open) => {
    it('makes deliveries due again, but for those that are planned for a time of day', async () => {
      const store = await open();
      const { subscriberIds: ids } = await queueEdition(store, 5);
      await changeDeliveries(store, ids, [
        { attempts: 0 },
        { reason: 'greylisted', attempts: 1, due_at: NOW + 5 * MINUTE },
        { due_at: NOW + HOUR, expires_at: NOW + 2 * HOUR },
        // Claimed by a process that died.
        { lease_until: NOW + LONGEST_LEASES.claim, fence: 1 },
        { state: 'submitting', lease_until: NOW + SUBMITTING_LEASE, fence: 1, attempts: 1 },
      ]);
      expect(await claimedAt(store, SET_BACK)).toEqual([]);
      expect(await correctFutureInstants(store.db, SET_BACK)).toBeGreaterThan(0);
      expect((await claimedAt(store, SET_BACK)).sort()).toEqual([ids[0], ids[1], ids[3]]);
      // The submission may be in progress: it ends within its limit, however far the clock was set back.
      expect(await claimedAt(store, SET_BACK + SUBMITTING_LEASE - 1)).not.toContain(ids[4]);
      expect(await claimedAt(store, SET_BACK + SUBMITTING_LEASE)).toContain(ids[4]);
      expect(await claimedAt(store, NOW + HOUR)).toContain(ids[2]);
    });

    it('changes nothing if the clock was not set back, or the clocks of two machines differ a little', async () => {
      const store = await open();
      const { subscriberIds: ids } = await queueEdition(store, 3);
      await changeDeliveries(store, ids, [
        { reason: 'greylisted', attempts: 1, due_at: NOW + 4 * HOUR },
        { lease_until: NOW + LONGEST_LEASES.claim, fence: 1 },
        { state: 'submitting', lease_until: NOW + SUBMITTING_LEASE, fence: 1, attempts: 1 },
      ]);
      await queueConfirmation(store, 'ada@example.com');
      const before = await deliveriesOf(store);
      for (const now of [NOW, NOW + MINUTE, NOW - 30_000]) expect(await correctFutureInstants(store.db, now)).toBe(0);
      expect(await deliveriesOf(store)).toEqual(before);
    });

    it('makes sources due again, and their sweeps, and forgets what was asked for later than now', async () => {
      const { db } = await open();
      const later = { polled_at: NOW, swept_at: NOW, fully_swept_at: NOW, requested_at: NOW, failing_since: NOW };
      const row = { id: 'a', url: 'https://times.example', configured_api: 'auto' as const, rules: '', fence: 1 };
      await db
        .insertInto('sources')
        .values({ ...row, ...later, due_at: NOW + HOUR, lease_until: NOW + LONGEST_LEASES.claim })
        .execute();
      expect(await correctFutureInstants(db, NOW - 30_000)).toBe(0);
      expect(await correctFutureInstants(db, SET_BACK)).toBeGreaterThan(0);
      expect(await db.selectFrom('sources').selectAll().executeTakeFirstOrThrow()).toMatchObject({
        ...{ polled_at: SET_BACK, swept_at: SET_BACK, fully_swept_at: SET_BACK, failing_since: SET_BACK },
        ...{ requested_at: null, due_at: SET_BACK, lease_until: null },
      });
      expect(await correctFutureInstants(db, SET_BACK)).toBe(0);
    });

    it('makes the work of the other outboxes due again', async () => {
      const { db } = await open().then(async (store) => {
        await queueConfirmation(store, 'ada@example.com');
        return store;
      });
      const hub = sql`topic, callback, host, due_at, attempts, lease_until, fence`;
      const values = sql`'latest.atom', 'https://example.org/', 'example.org', ${NOW + MINUTE}, 1, ${NOW + 30_000}, 1`;
      await sql`insert into pending_changes (article_id, due_at, changed_at)
        values ('now', ${NOW}, ${NOW}), ('planned', ${NOW + HOUR}, ${NOW})`.execute(db);
      await sql`insert into hub_requests (key, mode, lease_seconds, created_at, ${hub})
        values ('a', 'subscribe', 1, ${NOW}, ${values})`.execute(db);
      await sql`insert into hub_subscriptions (key, verified_at, expires_at, version, pending, pending_since, ${hub})
        values ('a', ${NOW}, ${NOW + HOUR}, 1, 1, ${NOW}, ${values})`.execute(db);
      await sql`insert into runs (schedule, slot_at, state, covers, attempts, started_at, finished_at, lease_until)
        values ('a', ${NOW}, 'running', 1, 1, ${NOW}, null, ${NOW + 2 * MINUTE}),
          ('b', ${NOW}, 'failed', 1, 1, ${NOW}, ${NOW}, ${NOW + MINUTE})`.execute(db);
      await sql`insert into back_off (id, reason, failures, since, retry_at, alerted)
        values (1, 'away', 3, ${NOW - MINUTE}, ${NOW + 2 * MINUTE}, 0)`.execute(db);
      await correctFutureInstants(db, SET_BACK);
      const due = { due_at: SET_BACK, lease_until: null };
      expect(await db.selectFrom('hub_requests').selectAll().execute()).toMatchObject([due]);
      expect(await db.selectFrom('hub_subscriptions').selectAll().execute()).toMatchObject([due]);
      expect(await serviceMessagesOf({ db } as Store)).toMatchObject([{ due_at: SET_BACK }]);
      expect(await db.selectFrom('pending_changes').selectAll().orderBy('article_id').execute()).toMatchObject([
        { due_at: SET_BACK },
        { due_at: NOW + HOUR },
      ]);
      expect(await db.selectFrom('runs').selectAll().orderBy('schedule').execute()).toMatchObject([
        { lease_until: SET_BACK + LONGEST_LEASES.run },
        { lease_until: SET_BACK },
      ]);
      expect(await db.selectFrom('back_off').selectAll().execute()).toMatchObject([{ retry_at: SET_BACK }]);
    });
  });

  it('knows the lease of a submission', () => {
    expect(LONGEST_LEASES.submission).toBe(SUBMITTING_LEASE);
  });
});

import { Kysely, SqliteDialect, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import {
  claimPendingDeliveries,
  countDeliveries,
  listFailedDeliveries,
  markSubmitting,
  recordResult,
  releaseClaims,
} from '../../src/delivery/outbox.ts';
import { migrate } from '../../src/store/schema.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { unsubscribe } from '../../src/subscribers/subscriptions.ts';
import { MINUTE } from '../../src/time.ts';
import { forEachDatabase } from '../databases.ts';
import { deliveriesOf, NOW, queueEdition } from './fixture.ts';

const LEASE = 2 * MINUTE;
const INTERRUPTED = 'interrupted while submitting: tried again with the same Message-ID';

describe('the outbox', () => {
  forEachDatabase((open) => {
    it('gives every delivery to one claim only', async () => {
      const store = await open();
      await queueEdition(store, 5);
      const claim = () => claimPendingDeliveries(store, { now: NOW, limit: 2, leaseMs: LEASE });
      const claims = (await Promise.all([claim(), claim(), claim(), claim()])).flat();
      expect(claims.map((row) => row.email).sort()).toEqual([1, 2, 3, 4, 5].map((n) => `reader${n}@example.com`));
      expect(claims.every((row) => row.fence === 1 && row.attempts === 0)).toBe(true);
      expect(await deliveriesOf(store)).toMatchObject(Array(5).fill({ state: 'pending', lease_until: NOW + LEASE }));
    });

    it('claims what is due, longest due first, and nothing else', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 3);
      const dueAt = [NOW - 1, NOW - 2, NOW + 1];
      for (const [n, id] of subscriberIds.entries()) {
        await store.db.updateTable('deliveries').set({ due_at: dueAt[n]! }).where('subscriber_id', '=', id).execute();
      }
      const claimOne = () => claimPendingDeliveries(store, { now: NOW, limit: 1, leaseMs: LEASE });
      expect(await claimOne()).toMatchObject([{ email: 'reader2@example.com' }]);
      expect(await claimOne()).toMatchObject([{ email: 'reader1@example.com' }]);
      expect(await claimOne()).toEqual([]);
    });

    it('claims of one edition where it is named', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 1);
      const claim = (id: number) =>
        claimPendingDeliveries(store, { now: NOW, limit: 9, leaseMs: LEASE, editionId: id });
      expect(await claim(editionId + 1)).toEqual([]);
      expect(await claim(editionId)).toHaveLength(1);
    });

    it('claims again what a dead worker had claimed, and refuses that worker when it wakes', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const claim = (now: number) => claimPendingDeliveries(store, { now, limit: 1, leaseMs: LEASE });
      const [asleep] = await claim(NOW);
      expect(await claim(NOW + LEASE - 1)).toEqual([]);
      const [awake] = await claim(NOW + LEASE);
      expect(awake).toMatchObject({ fence: 2, reason: null });
      expect(await markSubmitting(store.db, asleep!, NOW + LEASE, LEASE)).toBe('lost');
      expect(await recordResult(store.db, asleep!, { is: 'submitted', reply: '250 late' }, NOW)).toBe(false);
      expect(await markSubmitting(store.db, awake!, NOW + LEASE, LEASE)).toBe('submitting');
    });

    it('tries again what was interrupted while submitting, and says so', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const claim = (now: number) => claimPendingDeliveries(store, { now, limit: 1, leaseMs: LEASE });
      const [first] = await claim(NOW);
      await markSubmitting(store.db, first!, NOW, 12 * MINUTE);
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitting', attempts: 1 }]);
      expect(await claim(NOW + LEASE)).toEqual([]);
      expect(await claim(NOW + 12 * MINUTE)).toMatchObject([{ attempts: 1, fence: 2, reason: INTERRUPTED }]);
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'pending', reason: INTERRUPTED }]);
    });

    it('suppresses a delivery whose subscription has ended, with the reason', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 2);
      const [stays, leaves] = await claimPendingDeliveries(store, { now: NOW, limit: 2, leaseMs: LEASE });
      await unsubscribe(store.db, { subscriberId: subscriberIds[1]!, newsletter: 'daily-roundup' }, NOW);
      expect(await markSubmitting(store.db, stays!, NOW, LEASE)).toBe('submitting');
      expect(await markSubmitting(store.db, leaves!, NOW, LEASE)).toBe('suppressed');
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'submitting' },
        { state: 'suppressed', reason: 'the subscription is not confirmed any more', lease_until: null, attempts: 0 },
      ]);
    });

    it('does not take another newsletter’s consent for this one’s', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 1);
      const [claim] = await claimPendingDeliveries(store, { now: NOW, limit: 1, leaseMs: LEASE });
      await store.db
        .insertInto('subscriptions')
        .values({ subscriber_id: subscriberIds[0]!, newsletter: 'weekly', state: 'confirmed', changed_at: NOW })
        .execute();
      await unsubscribe(store.db, { subscriberId: subscriberIds[0]!, newsletter: 'daily-roundup' }, NOW);
      expect(await markSubmitting(store.db, claim!, NOW, LEASE)).toBe('suppressed');
    });

    it('suppresses a delivery whose subscriber is gone', async () => {
      const store = await open();
      await queueEdition(store, 1);
      await store.db.deleteFrom('subscribers').execute();
      const [claim] = await claimPendingDeliveries(store, { now: NOW, limit: 1, leaseMs: LEASE });
      expect(claim).toMatchObject({ email: null });
      expect(await markSubmitting(store.db, claim!, NOW, LEASE)).toBe('suppressed');
    });

    it('marks a claim once', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const [claim] = await claimPendingDeliveries(store, { now: NOW, limit: 1, leaseMs: LEASE });
      expect(await markSubmitting(store.db, claim!, NOW, LEASE)).toBe('submitting');
      expect(await markSubmitting(store.db, claim!, NOW, LEASE)).toBe('lost');
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitting', attempts: 1 }]);
    });

    it('records how an attempt ended', async () => {
      const store = await open();
      await queueEdition(store, 4);
      const claims = await claimPendingDeliveries(store, { now: NOW, limit: 4, leaseMs: LEASE });
      for (const claim of claims) await markSubmitting(store.db, claim, NOW, LEASE);
      const at = NOW + 7;
      const [a, b, c, d] = claims;
      await recordResult(store.db, a!, { is: 'submitted', reply: '250 2.0.0 ok' }, at);
      await recordResult(store.db, b!, { is: 'deferred', dueAt: at + MINUTE, reply: '451 later', reason: 'busy' }, at);
      await recordResult(store.db, c!, { is: 'failed', reply: '550 no', reason: 'unknown' }, at);
      await recordResult(store.db, d!, { is: 'returned', reply: '530 no', reason: 'refused' }, at);
      const settled = { lease_until: null, changed_at: at };
      expect(await deliveriesOf(store)).toMatchObject([
        { ...settled, state: 'submitted', attempts: 1, reply: '250 2.0.0 ok', reason: null },
        { ...settled, state: 'pending', attempts: 1, reply: '451 later', reason: 'busy', due_at: at + MINUTE },
        { ...settled, state: 'failed', attempts: 1, reply: '550 no', reason: 'unknown' },
        { ...settled, state: 'pending', attempts: 0, reply: '530 no', reason: 'refused', due_at: NOW },
      ]);
      expect(await recordResult(store.db, a!, { is: 'failed', reply: null, reason: 'again' }, at)).toBe(false);
    });

    it('gives back claims that nothing was done with', async () => {
      const store = await open();
      await queueEdition(store, 2);
      const claim = () => claimPendingDeliveries(store, { now: NOW, limit: 2, leaseMs: LEASE });
      const claims = await claim();
      await markSubmitting(store.db, claims[0]!, NOW, LEASE);
      await releaseClaims(store.db, claims);
      expect(await claim()).toMatchObject([{ email: 'reader2@example.com', fence: 2 }]);
    });

    it('counts each edition’s deliveries by state, and lists those that failed', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 3);
      const claims = await claimPendingDeliveries(store, { now: NOW, limit: 2, leaseMs: LEASE });
      await recordResult(store.db, claims[0]!, { is: 'failed', reply: '550 no', reason: 'unknown' }, NOW + 1);
      await recordResult(store.db, claims[1]!, { is: 'submitted', reply: '250 ok' }, NOW + 1);
      expect(await countDeliveries(store.db, [editionId, editionId + 1])).toEqual(
        new Map([[editionId, { pending: 1, submitting: 0, submitted: 1, failed: 1, suppressed: 0 }]]),
      );
      expect(await countDeliveries(store.db, [])).toEqual(new Map());
      expect(await listFailedDeliveries(store.db, { limit: 5 })).toEqual([
        {
          editionId,
          subscriberId: claims[0]!.subscriberId,
          email: 'reader1@example.com',
          attempts: 0,
          reply: '550 no',
          reason: 'unknown',
          changedAt: NOW + 1,
        },
      ]);
      expect(await listFailedDeliveries(store.db, { editionId: editionId + 1, limit: 5 })).toEqual([]);
    });
  });

  it('finds what is due by its index on SQLite too, which must see the index’s own condition', async () => {
    const statements: string[] = [];
    const db = new Kysely<Tables>({
      dialect: new SqliteDialect({ database: openSqlite(':memory:') }),
      log: (event) => {
        statements.push(event.query.sql);
      },
    });
    const store: Store = { db, dialect: 'sqlite', place: ':memory:', close: () => db.destroy() };
    await migrate(store);
    await claimPendingDeliveries(store, { now: NOW, limit: 1, leaseMs: LEASE });
    const claim = statements.find((statement) => statement.startsWith('with "due"')) ?? '';
    const plan = await sql<{ detail: string }>`explain query plan ${sql.raw(claim.replaceAll('?', '1'))}`.execute(db);
    await store.close();
    expect(plan.rows.map((row) => row.detail).join('\n')).toMatch(/SEARCH deliveries USING .*INDEX deliveries_open/);
  });
});

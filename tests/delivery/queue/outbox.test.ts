import { Kysely, SqliteDialect, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { CommitWatch } from '../../../src/core/commit-watch.ts';
import { migrate } from '../../../src/core/store/schema.ts';
import { openSqlite } from '../../../src/core/store/sqlite.ts';
import { noFaults } from '../../../src/core/store/sqlite-thread.ts';
import { batchInTransaction } from '../../../src/core/store/statement-batch.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { Tables } from '../../../src/core/store/tables.ts';
import { judgeRefusal, refusalQuery } from '../../../src/delivery/control/circuit-breaker.ts';
import { type ClaimOptions, claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import type { DeliveryOutcome } from '../../../src/delivery/queue/delivery-outcome.ts';
import {
  type ClaimedDelivery,
  finishEditions,
  recordOutcomes,
  releaseClaims,
} from '../../../src/delivery/queue/outbox.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { deliveriesOf, markSubmitting, setDeliveries } from '../fixture.ts';

const LEASE = 2 * MINUTE;
const INTERRUPTED = 'interrupted while submitting: retried with the same Message-ID';
const NEXT = { slot: '2026-11-25', number: 2, articleId: 'next' };

async function claim(store: Store, options: Partial<ClaimOptions> = {}): Promise<ClaimedDelivery[]> {
  return (await claimAll(store, options)).deliveries;
}

function claimAll(store: Store, options: Partial<ClaimOptions> = {}) {
  return claimDeliveries(store, {
    now: NOW,
    limit: 100,
    leaseMs: LEASE,
    uncertain: 'retry',
    dailyLimit: null,
    ...options,
  });
}

async function mark(store: Store, claims: ClaimedDelivery[], now = NOW): Promise<string[]> {
  const results = await store.db.transaction().execute((tx) => markSubmitting(tx, claims, now, 12 * MINUTE));
  return results.map(({ kind }) => kind);
}

function names(claims: ClaimedDelivery[]): string[] {
  return claims.map(({ email }) => email?.replace('@example.com', '') ?? 'none');
}

function setDeliveryState(store: Store, editionId: number, delivery_state: 'delivering' | 'paused' | 'cancelled') {
  return store.db
    .updateTable('editions')
    .set({ delivery_state, delivery_reason: 'wrong list' })
    .where('id', '=', editionId)
    .execute();
}

describe('claimDeliveries', () => {
  forBothDatabases((open) => {
    it('returns every delivery in one claim only', async () => {
      const store = await open();
      await queueEdition(store, 5);
      const claims = await Promise.all([1, 2, 3, 4].map(() => claim(store, { limit: 2 })));
      expect(names(claims.flat()).sort()).toEqual([1, 2, 3, 4, 5].map((n) => `subscriber${n}`));
      expect(claims.flat().every((row) => row.fence === 1 && row.attempts === 0)).toBe(true);
      expect(await deliveriesOf(store)).toMatchObject(
        Array(5).fill({ state: 'pending', fence: 1, lease_until: NOW + LEASE }),
      );
    });

    it('claims what has been due longest, and nothing that is not due', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 3);
      for (const [n, dueAt] of [NOW - 1, NOW - 2, NOW + 1].entries()) {
        await setDeliveries(store, { due_at: dueAt }, { subscriber_id: subscriberIds[n]! });
      }
      expect(names(await claim(store, { limit: 1 }))).toEqual(['subscriber2']);
      expect(names(await claim(store, { limit: 1 }))).toEqual(['subscriber1']);
      expect(await claim(store)).toEqual([]);
    });

    it('claims the oldest edition first, and skips an edition without due deliveries', async () => {
      const store = await open();
      const idle = await queueEdition(store, 1, { slot: '2026-11-22', articleId: 'idle', number: 9 });
      const old = await queueEdition(store, 2);
      const young = await queueEdition(store, 2, NEXT);
      await setDeliveries(store, { due_at: NOW + HOUR }, { edition_id: idle.editionId });
      await setDeliveries(store, { due_at: NOW - HOUR }, { edition_id: young.editionId });
      const claims = await claim(store, { limit: 3 });
      expect(claims.map((row) => row.editionId)).toEqual([old.editionId, old.editionId, young.editionId]);
    });

    it('claims nothing of an edition that is paused, cancelled or not requested', async () => {
      const store = await open();
      const first = await queueEdition(store, 1);
      const second = await queueEdition(store, 1, NEXT);
      await setDeliveryState(store, first.editionId, 'paused');
      expect((await claim(store)).map((row) => row.editionId)).toEqual([second.editionId]);
      await setDeliveryState(store, second.editionId, 'cancelled');
      expect(await claim(store, { now: NOW + HOUR })).toEqual([]);
      await setDeliveryState(store, first.editionId, 'delivering');
      expect(await claim(store, { editionId: second.editionId })).toEqual([]);
      expect(await claim(store, { editionId: first.editionId })).toHaveLength(1);
    });

    it('claims again after the lease has expired, and the first claim is lost', async () => {
      const store = await open();
      await queueEdition(store, 1);
      const lost = await claim(store);
      expect(await claim(store, { now: NOW + LEASE - 1 })).toEqual([]);
      const current = await claim(store, { now: NOW + LEASE });
      expect(current).toMatchObject([{ fence: 2 }]);
      expect(await mark(store, lost, NOW + LEASE)).toEqual(['lost']);
      const late = { claim: lost[0]!, outcome: { kind: 'submitted', reply: '250 late' } as const };
      expect(await recordOutcomes(store.db, [late], NOW)).toEqual([false]);
      expect(await mark(store, current, NOW + LEASE)).toEqual(['submitting']);
    });

    it('claims interrupted submissions again, and records the interruption', async () => {
      const store = await open();
      await queueEdition(store, 1);
      await mark(store, await claim(store));
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'submitting', attempts: 1 }]);
      expect(await claim(store, { now: NOW + LEASE })).toEqual([]);
      expect(await claim(store, { now: NOW + 12 * MINUTE })).toMatchObject([{ attempts: 1, fence: 2 }]);
      expect(await deliveriesOf(store)).toMatchObject([{ state: 'pending', fence: 2, reason: INTERRUPTED }]);
    });

    it('keeps in each later reason that an attempt may have arrived', async () => {
      const store = await open();
      await queueEdition(store, 1);
      await mark(store, await claim(store));
      const now = NOW + 12 * MINUTE;
      const outcomes: DeliveryOutcome[] = [
        { kind: 'deferred', dueAt: now, reply: '451 later', reason: '451 later' },
        { kind: 'released', reason: null },
        { kind: 'failed', reply: '550 no', reason: '550 no' },
      ];
      const reasons: unknown[] = [];
      for (const outcome of outcomes) {
        const [claimed] = await claim(store, { now });
        await recordOutcomes(store.db, [{ claim: claimed!, outcome }], now);
        reasons.push((await deliveriesOf(store))[0]?.reason);
      }
      expect(reasons).toEqual(['451 later; it may have arrived', 'it may have arrived', '550 no; it may have arrived']);
    });

    it.each([
      ['was interrupted before', '451 later', 'interrupted while submitting: retried'],
      ['ends without a reply', 'no reply in time; it may have arrived', null],
    ])('says so of an edition that is cancelled during an attempt that %s', async (_, reason, before) => {
      const store = await open();
      const { editionId } = await queueEdition(store, 1);
      const [claimed] = await claim(store);
      await mark(store, [claimed!]);
      await setDeliveries(store, { reason: before });
      await setDeliveryState(store, editionId, 'cancelled');
      const outcome = { kind: 'deferred', dueAt: NOW, reply: null, reason } as const;
      await recordOutcomes(store.db, [{ claim: claimed!, outcome }], NOW);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'suppressed', reason: 'cancelled by the operator: wrong list; it may have arrived' },
      ]);
    });

    it('fails expired deliveries together, with the last reason', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 4);
      await store.db
        .updateTable('deliveries')
        .set({ expires_at: NOW })
        .where('subscriber_id', '!=', subscriberIds[3]!)
        .execute();
      await setDeliveries(store, { reason: 'busy' }, { subscriber_id: subscriberIds[1]! });
      await setDeliveries(store, { state: 'submitting', lease_until: NOW }, { subscriber_id: subscriberIds[2]! });
      const claimed = await claimAll(store, { limit: 10 });
      expect(claimed).toMatchObject({ expired: 3, deliveries: [{ email: 'subscriber4@example.com' }] });
      const expired = 'expired: it could not be submitted in time';
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'failed', reason: expired, attempts: 0, lease_until: null },
        { state: 'failed', reason: `${expired}; the last attempt: busy` },
        { state: 'failed', reason: `${expired}; the last attempt was interrupted, so it may have arrived` },
        { state: 'pending' },
      ]);
    });

    it('claims released deliveries again, but not those that are submitting', async () => {
      const store = await open();
      await queueEdition(store, 3);
      const claims = await claim(store);
      await mark(store, claims.slice(0, 1));
      await releaseClaims(store.db, claims);
      expect(await claim(store)).toMatchObject([
        { email: 'subscriber2@example.com', fence: 2 },
        { email: 'subscriber3@example.com', fence: 2 },
      ]);
    });
  });

  it('uses partial indexes on SQLite, which requires literals, and keys for updates', async () => {
    const statements: string[] = [];
    const db = new Kysely<Tables>({
      dialect: new SqliteDialect({ database: openSqlite(':memory:') }),
      log: (event) => {
        statements.push(event.query.sql);
      },
    });
    const store: Store = {
      db,
      reports: db,
      batch: batchInTransaction(db),
      commits: new CommitWatch(async () => 0),
      dialect: 'sqlite',
      faults: noFaults(),
      location: ':memory:',
      close: () => db.destroy(),
    };
    await migrate(store);
    const { editionId } = await queueEdition(store, 1);
    const [claimed] = await claim(store);
    await mark(store, [claimed!]);
    await recordOutcomes(db, [{ claim: claimed!, outcome: { kind: 'submitted', reply: '250' } }], NOW);
    await releaseClaims(db, [claimed!]);
    await store.batch([refusalQuery(db, [{ claim: claimed!, kind: 'permanent' }])]);
    await db.updateTable('editions').set({ delivery_state: 'paused' }).execute();
    await judgeRefusal(store, editionId, 'refused', NOW, undefined);
    await db.updateTable('editions').set({ delivery_state: 'delivering' }).execute();
    await finishEditions(store.db);
    const planOf = async (part: string): Promise<string> => {
      const statement = statements.find((one) => one.includes(part) && !one.startsWith('create')) ?? '';
      const plan = await sql<{ detail: string }>`explain query plan ${sql.raw(statement.replaceAll('?', '1'))}`.execute(
        db,
      );
      return plan.rows.map((row) => row.detail).join('\n');
    };
    const plans = {
      due: await planOf('left join subscribers'),
      mark: await planOf(`set state = 'submitting'`),
      record: await planOf('set state = case'),
      release: await planOf('set lease_until = null'),
      reopen: await planOf('attempts - 1, due_at'),
      done: await planOf('not exists (select "deliveries"'),
    };
    await store.close();
    expect(plans.due).toMatch(/SEARCH deliveries USING INDEX deliveries_open \(edition_id=\? AND due_at<\?\)/);
    expect(plans.due).not.toContain('TEMP B-TREE');
    // By key, not through all open rows: with a million of them every message would take a second.
    for (const plan of [plans.mark, plans.record, plans.release, plans.reopen]) {
      expect(plan).toMatch(/SEARCH deliveries USING INDEX .*\(edition_id=\? AND subscriber_id=\?\)/);
    }
    expect(plans.mark).toMatch(/USING COVERING INDEX editions_in_delivery/);
    expect(plans.done).toMatch(/editions_in_delivery/);
    expect(plans.done).toMatch(/deliveries_open/);
  });
});

describe('markSubmitting', () => {
  forBothDatabases((open) => {
    it('marks many deliveries at once, each only once', async () => {
      const store = await open();
      await queueEdition(store, 5);
      const claims = await claim(store);
      expect(await mark(store, claims)).toEqual(Array(5).fill('submitting'));
      expect(await mark(store, claims)).toEqual(Array(5).fill('lost'));
      expect(await deliveriesOf(store)).toMatchObject(
        Array(5).fill({ state: 'submitting', attempts: 1, lease_until: NOW + 12 * MINUTE, changed_at: NOW }),
      );
    });

    it.each([
      ['unsubscribed', (s: Store) => s.db.updateTable('subscriptions').set({ state: 'unsubscribed' as const })],
      ['never confirmed', (s: Store) => s.db.updateTable('subscriptions').set({ state: 'unconfirmed' as const })],
      [
        'subscribed to another newsletter',
        (s: Store) => s.db.updateTable('subscriptions').set({ newsletter: 'weekly' }),
      ],
    ])('suppresses the delivery for a subscriber who %s', async (_what, change) => {
      const store = await open();
      await queueEdition(store, 1);
      const claims = await claim(store);
      await change(store).execute();
      expect(await mark(store, claims)).toEqual(['suppressed']);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'suppressed', reason: 'the subscription is no longer confirmed', lease_until: null, attempts: 0 },
      ]);
    });

    it('suppresses deliveries for suppressed, paused and deleted subscribers, and no others', async () => {
      const store = await open();
      const { subscriberIds } = await queueEdition(store, 5);
      const claims = await claim(store);
      const of = (n: number) => store.db.updateTable('subscribers').where('id', '=', subscriberIds[n]!);
      await of(0).set({ suppressed_reason: 'complaint', suppressed_at: NOW }).execute();
      await of(1)
        .set({ paused_until: NOW + 1 })
        .execute();
      await of(2).set({ paused_until: NOW }).execute();
      await store.db.deleteFrom('subscribers').where('id', '=', subscriberIds[3]!).execute();
      await of(4).set({ held_by: 'gmail' }).execute();
      expect(await mark(store, claims)).toEqual(['suppressed', 'suppressed', 'submitting', 'suppressed', 'released']);
      expect((await deliveriesOf(store)).map((row) => row.reason)).toEqual([
        'the address is suppressed: complaint',
        'the subscriber paused mail until 2026-11-24T07:30:00Z',
        null,
        'the subscriber no longer exists',
        null,
      ]);
    });

    it('releases deliveries of a paused edition, and suppresses those of a cancelled one', async () => {
      const store = await open();
      const first = await queueEdition(store, 1);
      const second = await queueEdition(store, 1, NEXT);
      const claims = await claim(store);
      await setDeliveryState(store, first.editionId, 'paused');
      await setDeliveryState(store, second.editionId, 'cancelled');
      expect(await mark(store, claims)).toEqual(['released', 'suppressed']);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'pending', attempts: 0, lease_until: null, reason: null },
        { state: 'suppressed', reason: 'cancelled by the operator: wrong list' },
      ]);
    });

    it('fails a delivery that expired after it was claimed', async () => {
      const store = await open();
      await queueEdition(store, 1);
      await setDeliveries(store, { expires_at: NOW + 1, reason: 'busy' });
      const claims = await claim(store);
      expect(await mark(store, claims, NOW + 1)).toEqual(['failed']);
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'failed', attempts: 0, reason: 'expired: it could not be submitted in time; the last attempt: busy' },
      ]);
    });
  });
});

describe('recordOutcomes', () => {
  forBothDatabases((open) => {
    it('records many outcomes at once, each once and only under its fence', async () => {
      const store = await open();
      await queueEdition(store, 5);
      const claims = await claim(store);
      await mark(store, claims);
      const at = NOW + 7;
      const [a, b, c, d, e] = claims as [
        ClaimedDelivery,
        ClaimedDelivery,
        ClaimedDelivery,
        ClaimedDelivery,
        ClaimedDelivery,
      ];
      const outcomes: Parameters<typeof recordOutcomes>[1] = [
        { claim: a, outcome: { kind: 'submitted', reply: '250 2.0.0 ok' } },
        { claim: b, outcome: { kind: 'deferred', dueAt: at + MINUTE, reply: '451 later', reason: 'busy' } },
        { claim: c, outcome: { kind: 'failed', reply: '550 no', reason: 'unknown' } },
        { claim: d, outcome: { kind: 'reverted', reply: '530 no', reason: 'refused' } },
        { claim: { ...e, fence: e.fence - 1 }, outcome: { kind: 'failed', reply: null, reason: 'late' } },
      ];
      expect(await recordOutcomes(store.db, outcomes, at)).toEqual([true, true, true, true, false]);
      const recorded = { lease_until: null, changed_at: at };
      expect(await deliveriesOf(store)).toMatchObject([
        { ...recorded, state: 'submitted', attempts: 1, reply: '250 2.0.0 ok', reason: null },
        { ...recorded, state: 'pending', attempts: 1, reply: '451 later', reason: 'busy', due_at: at + MINUTE },
        { ...recorded, state: 'failed', attempts: 1, reply: '550 no', reason: 'unknown' },
        { ...recorded, state: 'pending', attempts: 0, reply: '530 no', reason: 'refused', due_at: NOW },
        { state: 'submitting', attempts: 1, reply: null },
      ]);
      expect(await recordOutcomes(store.db, outcomes.slice(0, 1), at)).toEqual([false]);
    });

    it('suppresses a delivery that would be pending if its edition was cancelled during the submission', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 2);
      const claims = await claim(store);
      await mark(store, claims);
      await setDeliveryState(store, editionId, 'cancelled');
      await recordOutcomes(
        store.db,
        [
          { claim: claims[0]!, outcome: { kind: 'submitted', reply: '250 ok' } },
          { claim: claims[1]!, outcome: { kind: 'deferred', dueAt: NOW, reply: '451 later', reason: 'busy' } },
        ],
        NOW,
      );
      expect(await deliveriesOf(store)).toMatchObject([
        { state: 'submitted', reason: null },
        { state: 'suppressed', reply: '451 later', reason: 'cancelled by the operator: wrong list' },
      ]);
    });

    it('lets finishEditions set an edition to done when none of its deliveries is open', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 2);
      const other = await queueEdition(store, 1, NEXT);
      const claims = await claim(store, { limit: 2 });
      const submitted = { kind: 'submitted', reply: '250 ok' } as const;
      await recordOutcomes(store.db, [{ claim: claims[0]!, outcome: submitted }], NOW);
      await mark(store, claims.slice(1));
      expect(await finishEditions(store.db)).toEqual([]);
      await recordOutcomes(store.db, [{ claim: claims[1]!, outcome: submitted }], NOW);
      expect(await finishEditions(store.db)).toEqual([editionId]);
      const editions = await store.db.selectFrom('editions').select(['id', 'delivery_state']).orderBy('id').execute();
      expect(editions).toEqual([
        { id: editionId, delivery_state: 'done' },
        { id: other.editionId, delivery_state: 'delivering' },
      ]);
    });
  });
});

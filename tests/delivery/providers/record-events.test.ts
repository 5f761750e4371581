import { beforeEach, describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { mailboxToken } from '../../../src/audience/tokens.ts';
import { readDelivered, readDeliveryCounts } from '../../../src/core/store/counts.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { Tables } from '../../../src/core/store/tables.ts';
import { recordProviderEvents } from '../../../src/delivery/providers/record-events.ts';
import type { ProviderEvent } from '../../../src/delivery/providers/report-reader.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import {
  type DeliveryOutcome,
  INTERRUPTED,
  MAY_HAVE_ARRIVED,
  REPORTED,
} from '../../../src/delivery/queue/delivery-outcome.ts';
import { recordOutcomes } from '../../../src/delivery/queue/outbox.ts';
import { settleDelivered } from '../../../src/delivery/queue/reported-deliveries.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { type About, leaveToken, returnToken, submitEditions, subscriberState } from '../bounces/bounce-fixture.ts';
import { deliveriesOf, setDeliveries, testConfig } from '../fixture.ts';

const settings = { config: testConfig(), secrets: SECRETS, provider: 'postmark' as const };

function event(changes: Partial<ProviderEvent> = {}): ProviderEvent {
  const status = '5.1.1';
  return { id: 'event-1', kind: 'hard', token: null, email: null, status, detail: 'unknown', at: NOW, ...changes };
}

describe('events of mail providers', () => {
  forBothDatabases((open) => {
    let store: Store;
    let about: About;
    let other: About;
    beforeEach(async () => {
      store = await open();
      [about, other] = (await submitEditions(store, 2)) as [About, About];
    });
    const record = (events: ProviderEvent[], options: { nonce?: string; now?: number } = {}) =>
      recordProviderEvents(store, settings, { events, nonce: options.nonce ?? null }, options.now ?? NOW);
    const ids = () => store.db.selectFrom('webhook_events').select(['provider', 'received_at']).execute();

    it('end the subscriptions of a person who complains, and the one that a person leaves', async () => {
      const { subscriberId } = about;
      const weekly = {
        subscriber_id: subscriberId,
        newsletter: 'weekly',
        state: 'confirmed' as const,
        changed_at: NOW,
      };
      await store.db.insertInto('subscriptions').values(weekly).execute();
      const states = async () =>
        (await store.db.selectFrom('subscriptions').select('state').orderBy('newsletter').execute()).map(
          (s) => s.state,
        );
      const token = returnToken(about);
      expect(await record([event({ kind: 'unsubscribe', token })])).toMatchObject({ unsubscribed: 1 });
      expect(await states()).toEqual(['unsubscribed', 'confirmed']);
      expect(await record([event({ id: 'event-2', kind: 'complaint', token })])).toMatchObject({ complaint: 1 });
      expect(await states()).toEqual(['unsubscribed', 'unsubscribed']);
      expect(await subscriberState(store, about)).toMatchObject({ suppressed: 'complaint' });
    });

    it('do not end a subscription again when they are replayed after the person has returned', async () => {
      const { subscriberId } = about;
      const left = event({ kind: 'unsubscribe', token: returnToken(about) });
      expect(await record([left])).toMatchObject({ unsubscribed: 1 });
      await store.db
        .updateTable('subscriptions')
        .set({ state: 'confirmed', changed_at: NOW + HOUR })
        .where('subscriber_id', '=', subscriberId)
        .execute();
      expect(await record([left], { now: NOW + DAY })).toMatchObject({ unsubscribed: 0, ignored: 1 });
      expect((await subscriberState(store, about)).subscription).toBe('confirmed');
    });

    it('record the first report that a message reached the mailbox, and none in the future', async () => {
      const delivered = (which: About, at: number) => event({ kind: 'delivered', token: returnToken(which), at });
      const first = [delivered(about, NOW - 5), delivered(about, NOW - 9), delivered(other, NOW + DAY)];
      expect(await record(first)).toMatchObject({ delivered: 2, ignored: 1 });
      expect(await record([delivered(about, NOW - HOUR)])).toMatchObject({ delivered: 0, ignored: 1 });
      const rows = await deliveriesOf(store);
      expect(rows.map((row) => row.delivered_at)).toEqual([NOW - 9, NOW]);
      const counted = await readDelivered(store.db, [about.editionId, other.editionId]);
      expect([...counted.values()]).toEqual([1, 1]);
      expect(rows.map((row) => row.state)).toEqual(['submitted', 'submitted']);
      // There are too many to keep their ids.
      expect(await ids()).toEqual([]);
    });

    it('change nothing with a token of another installation, or one of an unsubscribe address', async () => {
      const before = [await subscriberState(store, about), await deliveriesOf(store)];
      const foreign = mailboxToken(['another secret, thirty-two characters at least'], { purpose: 'bounce', ...about });
      const email = 'subscriber1@example.com';
      const events = [event({ token: foreign, email }), event({ kind: 'delivered', token: foreign, email })];
      expect(await record(events)).toMatchObject({ foreign: 2, hard: 0, delivered: 0 });
      expect(await record([event({ kind: 'delivered', token: leaveToken(about) })])).toMatchObject({ ignored: 1 });
      expect([await subscriberState(store, about), await deliveriesOf(store)]).toEqual(before);
    });

    it('are about the address where no token is returned, except a delivery', async () => {
      const email = 'Subscriber1@Example.com';
      expect(await record([event({ kind: 'delivered', email })])).toMatchObject({ delivered: 0, ignored: 1 });
      expect(await record([event({ email: 'nobody@example.com' })])).toMatchObject({ hard: 0, ignored: 1 });
      expect(await record([event({ id: 'event-2', email })])).toMatchObject({ hard: 1 });
      expect((await subscriberState(store, about)).suppressed).toBe('hard-bounce');
    });

    it('change nothing if their signature was used before, as one that does not cover them', async () => {
      const token = returnToken(about);
      expect(await record([event({ kind: 'soft', token })], { nonce: 'once' })).toMatchObject({ soft: 1 });
      const forged = [event({ id: 'event-2', token }), event({ id: 'event-3', kind: 'delivered', token })];
      expect(await record(forged, { nonce: 'once' })).toMatchObject({ hard: 0, delivered: 0, ignored: 2 });
      expect((await subscriberState(store, about)).suppressed).toBeNull();
      expect(await record(forged, { nonce: 'another' })).toMatchObject({ hard: 1, delivered: 1 });
    });

    it('are recorded although the store refuses one of them, which is reported as a failure', async () => {
      const refused = event({ kind: 'odd' as 'hard', token: returnToken(about) });
      const arrived = event({ kind: 'delivered', token: returnToken(other) });
      const events = [arrived, refused, event({ id: 'event-2', token: returnToken(other) })];
      await expect(record(events)).rejects.toThrow(/check/i);
      expect((await subscriberState(store, other)).suppressed).toBe('hard-bounce');
      expect((await deliveriesOf(store)).map((row) => row.delivered_at)).toEqual([null, NOW]);
      // The refused one is not taken for known when it is sent again.
      expect(await ids()).toHaveLength(1);
      await expect(record([refused], { nonce: 'n' })).rejects.toThrow(/check/i);
      expect(await ids()).toHaveLength(1);
    });

    it('are given up after five failures in a row, since the store is away', async () => {
      const refused = [1, 2, 3, 4, 5].map((n) =>
        event({ id: `refused-${n}`, kind: 'odd' as 'hard', token: returnToken(about) }),
      );
      const last = event({ email: 'nobody@example.com' });
      await expect(record([...refused.slice(1), last])).rejects.toThrow(/check/i);
      expect(await ids()).toHaveLength(1);
      await expect(record([...refused, { ...last, id: 'event-2' }])).rejects.toThrow(/check/i);
      expect(await ids()).toHaveLength(1);
    });

    describe('about a delivery that may have arrived', () => {
      let open: About;
      beforeEach(async () => {
        const { editionId, subscriberIds } = await queueEdition(store, ['ben@example.com'], {
          slot: 'open',
          number: 9,
          articleId: 'open',
        });
        open = { editionId, subscriberId: subscriberIds[0] as number };
      });
      const set = async (changes: Partial<Tables['deliveries']>) => {
        await setDeliveries(store, changes, { edition_id: open.editionId });
      };
      const row = async () => (await deliveriesOf(store)).find((one) => one.edition_id === open.editionId);
      const counts = async () => {
        const rows = await readDeliveryCounts(store.db, [open.editionId]);
        return rows.filter((one) => one.count > 0).map(({ state, count }) => `${state} ${count}`);
      };
      const arrived = (kind: ProviderEvent['kind']) => record([event({ kind, token: returnToken(open) })]);
      const claim = (now: number) =>
        claimDeliveries(store, { now, limit: 10, leaseMs: MINUTE, uncertain: 'retry', dailyLimit: null });

      it('settle it as submitted, so that it is not sent again', async () => {
        const cases: [string, Partial<Tables['deliveries']>][] = [
          ['delivered', { state: 'submitting', lease_until: NOW - 1 }],
          ['delivered', { state: 'pending', reason: INTERRUPTED }],
          ['delivered', { state: 'pending', reason: INTERRUPTED, lease_until: NOW + MINUTE }],
          ['soft', { state: 'submitting', lease_until: NOW - 1 }],
          ['delivered', { state: 'suppressed', reason: 'cancelled by the operator: wrong; it may have arrived' }],
          ['delivered', { state: 'failed', reason: 'expired: it could not be submitted in time; it may have arrived' }],
        ];
        for (const [n, [kind, changes]] of cases.entries()) {
          await set({ lease_until: null, delivered_at: null, ...changes, fence: 10 * n });
          await record([event({ id: `settle-${n}`, kind: kind as ProviderEvent['kind'], token: returnToken(open) })]);
          const settled = { state: 'submitted', reason: null, lease_until: null, fence: 10 * n + 1 };
          expect(await row(), JSON.stringify(changes)).toMatchObject(settled);
          expect(await counts()).toEqual(['submitted 1']);
        }
        expect((await claim(NOW + DAY)).deliveries).toEqual([]);
      });

      it('leave it to a worker that is submitting it, and settle it only if that worker ends', async () => {
        await set({ state: 'submitting', lease_until: NOW + MINUTE, fence: 3 });
        await arrived('delivered');
        expect(await row()).toMatchObject({ state: 'submitting', fence: 3, delivered_at: NOW });
        expect((await claim(NOW + HOUR)).deliveries).toEqual([]);
        expect(await row()).toMatchObject({ state: 'submitted', lease_until: null });
        expect(await counts()).toEqual(['submitted 1']);
      });

      it('settle it although the worker that submits it then records a lost reply', async () => {
        const outcomes: DeliveryOutcome[] = [
          { kind: 'deferred', dueAt: NOW, reply: null, reason: MAY_HAVE_ARRIVED },
          { kind: 'failed', reply: '550 no', reason: `attempt 8 of 8; ${MAY_HAVE_ARRIVED}` },
          { kind: 'uncertain', reason: MAY_HAVE_ARRIVED },
        ];
        for (const [n, outcome] of outcomes.entries()) {
          await set({ state: 'submitting', lease_until: NOW + MINUTE, fence: n, delivered_at: null });
          await record([event({ id: `lost-${n}`, kind: 'delivered', token: returnToken(open) })]);
          expect(await recordOutcomes(store.db, [{ claim: { ...open, fence: n }, outcome }], NOW)).toEqual([true]);
          const settled = { state: 'submitted', reply: REPORTED, reason: null, lease_until: null };
          expect(await row(), outcome.kind).toMatchObject(settled);
          expect(await counts()).toEqual(['submitted 1']);
        }
      });

      it('settle it with uncertain: hold, too, once that worker has ended', async () => {
        await set({ state: 'submitting', lease_until: NOW + MINUTE });
        await arrived('delivered');
        await settleDelivered(store, NOW + MINUTE - 1);
        expect(await row()).toMatchObject({ state: 'submitting' });
        await settleDelivered(store, NOW + MINUTE);
        expect(await row()).toMatchObject({ state: 'submitted', lease_until: null });
        expect(await counts()).toEqual(['submitted 1']);
      });

      it('take back that it was refused', async () => {
        await set({ state: 'submitting', lease_until: NOW - 1 });
        const refusal = { domain: 'example.com', kind: 'permanent' as const, repeated: 0, accepted: 1, fence: 0 };
        const key = { edition_id: open.editionId, subscriber_id: open.subscriberId };
        await store.db
          .insertInto('edition_refusals')
          .values({ ...key, ...refusal })
          .execute();
        await arrived('delivered');
        expect(await store.db.selectFrom('edition_refusals').selectAll().execute()).toEqual([]);
      });

      it('do not settle one that has certainly not arrived', async () => {
        const reason = '550 5.7.1 refused';
        await set({ state: 'failed', reason });
        await arrived('delivered');
        expect(await row()).toMatchObject({ state: 'failed', reason });
        await set({ state: 'pending', reason: null });
        await record([event({ id: 'soft', kind: 'soft', token: returnToken(open) })]);
        expect(await row()).toMatchObject({ state: 'pending' });
      });
    });
  });
});

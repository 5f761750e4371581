import { describe, expect, it } from 'vitest';
import {
  addSubscriber,
  findSubscriberByAddress,
  findSubscriptionState,
  listSubscribers,
} from '../../src/audience/subscriptions.ts';
import { suppressByOperator } from '../../src/audience/suppression.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import type { Store } from '../../src/core/store/store.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { ADA, addConfirmed, consentEvents, NOW, OPERATOR, removeSubscriber, unsubscribe } from './fixtures.ts';

const ONE_CLICK = { channel: 'one-click', source: '2001:db8::7' } as const;

/** Adds an address to the daily newsletter, unless `more` says otherwise. */
const add = ({ db }: Store, email = ADA, more: { newsletters?: string[]; zone?: string } = {}, now = NOW) =>
  addSubscriber(db, SECRETS, { email, newsletters: ['daily'], ...more }, OPERATOR, now);
const list = ({ db }: Store) => listSubscribers(db, { limit: 10 });

describe('subscribers', () => {
  forEachDatabase((open) => {
    it('are added with confirmed subscriptions', async () => {
      const store = await open();
      expect(await add(store, 'Ada@Example.com', { newsletters: ['daily', 'weekly'] })).toMatchObject({
        kind: 'stored',
        subscriptions: [
          { newsletter: 'daily', outcome: 'added' },
          { newsletter: 'weekly', outcome: 'added' },
        ],
      });
      const nothing = { choice: null, feedSince: null, movedTo: null };
      expect(await list(store)).toEqual([
        {
          ...{ id: expect.any(Number), email: 'Ada@Example.com', zone: null, createdAt: NOW },
          ...{ pausedUntil: null, suppressedReason: null },
          subscriptions: [
            { newsletter: 'daily', state: 'confirmed', changedAt: NOW, ...nothing },
            { newsletter: 'weekly', state: 'confirmed', changedAt: NOW, ...nothing },
          ],
        },
      ]);
    });

    it('are identified and found by their address in any spelling', async () => {
      const store = await open();
      const first = await add(store, 'Ada@bücher.example');
      const again = await add(store, 'ADA@xn--bcher-kva.example', {}, NOW + 1);
      expect(again).toEqual({ ...first, subscriptions: [{ newsletter: 'daily', outcome: 'already' }] });
      const stored = { email: 'Ada@bücher.example', subscriptions: [{ newsletter: 'daily', changedAt: NOW }] };
      expect(await list(store)).toMatchObject([stored]);
      expect(await findSubscriberByAddress(store.db, ' ada@XN--bcher-kva.example')).toMatchObject(stored);
      expect(await findSubscriberByAddress(store.db, 'ada+x@bücher.example')).toBeNull();
      expect(await findSubscriberByAddress(store.db, 'ada')).toBeNull();
    });

    it('are refused with a reason if their address or zone is invalid, or if they are suppressed', async () => {
      const store = await open();
      await suppressByOperator(store.db, SECRETS, ADA, NOW);
      const rotated: SigningSecrets = ['another secret, of thirty-two characters', ...SECRETS];
      const refusals = [
        await add(store, 'ada@localhost'),
        await add(store, 'ben@example.com', { zone: 'Mars/Olympus' }),
        await addSubscriber(store.db, rotated, { email: 'Ada@Example.com', newsletters: ['daily'] }, OPERATOR, NOW),
      ];
      expect(refusals).toEqual(
        [
          'ada@localhost: "localhost" is not a full domain name such as example.com',
          'Mars/Olympus: it must be an IANA time zone such as Asia/Shanghai',
          'Ada@Example.com: it is on the suppression list (operator, since 2026-11-24T07:30:00Z)',
        ].map((reason) => ({ kind: 'refused', reason })),
      );
      expect(await list(store)).toEqual([]);
    });

    it('change their zone only if one is given', async () => {
      const store = await open();
      for (const zone of ['Europe/London', 'Asia/Shanghai', undefined]) await add(store, ADA, { zone });
      expect(await list(store)).toMatchObject([{ zone: 'Asia/Shanghai' }]);
    });

    it('can be removed from one newsletter or from all, once, if they are known', async () => {
      const store = await open();
      await addConfirmed(store, ADA, ['weekly', 'daily', 'monthly']);
      const remove = (email: string, now: number, newsletter?: string) =>
        removeSubscriber(store.db, email, OPERATOR, now, newsletter);
      expect(await remove('ADA@example.com', NOW + 1, 'monthly')).toEqual({
        kind: 'removed',
        newsletters: ['monthly'],
      });
      expect(await remove(ADA, NOW + 5)).toEqual({ kind: 'removed', newsletters: ['daily', 'weekly'] });
      expect(await remove(ADA, NOW + 9)).toEqual({ kind: 'already' });
      const [ada] = await list(store);
      expect(ada?.subscriptions).toMatchObject(
        [5, 1, 5].map((after, n) => {
          return { newsletter: ['daily', 'monthly', 'weekly'][n], state: 'unsubscribed', changedAt: NOW + after };
        }),
      );
      for (const email of ['ben@example.com', 'not an address']) {
        expect(await remove(email, NOW)).toEqual({ kind: 'unknown' });
      }
    });

    it('are confirmed if the operator adds them after they unsubscribed, or while they are unconfirmed', async () => {
      const store = await open();
      const added = await add(store);
      for (const [state, outcome] of [
        ['unsubscribed', 'resubscribed'],
        ['unconfirmed', 'confirmed'],
      ] as const) {
        await store.db.updateTable('subscriptions').set({ state }).execute();
        const again = await add(store, ADA, {}, NOW + 9);
        expect(again).toEqual({ ...added, subscriptions: [{ newsletter: 'daily', outcome }] });
        expect(await list(store)).toMatchObject([{ subscriptions: [{ state: 'confirmed', changedAt: NOW + 9 }] }]);
      }
    });

    it('unsubscribe with their token, idempotently', async () => {
      const store = await open();
      const { db } = store;
      const subscriberId = await addConfirmed(store, ADA, ['daily', 'weekly']);
      const daily = { subscriberId, newsletter: 'daily' };
      expect(await unsubscribe(db, daily, ONE_CLICK, NOW + 5)).toBe('unsubscribed');
      expect(await unsubscribe(db, daily, ONE_CLICK, NOW + 9)).toBe('already');
      const left = { newsletter: 'daily', state: 'unsubscribed', changedAt: NOW + 5 };
      expect(await list(store)).toMatchObject([
        { subscriptions: [left, { newsletter: 'weekly', state: 'confirmed' }] },
      ]);
      expect(await findSubscriptionState(db, daily)).toBe('unsubscribed');
      expect(await unsubscribe(db, { subscriberId, newsletter: 'monthly' }, ONE_CLICK, NOW)).toBe('already');
      expect(await findSubscriptionState(db, { subscriberId: subscriberId + 1, newsletter: 'daily' })).toBeNull();
    });

    it('have an event for every effective change, and for no other', async () => {
      const store = await open();
      const { db } = store;
      const from = { ...OPERATOR, source: 'l.csv:7' };
      const addFrom = (newsletters: string[], zone?: string) =>
        addSubscriber(db, SECRETS, { email: ADA, newsletters, zone }, from, NOW);
      const added = await addFrom(['daily'], 'Europe/London');
      await addFrom(['daily', 'weekly'], 'Europe/London');
      await addFrom([], 'Asia/Tokyo');
      const subscriberId = added.kind === 'stored' ? added.subscriberId : 0;
      for (const now of [NOW + 5, NOW + 9]) {
        await unsubscribe(db, { subscriberId, newsletter: 'daily' }, ONE_CLICK, now);
        await removeSubscriber(db, ADA, OPERATOR, now, 'weekly');
        await unsubscribe(db, { subscriberId, newsletter: 'monthly' }, ONE_CLICK, now);
        await unsubscribe(db, { subscriberId: subscriberId + 1, newsletter: 'daily' }, ONE_CLICK, now);
      }
      expect(await consentEvents(store)).toEqual([
        'confirmed daily by operator from l.csv:7',
        'confirmed weekly by operator from l.csv:7',
        'zone by operator from l.csv:7 (Asia/Tokyo)',
        'unsubscribed daily by one-click from 2001:db8::7 at 5',
        'unsubscribed weekly by operator at 5',
      ]);
    });

    it('are added once if several requests add them at the same time', async () => {
      const store = await open();
      const added = await Promise.all([1, 2, 3].map(() => add(store)));
      expect(added.map((one) => one.kind === 'stored' && one.subscriptions[0]?.outcome).sort()).toEqual([
        'added',
        'already',
        'already',
      ]);
    });

    it('are listed by page, optionally of one newsletter', async () => {
      const store = await open();
      for (const name of ['a', 'b', 'c', 'd']) {
        await addConfirmed(store, `${name}@example.com`, name === 'b' ? ['weekly'] : ['daily']);
      }
      const pageOf = (afterId?: number) => listSubscribers(store.db, { newsletter: 'daily', limit: 2, afterId });
      const first = await pageOf();
      expect(first.map((s) => s.email)).toEqual(['a@example.com', 'c@example.com']);
      expect((await pageOf(first.at(-1)?.id)).map((s) => s.email)).toEqual(['d@example.com']);
    });
  });
});

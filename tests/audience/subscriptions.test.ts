import { describe, expect, it } from 'vitest';
import {
  addSubscriber,
  findSubscriberByAddress,
  findSubscription,
  listSubscribers,
  removeSubscriber,
  unsubscribe,
} from '../../src/audience/subscriptions.ts';
import { suppressByOperator } from '../../src/audience/suppression.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { consentEvents, NOW, OPERATOR } from './fixtures.ts';

const ONE_CLICK = { channel: 'one-click', source: '2001:db8::7' } as const;

describe('subscribers', () => {
  forEachDatabase((open) => {
    it('are added with confirmed subscriptions', async () => {
      const { db } = await open();
      const added = await addSubscriber(
        db,
        SECRETS,
        { email: 'Ada@Example.com', newsletters: ['daily', 'weekly'] },
        OPERATOR,
        NOW,
      );
      expect(added).toMatchObject({
        kind: 'stored',
        subscriptions: [
          { newsletter: 'daily', outcome: 'added' },
          { newsletter: 'weekly', outcome: 'added' },
        ],
      });
      expect(await listSubscribers(db, { limit: 10 })).toEqual([
        {
          id: expect.any(Number),
          email: 'Ada@Example.com',
          zone: null,
          createdAt: NOW,
          pausedUntil: null,
          suppressedReason: null,
          subscriptions: [
            { newsletter: 'daily', state: 'confirmed', changedAt: NOW },
            { newsletter: 'weekly', state: 'confirmed', changedAt: NOW },
          ],
        },
      ]);
    });

    it('are identified by address in any spelling', async () => {
      const { db } = await open();
      const first = await addSubscriber(
        db,
        SECRETS,
        { email: 'ada@bücher.example', newsletters: ['daily'] },
        OPERATOR,
        NOW,
      );
      const again = await addSubscriber(
        db,
        SECRETS,
        { email: 'ADA@xn--bcher-kva.example', newsletters: ['daily'] },
        OPERATOR,
        NOW + 1,
      );
      expect(again).toEqual({ ...first, subscriptions: [{ newsletter: 'daily', outcome: 'already' }] });
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([
        { email: 'ada@bücher.example', subscriptions: [{ changedAt: NOW }] },
      ]);
    });

    it('are refused with a reason if their address or zone is invalid', async () => {
      const { db } = await open();
      expect(
        await addSubscriber(db, SECRETS, { email: 'ada@localhost', newsletters: ['daily'] }, OPERATOR, NOW),
      ).toEqual({
        kind: 'refused',
        reason: 'ada@localhost: "localhost" is not a full domain name such as example.com',
      });
      const zone = 'Mars/Olympus';
      expect(
        await addSubscriber(db, SECRETS, { email: 'ada@example.com', newsletters: ['daily'], zone }, OPERATOR, NOW),
      ).toEqual({
        kind: 'refused',
        reason: 'Mars/Olympus: it must be an IANA time zone such as Asia/Shanghai',
      });
      expect(await listSubscribers(db, { limit: 10 })).toEqual([]);
    });

    it('change their zone only if one is given', async () => {
      const { db } = await open();
      const add = (zone?: string) =>
        addSubscriber(db, SECRETS, { email: 'ada@example.com', newsletters: ['daily'], zone }, OPERATOR, NOW);
      await add('Europe/London');
      await add('Asia/Shanghai');
      await add();
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([{ zone: 'Asia/Shanghai' }]);
    });

    it('can be removed from one newsletter', async () => {
      const { db } = await open();
      await addSubscriber(db, SECRETS, { email: 'ada@example.com', newsletters: ['daily', 'weekly'] }, OPERATOR, NOW);
      expect(await removeSubscriber(db, 'ADA@example.com', OPERATOR, NOW + 5, 'daily')).toEqual({
        kind: 'removed',
        newsletters: ['daily'],
      });
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([
        {
          subscriptions: [
            { newsletter: 'daily', state: 'unsubscribed', changedAt: NOW + 5 },
            { newsletter: 'weekly', state: 'confirmed', changedAt: NOW },
          ],
        },
      ]);
    });

    it('can be removed from all newsletters, once', async () => {
      const { db } = await open();
      await addSubscriber(db, SECRETS, { email: 'ada@example.com', newsletters: ['weekly', 'daily'] }, OPERATOR, NOW);
      expect(await removeSubscriber(db, 'ada@example.com', OPERATOR, NOW + 5)).toEqual({
        kind: 'removed',
        newsletters: ['daily', 'weekly'],
      });
      expect(await removeSubscriber(db, 'ada@example.com', OPERATOR, NOW + 9)).toEqual({ kind: 'already' });
      const [ada] = await listSubscribers(db, { limit: 10 });
      expect(ada?.subscriptions.map((s) => s.changedAt)).toEqual([NOW + 5, NOW + 5]);
    });

    it('cannot be removed if they are unknown', async () => {
      const { db } = await open();
      expect(await removeSubscriber(db, 'ada@example.com', OPERATOR, NOW)).toEqual({ kind: 'unknown' });
      expect(await removeSubscriber(db, 'not an address', OPERATOR, NOW)).toEqual({ kind: 'unknown' });
    });

    it('can be added again after unsubscribing', async () => {
      const { db } = await open();
      await addSubscriber(db, SECRETS, { email: 'ada@example.com', newsletters: ['daily'] }, OPERATOR, NOW);
      await removeSubscriber(db, 'ada@example.com', OPERATOR, NOW + 5);
      expect(
        await addSubscriber(db, SECRETS, { email: 'ada@example.com', newsletters: ['daily'] }, OPERATOR, NOW + 9),
      ).toMatchObject({
        subscriptions: [{ outcome: 'resubscribed' }],
      });
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([
        { subscriptions: [{ state: 'confirmed', changedAt: NOW + 9 }] },
      ]);
    });

    it('are confirmed if the operator adds them while unconfirmed', async () => {
      const { db } = await open();
      const added = await addSubscriber(
        db,
        SECRETS,
        { email: 'ada@example.com', newsletters: ['daily'] },
        OPERATOR,
        NOW,
      );
      await db.updateTable('subscriptions').set({ state: 'unconfirmed' }).execute();
      const again = await addSubscriber(
        db,
        SECRETS,
        { email: 'ada@example.com', newsletters: ['daily'] },
        OPERATOR,
        NOW,
      );
      expect(again).toEqual({ ...added, subscriptions: [{ newsletter: 'daily', outcome: 'confirmed' }] });
    });

    it('unsubscribe with their token, idempotently', async () => {
      const { db } = await open();
      const added = await addSubscriber(
        db,
        SECRETS,
        { email: 'ada@example.com', newsletters: ['daily', 'weekly'] },
        OPERATOR,
        NOW,
      );
      const subscriberId = added.kind === 'stored' ? added.subscriberId : 0;
      const daily = { subscriberId, newsletter: 'daily' };
      expect(await unsubscribe(db, daily, ONE_CLICK, NOW + 5)).toBe('unsubscribed');
      expect(await unsubscribe(db, daily, ONE_CLICK, NOW + 9)).toBe('already');
      expect(await findSubscription(db, daily)).toEqual({
        ...daily,
        email: 'ada@example.com',
        state: 'unsubscribed',
        changedAt: NOW + 5,
      });
      expect(await findSubscription(db, { subscriberId, newsletter: 'weekly' })).toMatchObject({ state: 'confirmed' });
      expect(await unsubscribe(db, { subscriberId, newsletter: 'monthly' }, ONE_CLICK, NOW)).toBe('unknown');
      expect(await findSubscription(db, { subscriberId: subscriberId + 1, newsletter: 'daily' })).toBeNull();
    });

    it('are found by address in any spelling', async () => {
      const { db } = await open();
      await addSubscriber(db, SECRETS, { email: 'Ada@bücher.example', newsletters: ['daily'] }, OPERATOR, NOW);
      expect(await findSubscriberByAddress(db, ' ada@XN--bcher-kva.example')).toMatchObject({
        email: 'Ada@bücher.example',
        subscriptions: [{ newsletter: 'daily' }],
      });
      expect(await findSubscriberByAddress(db, 'ada+x@bücher.example')).toBeNull();
      expect(await findSubscriberByAddress(db, 'ada')).toBeNull();
    });

    it('have an event for every effective change, and for no other', async () => {
      const store = await open();
      const { db } = store;
      const add = (newsletters: string[], zone?: string) =>
        addSubscriber(
          db,
          SECRETS,
          { email: 'ada@example.com', newsletters, zone },
          { ...OPERATOR, source: 'l.csv:7' },
          NOW,
        );
      const added = await add(['daily'], 'Europe/London');
      await add(['daily', 'weekly'], 'Europe/London');
      await add([], 'Asia/Tokyo');
      const subscriberId = added.kind === 'stored' ? added.subscriberId : 0;
      for (const now of [NOW + 5, NOW + 9]) {
        await unsubscribe(db, { subscriberId, newsletter: 'daily' }, ONE_CLICK, now);
        await removeSubscriber(db, 'ada@example.com', OPERATOR, now, 'weekly');
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

    it('are not added if they are suppressed', async () => {
      const { db } = await open();
      await suppressByOperator(db, SECRETS, 'ada@example.com', NOW);
      const subscriber = { email: 'Ada@Example.com', newsletters: ['daily'] };
      expect(
        await addSubscriber(db, ['another secret, of thirty-two characters', ...SECRETS], subscriber, OPERATOR, NOW),
      ).toEqual({
        kind: 'refused',
        reason: 'Ada@Example.com: it is on the suppression list (operator, since 2026-11-24T07:30:00Z)',
      });
      expect(await listSubscribers(db, { limit: 10 })).toEqual([]);
    });

    it('are added once if several requests add them at the same time', async () => {
      const { db } = await open();
      const subscriber = { email: 'ada@example.com', newsletters: ['daily'] };
      const added = await Promise.all([1, 2, 3].map(() => addSubscriber(db, SECRETS, subscriber, OPERATOR, NOW)));
      expect(added.map((one) => one.kind === 'stored' && one.subscriptions[0]?.outcome).sort()).toEqual([
        'added',
        'already',
        'already',
      ]);
    });

    it('are listed by page, optionally of one newsletter', async () => {
      const { db } = await open();
      for (const name of ['a', 'b', 'c', 'd']) {
        const newsletters = name === 'b' ? ['weekly'] : ['daily'];
        await addSubscriber(db, SECRETS, { email: `${name}@example.com`, newsletters }, OPERATOR, NOW);
      }
      const first = await listSubscribers(db, { newsletter: 'daily', limit: 2 });
      expect(first.map((s) => s.email)).toEqual(['a@example.com', 'c@example.com']);
      const rest = await listSubscribers(db, { newsletter: 'daily', limit: 2, afterId: first.at(-1)?.id ?? 0 });
      expect(rest.map((s) => s.email)).toEqual(['d@example.com']);
    });
  });
});

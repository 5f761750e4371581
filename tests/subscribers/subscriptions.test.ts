import { describe, expect, it } from 'vitest';
import {
  addSubscriber,
  findSubscription,
  listSubscribers,
  removeSubscriber,
  unsubscribe,
} from '../../src/subscribers/subscriptions.ts';
import { forEachDatabase } from '../databases.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);

describe('subscribers', () => {
  forEachDatabase((open) => {
    it('are added, confirmed at once', async () => {
      const { db } = await open();
      const added = await addSubscriber(db, { email: 'Ada@Example.com', newsletters: ['daily', 'weekly'] }, NOW);
      expect(added).toMatchObject({
        is: 'stored',
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
          subscriptions: [
            { newsletter: 'daily', state: 'confirmed', changedAt: NOW },
            { newsletter: 'weekly', state: 'confirmed', changedAt: NOW },
          ],
        },
      ]);
    });

    it('are one, however the address is written', async () => {
      const { db } = await open();
      const first = await addSubscriber(db, { email: 'ada@bücher.example', newsletters: ['daily'] }, NOW);
      const again = await addSubscriber(db, { email: 'ADA@xn--bcher-kva.example', newsletters: ['daily'] }, NOW + 1);
      expect(again).toEqual({ ...first, subscriptions: [{ newsletter: 'daily', outcome: 'already' }] });
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([
        { email: 'ada@bücher.example', subscriptions: [{ changedAt: NOW }] },
      ]);
    });

    it('are refused with the reason, and nothing is stored', async () => {
      const { db } = await open();
      expect(await addSubscriber(db, { email: 'ada@localhost', newsletters: ['daily'] }, NOW)).toEqual({
        is: 'refused',
        reason: 'ada@localhost: "localhost" is not a full domain name such as example.com',
      });
      const zone = 'Mars/Olympus';
      expect(await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily'], zone }, NOW)).toEqual({
        is: 'refused',
        reason: 'Mars/Olympus: it must be an IANA time zone such as Asia/Shanghai',
      });
      expect(await listSubscribers(db, { limit: 10 })).toEqual([]);
    });

    it('change their zone when they name another, and keep it when they name none', async () => {
      const { db } = await open();
      const add = (zone?: string) => addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily'], zone }, NOW);
      await add('Europe/London');
      await add('Asia/Shanghai');
      await add();
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([{ zone: 'Asia/Shanghai' }]);
    });

    it('are removed from one newsletter, and their row says so', async () => {
      const { db } = await open();
      await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily', 'weekly'] }, NOW);
      expect(await removeSubscriber(db, 'ADA@example.com', NOW + 5, 'daily')).toEqual({
        is: 'removed',
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

    it('are removed from all newsletters, and a second time changes nothing', async () => {
      const { db } = await open();
      await addSubscriber(db, { email: 'ada@example.com', newsletters: ['weekly', 'daily'] }, NOW);
      expect(await removeSubscriber(db, 'ada@example.com', NOW + 5)).toEqual({
        is: 'removed',
        newsletters: ['daily', 'weekly'],
      });
      expect(await removeSubscriber(db, 'ada@example.com', NOW + 9)).toEqual({ is: 'already' });
      const [ada] = await listSubscribers(db, { limit: 10 });
      expect(ada?.subscriptions.map((s) => s.changedAt)).toEqual([NOW + 5, NOW + 5]);
    });

    it('cannot be removed where they are unknown', async () => {
      const { db } = await open();
      expect(await removeSubscriber(db, 'ada@example.com', NOW)).toEqual({ is: 'unknown' });
      expect(await removeSubscriber(db, 'not an address', NOW)).toEqual({ is: 'unknown' });
    });

    it('come back after they left', async () => {
      const { db } = await open();
      await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily'] }, NOW);
      await removeSubscriber(db, 'ada@example.com', NOW + 5);
      expect(await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily'] }, NOW + 9)).toMatchObject({
        subscriptions: [{ outcome: 'resubscribed' }],
      });
      expect(await listSubscribers(db, { limit: 10 })).toMatchObject([
        { subscriptions: [{ state: 'confirmed', changedAt: NOW + 9 }] },
      ]);
    });

    it('who had yet to confirm are confirmed by the operator', async () => {
      const { db } = await open();
      const added = await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily'] }, NOW);
      await db.updateTable('subscriptions').set({ state: 'unconfirmed' }).execute();
      const again = await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily'] }, NOW);
      expect(again).toEqual({ ...added, subscriptions: [{ newsletter: 'daily', outcome: 'confirmed' }] });
    });

    it('unsubscribe by their token, twice as well as once', async () => {
      const { db } = await open();
      const added = await addSubscriber(db, { email: 'ada@example.com', newsletters: ['daily', 'weekly'] }, NOW);
      const subscriberId = added.is === 'stored' ? added.subscriberId : 0;
      const daily = { subscriberId, newsletter: 'daily' };
      expect(await unsubscribe(db, daily, NOW + 5)).toBe('unsubscribed');
      expect(await unsubscribe(db, daily, NOW + 9)).toBe('already');
      expect(await findSubscription(db, daily)).toEqual({
        ...daily,
        email: 'ada@example.com',
        state: 'unsubscribed',
        changedAt: NOW + 5,
      });
      expect(await findSubscription(db, { subscriberId, newsletter: 'weekly' })).toMatchObject({ state: 'confirmed' });
      expect(await unsubscribe(db, { subscriberId, newsletter: 'monthly' }, NOW)).toBe('unknown');
      expect(await findSubscription(db, { subscriberId: subscriberId + 1, newsletter: 'daily' })).toBeNull();
    });

    it('are listed page by page, those of one newsletter too', async () => {
      const { db } = await open();
      for (const name of ['a', 'b', 'c', 'd']) {
        const newsletters = name === 'b' ? ['weekly'] : ['daily'];
        await addSubscriber(db, { email: `${name}@example.com`, newsletters }, NOW);
      }
      const first = await listSubscribers(db, { newsletter: 'daily', limit: 2 });
      expect(first.map((s) => s.email)).toEqual(['a@example.com', 'c@example.com']);
      const rest = await listSubscribers(db, { newsletter: 'daily', limit: 2, afterId: first.at(-1)?.id ?? 0 });
      expect(rest.map((s) => s.email)).toEqual(['d@example.com']);
    });
  });
});

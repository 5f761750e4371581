import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { countNewSubscription } from '../../../src/feeds/hub/quotas.ts';
import { DAY } from '../../../src/lib/time.ts';
import { forBothDatabases, openMigrated } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { openPublisher } from './publisher.ts';
import { echo, startSubscriber } from './subscriber.ts';

/** Uses up the quotas of all clients, or callbacks, that have begun a subscription. */
async function useUp({ db }: Store, whose: 'client' | 'callback', now: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('rate_limits')
    .set({ next_at: now + 30 * DAY })
    .where('key', 'like', `hub quota ${whose} %`)
    .executeTakeFirstOrThrow();
  expect(numUpdatedRows).toBeGreaterThan(0n);
}

const topicOf = (name: string): string => `https://reader.example.com/${name}`;

forBothDatabases((open) => {
  describe('the quota of new subscriptions', () => {
    it('ends those of one network, and not of others, nor renewals', async () => {
      const store = await open();
      const publisher = await openPublisher(store);
      const subscriber = await startSubscriber('subscriber.example');
      await publisher.subscribe(subscriber.url('/old'));
      const request = (name: string, from: string) => publisher.request({ 'hub.callback': topicOf(name) }, from);
      expect((await request('a', '9.9.9.7')).status).toBe(202);
      await useUp(store, 'client', publisher.now);
      const refused = await request('b', '9.9.9.8');
      expect([refused.status, await refused.text()]).toEqual([
        429,
        expect.stringMatching(/^Too many new subscriptions from your network\./),
      ]);
      expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect((await request('b', '9.9.10.8')).status).toBe(202);
      await publisher.subscribe(subscriber.url('/old'));
      publisher.now += 31 * DAY;
      expect((await request('b', '9.9.9.8')).status).toBe(202);
    });

    it('counts one machine with many names once', async () => {
      const store = await open();
      const subscriber = await startSubscriber('subscriber.example');
      subscriber.answer = echo;
      const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
      const publisher = await openPublisher(store, { resolve });
      await publisher.subscribe(subscriber.url('/1', 'one.example.com'));
      await useUp(store, 'callback', publisher.now);
      await publisher.subscribe(subscriber.url('/2', 'two.example.com'));
      await publisher.subscribe(subscriber.url('/1', 'one.example.com'));
      const kept = await store.db.selectFrom('hub_subscriptions').select('host').execute();
      expect(kept.map(({ host }) => host.split(':')[0])).toEqual(['one.example.com']);
      expect(publisher.logged.join('\n')).toMatch(/denied .*two\.example\.com.*too many subscriptions/);
    });
  });
});

it('lets no block of addresses begin more than its quota, whatever addresses it uses', async () => {
  const store = await openMigrated();
  const suffix = fc.array(fc.nat({ max: 0xffff }), { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(suffix, { minLength: 2, maxLength: 5 }), fc.nat({ max: 0xffff }), async (hosts, net) => {
      await store.db.deleteFrom('rate_limits').execute();
      const addresses = hosts.map(
        (host) => `2001:db8:0:${net.toString(16)}:${host.map((n) => n.toString(16)).join(':')}`,
      );
      const count = (address: string) => countNewSubscription(store.db, SECRETS, 'callback', address, 0);
      expect(await count(addresses[0]!)).toBe(0);
      await useUp(store, 'callback', 0);
      for (const address of addresses) expect(await count(address)).toBeGreaterThan(0);
      expect(await count('2001:db8:1::1')).toBe(0);
    }),
    { numRuns: 20 },
  );
});

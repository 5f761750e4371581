import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { cleanHub } from '../../../src/feeds/hub/hub.ts';
import { openHubGuard } from '../../../src/feeds/hub/hub-context.ts';
import { readHubStatus } from '../../../src/feeds/hub/status.ts';
import { claimSubscriptions, grantSubscription, recordDistribution } from '../../../src/feeds/hub/subscriptions.ts';
import { claimRequests } from '../../../src/feeds/hub/verify.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import type { Capacity } from '../../../src/lib/worker-pool.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { openPublisher, TOPIC } from './publisher.ts';
import { echo, startSubscriber } from './subscriber.ts';

forEachDatabase((open, dialect) => {
  async function start() {
    const store = await open();
    return { store, subscriber: await startSubscriber('subscriber.example'), publisher: await openPublisher(store) };
  }

  async function startSubscribed() {
    const started = await start();
    await started.publisher.subscribe(started.subscriber.url('/'));
    return started;
  }

  describe('a request to subscribe', () => {
    it('is verified at the callback, whose own query is kept, with an unguessable challenge', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.request({ 'hub.callback': subscriber.url('/cb?feed=7&k=a%20b'), 'hub.lease_seconds': '7200' });
      expect(await subscriptions(store)).toEqual([]);
      await publisher.pool.drain();
      const [verification] = subscriber.verifications();
      expect(Object.fromEntries(verification ?? [])).toEqual({
        feed: '7',
        k: 'a b',
        'hub.mode': 'subscribe',
        'hub.topic': TOPIC,
        'hub.lease_seconds': '7200',
        'hub.challenge': expect.stringMatching(/^[\w-]{32}$/) as string,
      });
      expect(subscriber.requests[0]?.path).toMatch(/^\/cb\?feed=7&k=a%20b&hub\.mode=/);
      expect(await subscriptions(store)).toMatchObject([
        { topic: 'latest.atom', expires_at: publisher.now + 2 * HOUR, pending: 0 },
      ]);
      expect(publisher.logged.join()).toMatch(/hub request: confirmed/);
    });

    it.each([
      ['another challenge', { status: 200, body: 'something else' }],
      ['more than the challenge', null],
      ['404', 404],
      ['a redirect', { status: 302, body: '', headers: { Location: '/yes' } }],
      ['an error', 500],
    ])('is denied by a callback that answers %s', async (_, reply) => {
      const { store, subscriber, publisher } = await start();
      subscriber.answer = (request) => {
        if (reply !== null) return reply;
        const answer = echo(request);
        return typeof answer === 'object' ? { ...answer, body: `${answer.body}\n` } : answer;
      };
      await publisher.subscribe(subscriber.url('/'));
      publisher.now += DAY;
      await publisher.pool.drain();
      expect(subscriber.verifications()).toHaveLength(1);
      expect(await subscriptions(store)).toEqual([]);
      expect(publisher.logged.join()).toMatch(/hub request: denied/);
    });

    it('is verified a few times where the callback does not respond, and then dropped', async () => {
      const { store, subscriber, publisher } = await start();
      subscriber.answer = () => 'cut';
      await publisher.subscribe(subscriber.url('/'));
      await publisher.pool.drain();
      expect(subscriber.requests).toHaveLength(1);
      for (let hour = 0; hour < 5; hour++) {
        publisher.now += HOUR;
        await publisher.pool.drain();
      }
      expect(subscriber.requests).toHaveLength(3);
      expect(await store.db.selectFrom('hub_requests').selectAll().execute()).toEqual([]);
    });

    it.each(['new', 'existing'])(
      'takes its turn, however many %s callbacks an earlier client has named',
      async (kind) => {
        const { store, subscriber, publisher } = await start();
        for (let index = 0; index < 40; index++) {
          const [host, topic] = [`${index}.flood.example`, 'latest.atom'];
          const callback = `https://${host}/`;
          const subscription = { topic, callback, host, leaseSeconds: 3_600 };
          if (kind === 'existing') await grantSubscription(store.db, subscription, null, publisher.now);
          expect((await publisher.request({ 'hub.callback': callback }, '198.51.100.7')).status).toBe(202);
        }
        publisher.now += SECOND;
        const paths = ['/a', '/b', '/c', '/d'];
        for (const path of paths) await publisher.request({ 'hub.callback': subscriber.url(path) }, '203.0.113.9');
        // One that was tried before, and one that the other client repeats, keep their places.
        await store.db
          .updateTable('hub_requests')
          .set({ attempts: 1, due_at: publisher.now })
          .where('callback', '=', subscriber.url('/c'))
          .execute();
        await publisher.request({ 'hub.callback': subscriber.url('/d') }, '198.51.100.7');
        const capacity: Capacity = { busyHosts: [], pick: (due) => due.slice(0, 2) };
        const claimed: string[] = [];
        for (let pair = 0; pair < 4; pair++) {
          const two = await claimRequests(store.db, { capacity, now: publisher.now });
          claimed.push(...two.map(({ callback }) => callback));
        }
        expect(claimed).toHaveLength(8);
        expect(claimed).toEqual(expect.arrayContaining(paths.map((path) => subscriber.url(path))));
      },
    );

    it('takes effect when the callback responds at a retry', async () => {
      const { store, subscriber, publisher } = await start();
      subscriber.answer = () => 'cut';
      await publisher.subscribe(subscriber.url('/'));
      subscriber.answer = echo;
      publisher.now += 5 * SECOND;
      await publisher.pool.drain();
      expect(await subscriptions(store)).toHaveLength(1);
    });

    it('renews lease and secret once the callback has confirmed, and not before', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/'), { 'hub.secret': 'first' });
      publisher.now += 9 * DAY;
      subscriber.answer = ({ method }) => (method === 'GET' ? 404 : 204);
      await publisher.subscribe(subscriber.url('/'), { 'hub.secret': 'forged' });
      await publisher.deliver('second');
      expect(subscriber.deliveries().at(-1)?.headers['x-hub-signature']).toBe(
        signature('first', '<feed>second</feed>'),
      );
      subscriber.answer = echo;
      await publisher.subscribe(subscriber.url('/'), { 'hub.secret': 'second' });
      publisher.now += 9 * DAY;
      await publisher.deliver('third');
      expect(subscriber.deliveries().at(-1)?.headers['x-hub-signature']).toBe(
        signature('second', '<feed>third</feed>'),
      );
      expect(await subscriptions(store)).toHaveLength(1);
    });

    it('is replaced by a newer request for the same topic and callback', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.request({ 'hub.callback': subscriber.url('/') });
      await publisher.request({ 'hub.callback': subscriber.url('/'), 'hub.mode': 'unsubscribe' });
      await publisher.pool.drain();
      expect(subscriber.verifications().map((query) => query.get('hub.mode'))).toEqual(['unsubscribe']);
      expect(await subscriptions(store)).toEqual([]);
    });

    it('is not granted by the answer to a request that a newer one has replaced', async () => {
      const { store, subscriber, publisher } = await start();
      subscriber.answer = async (request) => {
        if (subscriber.requests.length > 1) return 404;
        await publisher.request({ 'hub.callback': subscriber.url('/'), 'hub.secret': 'newer' });
        return echo(request);
      };
      await publisher.subscribe(subscriber.url('/'));
      expect(subscriber.verifications()).toHaveLength(2);
      expect(await subscriptions(store)).toEqual([]);
      expect(publisher.logged).toEqual([expect.stringMatching(/: lost /), expect.stringMatching(/: denied /)]);
    });

    it('renews a subscription even if a delivery that was under way ends with 410', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      subscriber.answer = async (request) => {
        if (request.method === 'GET' || subscriber.deliveries().length > 1) return echo(request);
        await publisher.request({ 'hub.callback': subscriber.url('/') });
        await publisher.openAnotherPool().drain();
        return 410;
      };
      await publisher.deliver('second');
      expect(subscriber.deliveries()).toHaveLength(2);
      expect(await subscriptions(store)).toMatchObject([{ pending: 0, attempts: 0 }]);
    });

    it('stores its secret encrypted, and does not log it', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.request({
        'hub.callback': subscriber.url('/path-of-theirs'),
        'hub.secret': 'a-secret-of-theirs',
      });
      const stored = async () => JSON.stringify([await subscriptions(store), await requests(store)]);
      expect(await stored()).not.toContain('a-secret-of-theirs');
      await publisher.pool.drain();
      expect(await stored()).not.toContain('a-secret-of-theirs');
      subscriber.answer = () => 500;
      await publisher.deliver('second');
      expect(publisher.logged).toHaveLength(2);
      expect(publisher.logged.join()).not.toMatch(/a-secret-of-theirs|path-of-theirs/);
    });
  });

  describe('a request to unsubscribe', () => {
    it('ends a subscription once the callback has confirmed, and not before', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      subscriber.answer = ({ method }) => (method === 'GET' ? 404 : 204);
      await publisher.subscribe(subscriber.url('/'), { 'hub.mode': 'unsubscribe' });
      expect(await subscriptions(store)).toHaveLength(1);
      subscriber.answer = echo;
      await publisher.subscribe(subscriber.url('/'), { 'hub.mode': 'unsubscribe' });
      expect(await subscriptions(store)).toEqual([]);
      await publisher.deliver('second');
      expect(subscriber.deliveries()).toEqual([]);
    });
  });

  describe('a delivery', () => {
    it('has the whole feed with its type, links and signature', async () => {
      const { subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/signed'), { 'hub.secret': 'sécret' });
      await publisher.subscribe(subscriber.url('/plain'));
      const body = '<feed>Vec&lt;T&gt; “三星” 🚀</feed>';
      await publisher.publish({ 'latest.atom': body });
      await publisher.pool.drain();
      const byPath = new Map(subscriber.deliveries().map((one) => [one.path, one]));
      expect([...byPath.keys()].sort()).toEqual(['/plain', '/signed']);
      expect(byPath.get('/signed')).toMatchObject({
        body,
        headers: {
          'content-type': 'application/atom+xml; charset=utf-8',
          link: `<https://wire.example.com/hub>; rel="hub", <${TOPIC}>; rel="self"`,
          'x-hub-signature': signature('sécret', body),
        },
      });
      expect(byPath.get('/plain')?.body).toBe(body);
      expect(byPath.get('/plain')?.headers).not.toHaveProperty('x-hub-signature');
    });

    it('follows only a change of the subscribed feed', async () => {
      const { subscriber, publisher } = await startSubscribed();
      await publisher.publish({
        'latest.rss': '<rss>2</rss>',
        'index.html': '<p>',
        'archive/latest-2026-11.atom': '<feed/>',
      });
      await publisher.deliver('first');
      expect(subscriber.deliveries()).toEqual([]);
    });

    it('follows the one under way, when the feed changes meanwhile', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      subscriber.answer = async ({ body }) => {
        if (body.includes('second')) await publisher.publish({ 'latest.atom': '<feed>third</feed>' });
        return 204;
      };
      await publisher.deliver('second');
      expect(subscriber.deliveries().map(({ body }) => body)).toEqual(['<feed>second</feed>', '<feed>third</feed>']);
      expect((await subscriptions(store))[0]?.pending).toBe(0);
    });

    it('is made once after several changes, with the current content', async () => {
      const { subscriber, publisher } = await startSubscribed();
      for (const word of ['second', 'third', 'fourth'])
        await publisher.publish({ 'latest.atom': `<feed>${word}</feed>` });
      await publisher.pool.drain();
      expect(subscriber.deliveries().map(({ body }) => body)).toEqual(['<feed>fourth</feed>']);
    });

    it('is made once by several processes', async () => {
      const { subscriber, publisher } = await start();
      for (let index = 0; index < 30; index++) await publisher.request({ 'hub.callback': subscriber.url(`/${index}`) });
      const other = publisher.openAnotherPool();
      await Promise.all([publisher.pool.drain(), other.drain()]);
      expect(subscriber.verifications()).toHaveLength(30);
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      await Promise.all([publisher.pool.drain(), other.drain(), publisher.openAnotherPool().drain()]);
      const paths = subscriber.deliveries().map(({ path }) => path);
      expect(paths).toHaveLength(30);
      expect(new Set(paths).size).toBe(30);
    });

    it('is made by another process when the lease of the first has expired', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      await store.db
        .updateTable('hub_subscriptions')
        .set({ lease_until: publisher.now + 30 * SECOND, fence: 9 })
        .execute();
      await publisher.pool.drain();
      expect(subscriber.deliveries()).toEqual([]);
      publisher.now += 30 * SECOND;
      await publisher.pool.drain();
      expect(subscriber.deliveries()).toHaveLength(1);
    });

    it('is not delayed by slow subscribers, and a host gets two at once at most', async () => {
      const [store, slow, quick] = [
        await open(),
        await startSubscriber('subscriber.example'),
        await startSubscriber('subscriber.example'),
      ];
      const publisher = await openPublisher(store);
      for (let index = 0; index < 25; index++) await publisher.request({ 'hub.callback': slow.url(`/${index}`) });
      await publisher.request({ 'hub.callback': quick.url('/') });
      await publisher.pool.drain();
      slow.answer = () => 'hang';
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      const ticks = setInterval(() => void publisher.pool.tick().catch(() => {}), 10);
      await expect.poll(() => quick.deliveries().length).toBe(1);
      await expect.poll(() => slow.deliveries().length).toBe(2);
      await publisher.publish({ 'latest.atom': '<feed>third</feed>' });
      await expect.poll(() => quick.deliveries().length).toBe(2);
      clearInterval(ticks);
      expect(slow.deliveries()).toHaveLength(2);
      await slow.close();
      await publisher.pool.stop();
    });
  });

  describe('more subscribers than slots', () => {
    it('take turns, however fast publishes follow each other', async () => {
      const { store, subscriber, publisher } = await start();
      for (let index = 0; index < 5; index++) await publisher.subscribe(subscriber.url(`/${index}`));
      const capacity = (slots: number): Capacity => ({ busyHosts: [], pick: (due) => due.slice(0, slots) });
      const delivered: string[] = [];
      for (let publish = 0; publish < 5; publish++) {
        await publisher.publish({ 'latest.atom': `<feed>${publish}</feed>` });
        const now = publisher.now;
        for (const claimed of await claimSubscriptions(store.db, { pace: 'fast', capacity: capacity(2), now })) {
          delivered.push(claimed.callback);
          await recordDistribution(store.db, claimed, { kind: 'delivered', tookMs: 10 }, now);
        }
      }
      expect(new Set(delivered.slice(0, 6)).size).toBe(5);
    });

    it('are not delayed by slow ones, which have slots of their own', async () => {
      const { store, subscriber, publisher } = await start();
      for (const path of ['/slow', '/quick']) await publisher.subscribe(subscriber.url(path));
      const capacity: Capacity = { busyHosts: [], pick: (due) => [...due] };
      const claim = (pace: 'fast' | 'slow') => claimSubscriptions(store.db, { pace, capacity, now: publisher.now });
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      for (const claimed of await claim('fast')) {
        const tookMs = claimed.callback.endsWith('/slow') ? 9_000 : 100;
        await recordDistribution(store.db, claimed, { kind: 'delivered', tookMs }, publisher.now);
      }
      await publisher.publish({ 'latest.atom': '<feed>third</feed>' });
      const paths = async (pace: 'fast' | 'slow') =>
        (await claim(pace)).map(({ callback }) => new URL(callback).pathname);
      expect(await paths('fast')).toEqual(['/quick']);
      expect(await paths('slow')).toEqual(['/slow']);
    });
  });

  describe('a deleted feed', () => {
    it('denies its subscribers once and ends their subscriptions', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/?mine=1'));
      subscriber.requests.length = 0;
      const { config } = publisher;
      await cleanHub({ store, config, clock: () => publisher.now });
      await publisher.pool.drain();
      expect(subscriber.requests).toEqual([]);
      await store.db.deleteFrom('documents').where('path', '=', 'latest.atom').execute();
      await cleanHub({ store, config, clock: () => publisher.now });
      await publisher.pool.drain();
      await publisher.pool.drain();
      expect(subscriber.verifications().map((query) => Object.fromEntries(query))).toEqual([
        { mine: '1', 'hub.mode': 'denied', 'hub.topic': TOPIC, 'hub.reason': 'the feed no longer exists' },
      ]);
      expect(await subscriptions(store)).toEqual([]);
    });
  });

  describe('a subscriber that fails', () => {
    it('gets another delivery after 10 s, a minute and so on, with the current content', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      subscriber.answer = () => 503;
      await publisher.deliver('second');
      await publisher.pool.drain();
      expect(subscriber.deliveries()).toHaveLength(1);
      publisher.now += 9 * SECOND;
      await publisher.pool.drain();
      expect(subscriber.deliveries()).toHaveLength(1);
      publisher.now += SECOND;
      await publisher.pool.drain();
      expect(subscriber.deliveries()).toHaveLength(2);
      // A publish does not shorten the wait.
      await publisher.deliver('third');
      expect(subscriber.deliveries()).toHaveLength(2);
      subscriber.answer = echo;
      publisher.now += MINUTE;
      await publisher.pool.drain();
      expect(subscriber.deliveries().map(({ body }) => body)).toEqual(
        ['second', 'second', 'third'].map((word) => `<feed>${word}</feed>`),
      );
      const [row] = await subscriptions(store);
      expect(row).toMatchObject({ pending: 0, attempts: 0, failing_since: null, reason: null });
    });

    it('is given up after about a day, and tried once with each later change', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/'), { 'hub.lease_seconds': String((30 * DAY) / SECOND) });
      subscriber.answer = () => 'cut';
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      const began = publisher.now;
      let last = began;
      for (let round = 0; round < 80; round++) {
        const before = subscriber.deliveries().length;
        await publisher.pool.drain();
        if (subscriber.deliveries().length > before) last = publisher.now;
        publisher.now += 30 * MINUTE;
      }
      const tried = subscriber.deliveries().length;
      expect(tried).toBe(10);
      expect(last - began).toBeGreaterThan(20 * HOUR);
      expect(last - began).toBeLessThan(28 * HOUR);
      const status = await readHubStatus(store.db, { now: publisher.now, limit: 5 });
      expect(status.failing).toMatchObject([
        {
          topic: 'latest.atom',
          host: new URL(subscriber.url('/')).host,
          reason: 'no connection (ECONNRESET)',
          dueAt: null,
        },
      ]);
      await publisher.deliver('third');
      expect(subscriber.deliveries()).toHaveLength(tried + 1);
      subscriber.answer = echo;
      publisher.now += 2 * HOUR;
      await publisher.deliver('fourth');
      expect(subscriber.deliveries().at(-1)?.body).toBe('<feed>fourth</feed>');
    });

    it.each([300, 302, 307, 400, 404, 500])('by answering %i has not received the content', async (status) => {
      const { store, subscriber, publisher } = await startSubscribed();
      subscriber.answer = () => ({ status, body: '', headers: { Location: '/elsewhere' } });
      await publisher.deliver('second');
      expect(subscriber.deliveries()).toHaveLength(1);
      expect(await subscriptions(store)).toMatchObject([{ pending: 1, attempts: 1, reason: `it answered ${status}` }]);
    });

    it('by answering 410 is unsubscribed', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      subscriber.answer = () => 410;
      await publisher.deliver('second');
      expect(await subscriptions(store)).toEqual([]);
      expect(publisher.logged.join()).toMatch(/hub subscription ended.*410/);
    });

    it('never gets unsigned content if it has a secret', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/'), { 'hub.secret': 'secret' });
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      await publisher.openAnotherPool(['another secret of another publisher, and long']).drain();
      expect(subscriber.deliveries()).toEqual([]);
      expect(await subscriptions(store)).toMatchObject([
        { reason: expect.stringMatching(/signing secret that is gone/) as string },
      ]);
      // As after a rotation that keeps the old one.
      publisher.now += 10 * SECOND;
      await publisher.openAnotherPool(['the new secret, which is long enough too', ...SECRETS]).drain();
      expect(subscriber.deliveries()[0]?.headers['x-hub-signature']).toBe(signature('secret', '<feed>second</feed>'));
    });
  });

  describe('a lease', () => {
    it('ends deliveries when it expires, and the subscription is deleted', async () => {
      const { store, subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/'), { 'hub.lease_seconds': '3600' });
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      publisher.now += HOUR;
      await publisher.deliver('third');
      expect(subscriber.deliveries()).toEqual([]);
      expect(await cleanHub({ store, config: publisher.config, clock: () => publisher.now })).toBe(1);
      expect(await subscriptions(store)).toEqual([]);
    });

    it('does not deliver earlier changes when it is renewed after its expiry', async () => {
      const { subscriber, publisher } = await start();
      await publisher.subscribe(subscriber.url('/'), { 'hub.lease_seconds': '3600' });
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      publisher.now += 2 * HOUR;
      await publisher.subscribe(subscriber.url('/'));
      expect(subscriber.deliveries()).toEqual([]);
    });
  });

  describe('a callback in a private network', () => {
    it('is refused by default: an address with the request, a name at the connection', async () => {
      const [store, subscriber] = [await open(), await startSubscriber('subscriber.example')];
      const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
      const publisher = await openPublisher(store, { resolve, guard: openHubGuard() });
      for (const host of [
        '127.0.0.1',
        '2130706433',
        '0x7f.1',
        '0177.0.0.1',
        '[::1]',
        '[::ffff:127.0.0.1]',
        '10.0.0.1',
        '169.254.169.254',
      ]) {
        const response = await publisher.request({ 'hub.callback': subscriber.url('/', host) });
        expect([host, response.status, await response.text()]).toEqual([
          host,
          400,
          'hub.callback is not allowed: its address is not public.\n',
        ]);
      }
      for (const host of ['localhost', 'inside.example.com']) {
        await publisher.subscribe(subscriber.url('/', host));
      }
      expect(subscriber.requests).toEqual([]);
      expect(await subscriptions(store)).toEqual([]);
      expect(publisher.logged).toEqual([
        expect.stringMatching(/denied .*localhost.*its address is not public/),
        expect.stringMatching(/denied .*inside\.example\.com.*its address is not public/),
      ]);
    });

    it('is refused when its name resolves to one after the verification', async () => {
      const [store, subscriber] = [await open(), await startSubscriber('subscriber.example')];
      let address = '127.0.0.1';
      const resolve = async () => [{ address, family: 4 }];
      const publisher = await openPublisher(store, { resolve });
      await publisher.subscribe(subscriber.url('/', 'moving.example.com'));
      address = '10.0.0.1';
      await publisher.deliver('second');
      expect(await subscriptions(store)).toMatchObject([{ attempts: 1, reason: 'its address is not public' }]);
    });
  });

  // Stopping takes seconds, and does not depend on the database.
  if (dialect === 'sqlite')
    it('releases deliveries under way when it stops, for other processes', async () => {
      const { store, subscriber, publisher } = await startSubscribed();
      const process = publisher.openAnotherPool();
      subscriber.answer = () => 'hang';
      await publisher.publish({ 'latest.atom': '<feed>second</feed>' });
      await process.tick();
      await expect.poll(() => subscriber.deliveries().length).toBe(1);
      await process.stop();
      expect(await subscriptions(store)).toMatchObject([{ pending: 1, attempts: 0, lease_until: null, reason: null }]);
      subscriber.answer = echo;
      await publisher.pool.drain();
      expect(subscriber.deliveries()).toHaveLength(2);
    });
});

function subscriptions({ db }: Store) {
  return db.selectFrom('hub_subscriptions').selectAll().orderBy('key').execute();
}

function requests({ db }: Store) {
  return db.selectFrom('hub_requests').selectAll().execute();
}

function signature(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

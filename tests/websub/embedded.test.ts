import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import type { Store } from '../../src/store/store.ts';
import { keepHub } from '../../src/websub/hub.ts';
import type { Room } from '../../src/websub/pool.ts';
import { readHubStanding } from '../../src/websub/status.ts';
import { claimSubscriptions, recordTelling } from '../../src/websub/subscriptions.ts';
import { SECRETS } from '../http/test-site.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openHubNewsroom, TOPIC } from './newsroom.ts';
import { echo, startSubscriber } from './subscriber.ts';

forEachDatabase((open, dialect) => {
  describe('subscribing', () => {
    it('asks the callback first, by its own query and an unguessable challenge', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.ask({ 'hub.callback': reader.at('/cb?feed=7&k=a%20b'), 'hub.lease_seconds': '7200' });
      expect(await subscriptions(store)).toEqual([]);
      await newsroom.pool.settle();
      const [question] = reader.questions();
      expect(Object.fromEntries(question ?? [])).toEqual({
        feed: '7',
        k: 'a b',
        'hub.mode': 'subscribe',
        'hub.topic': TOPIC,
        'hub.lease_seconds': '7200',
        'hub.challenge': expect.stringMatching(/^[\w-]{32}$/) as string,
      });
      expect(reader.requests[0]?.path).toMatch(/^\/cb\?feed=7&k=a%20b&hub\.mode=/);
      expect(await subscriptions(store)).toMatchObject([
        { topic: 'latest.atom', expires_at: newsroom.now + 2 * HOUR, pending: 0 },
      ]);
      expect(newsroom.logged.join()).toMatch(/a hub request: confirmed/);
    });

    it.each([
      ['another challenge', { status: 200, body: 'something else' }],
      ['more than the challenge', null],
      ['404', 404],
      ['a redirect', { status: 302, body: '', headers: { Location: '/yes' } }],
      ['an error', 500],
    ])('is denied by a callback that answers %s', async (_, reply) => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      reader.answer = (told) => {
        if (reply !== null) return reply;
        const said = echo(told);
        return typeof said === 'object' ? { ...said, body: `${said.body}\n` } : said;
      };
      await newsroom.subscribe(reader.at('/'));
      newsroom.now += DAY;
      await newsroom.pool.settle();
      expect(reader.questions()).toHaveLength(1);
      expect(await subscriptions(store)).toEqual([]);
      expect(newsroom.logged.join()).toMatch(/a hub request: denied/);
    });

    it('asks again a few times where nobody answers, and then no more', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      reader.answer = () => 'cut';
      await newsroom.subscribe(reader.at('/'));
      await newsroom.pool.settle();
      expect(reader.requests).toHaveLength(1);
      for (let hour = 0; hour < 5; hour++) {
        newsroom.now += HOUR;
        await newsroom.pool.settle();
      }
      expect(reader.requests).toHaveLength(3);
      expect(await store.db.selectFrom('hub_requests').selectAll().execute()).toEqual([]);
    });

    it('takes effect where a callback that was away comes back', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      reader.answer = () => 'cut';
      await newsroom.subscribe(reader.at('/'));
      reader.answer = echo;
      newsroom.now += 5 * SECOND;
      await newsroom.pool.settle();
      expect(await subscriptions(store)).toHaveLength(1);
    });

    it('again renews: lease and secret change when the callback has confirmed, and not before', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'), { 'hub.secret': 'first' });
      newsroom.now += 9 * DAY;
      reader.answer = ({ method }) => (method === 'GET' ? 404 : 204);
      await newsroom.subscribe(reader.at('/'), { 'hub.secret': 'forged' });
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds().at(-1)?.headers['x-hub-signature']).toBe(signature('first', '<feed>second</feed>'));
      reader.answer = echo;
      await newsroom.subscribe(reader.at('/'), { 'hub.secret': 'second' });
      newsroom.now += 9 * DAY;
      await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds().at(-1)?.headers['x-hub-signature']).toBe(signature('second', '<feed>third</feed>'));
      expect(await subscriptions(store)).toHaveLength(1);
    });

    it('and leaving: the newest request for a topic and callback counts', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.ask({ 'hub.callback': reader.at('/') });
      await newsroom.ask({ 'hub.callback': reader.at('/'), 'hub.mode': 'unsubscribe' });
      await newsroom.pool.settle();
      expect(reader.questions().map((question) => question.get('hub.mode'))).toEqual(['unsubscribe']);
      expect(await subscriptions(store)).toEqual([]);
    });

    it('is not granted by an answer to an earlier request, which a newer one has replaced meanwhile', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      reader.answer = async (told) => {
        if (reader.requests.length > 1) return 404;
        await newsroom.ask({ 'hub.callback': reader.at('/'), 'hub.secret': 'newer' });
        return echo(told);
      };
      await newsroom.subscribe(reader.at('/'));
      expect(reader.questions()).toHaveLength(2);
      expect(await subscriptions(store)).toEqual([]);
      expect(newsroom.logged).toEqual([expect.stringMatching(/: lost /), expect.stringMatching(/: denied /)]);
    });

    it('again while a publish is on its way outlives what is answered to that', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      reader.answer = async (told) => {
        if (told.method === 'GET' || reader.feeds().length > 1) return echo(told);
        await newsroom.ask({ 'hub.callback': reader.at('/') });
        await newsroom.another().settle();
        return 410;
      };
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(2);
      expect(await subscriptions(store)).toMatchObject([{ pending: 0, attempts: 0 }]);
    });

    it('keeps a secret sealed in the store, and out of the log', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.ask({ 'hub.callback': reader.at('/path-of-theirs'), 'hub.secret': 'a-secret-of-theirs' });
      const stored = async () => JSON.stringify([await subscriptions(store), await requests(store)]);
      expect(await stored()).not.toContain('a-secret-of-theirs');
      await newsroom.pool.settle();
      expect(await stored()).not.toContain('a-secret-of-theirs');
      reader.answer = () => 500;
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(newsroom.logged).toHaveLength(2);
      expect(newsroom.logged.join()).not.toMatch(/a-secret-of-theirs|path-of-theirs/);
    });
  });

  describe('unsubscribing', () => {
    it('ends a subscription when the callback has confirmed it, and not before', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      reader.answer = ({ method }) => (method === 'GET' ? 404 : 204);
      await newsroom.subscribe(reader.at('/'), { 'hub.mode': 'unsubscribe' });
      expect(await subscriptions(store)).toHaveLength(1);
      reader.answer = echo;
      await newsroom.subscribe(reader.at('/'), { 'hub.mode': 'unsubscribe' });
      expect(await subscriptions(store)).toEqual([]);
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toEqual([]);
    });
  });

  describe('a publish', () => {
    it('brings the whole feed with its type, links and signature', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/signed'), { 'hub.secret': 'sécret' });
      await newsroom.subscribe(reader.at('/plain'));
      const body = '<feed>Vec&lt;T&gt; “三星” 🚀</feed>';
      await newsroom.publish({ 'latest.atom': body });
      await newsroom.pool.settle();
      const told = new Map(reader.feeds().map((one) => [one.path, one]));
      expect([...told.keys()].sort()).toEqual(['/plain', '/signed']);
      expect(told.get('/signed')).toMatchObject({
        body,
        headers: {
          'content-type': 'application/atom+xml; charset=utf-8',
          link: `<https://wire.example.com/hub>; rel="hub", <${TOPIC}>; rel="self"`,
          'x-hub-signature': signature('sécret', body),
        },
      });
      expect(told.get('/plain')?.body).toBe(body);
      expect(told.get('/plain')?.headers).not.toHaveProperty('x-hub-signature');
    });

    it('of other feeds, or of what is no feed, brings nothing; nor does one that changes nothing', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      await newsroom.publish({
        'latest.rss': '<rss>2</rss>',
        'index.html': '<p>',
        'archive/latest-2026-11.atom': '<feed/>',
      });
      await newsroom.publish({ 'latest.atom': '<feed>first</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toEqual([]);
    });

    it('that comes while the last one is on its way is told after it', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      reader.answer = async ({ body }) => {
        if (body.includes('second')) await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
        return 204;
      };
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds().map(({ body }) => body)).toEqual(['<feed>second</feed>', '<feed>third</feed>']);
      expect((await subscriptions(store))[0]?.pending).toBe(0);
    });

    it('that was missed several times is told once, with what stands there now', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      for (const word of ['second', 'third', 'fourth'])
        await newsroom.publish({ 'latest.atom': `<feed>${word}</feed>` });
      await newsroom.pool.settle();
      expect(reader.feeds().map(({ body }) => body)).toEqual(['<feed>fourth</feed>']);
    });

    it('is told once by two processes', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      for (let index = 0; index < 30; index++) await newsroom.ask({ 'hub.callback': reader.at(`/${index}`) });
      const other = newsroom.another();
      await Promise.all([newsroom.pool.settle(), other.settle()]);
      expect(reader.questions()).toHaveLength(30);
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await Promise.all([newsroom.pool.settle(), other.settle(), newsroom.another().settle()]);
      const paths = reader.feeds().map(({ path }) => path);
      expect(paths).toHaveLength(30);
      expect(new Set(paths).size).toBe(30);
    });

    it('is told by another process when the one that claimed it has died', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await store.db
        .updateTable('hub_subscriptions')
        .set({ lease_until: newsroom.now + 30 * SECOND, fence: 9 })
        .execute();
      await newsroom.pool.settle();
      expect(reader.feeds()).toEqual([]);
      newsroom.now += 30 * SECOND;
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(1);
    });

    it('waits for no subscriber: a slow one holds up nobody, and two at most are asked of one host at once', async () => {
      const [store, slow, quick] = [await open(), await startSubscriber(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      for (let index = 0; index < 25; index++) await newsroom.ask({ 'hub.callback': slow.at(`/${index}`) });
      await newsroom.ask({ 'hub.callback': quick.at('/') });
      await newsroom.pool.settle();
      slow.answer = () => 'hang';
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      const turns = setInterval(() => void newsroom.pool.turn().catch(() => {}), 10);
      await expect.poll(() => quick.feeds().length, { timeout: 5_000 }).toBe(1);
      await expect.poll(() => slow.feeds().length).toBe(2);
      await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
      await expect.poll(() => quick.feeds().length, { timeout: 5_000 }).toBe(2);
      clearInterval(turns);
      expect(slow.feeds()).toHaveLength(2);
      await slow.close();
      await newsroom.pool.stop();
    });
  });

  describe('more subscribers than places', () => {
    it('are told in turn, however fast publishes come: all of them before any is told a third time', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      for (let index = 0; index < 5; index++) await newsroom.subscribe(reader.at(`/${index}`));
      const room = (places: number): Room => ({ busyHosts: [], pick: (due) => due.slice(0, places) });
      const told: string[] = [];
      for (let turn = 0; turn < 5; turn++) {
        await newsroom.publish({ 'latest.atom': `<feed>${turn}</feed>` });
        const now = newsroom.now;
        for (const claimed of await claimSubscriptions(store.db, { which: 'prompt', room: room(2), now })) {
          told.push(claimed.callback);
          await recordTelling(store.db, claimed, { kind: 'told', tookMs: 10 }, now);
        }
      }
      expect(new Set(told.slice(0, 6)).size).toBe(5);
    });

    it('are not held up by those that take long: these have places of their own', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      for (const path of ['/slow', '/quick']) await newsroom.subscribe(reader.at(path));
      const room: Room = { busyHosts: [], pick: (due) => [...due] };
      const claim = (which: 'prompt' | 'laggard') => claimSubscriptions(store.db, { which, room, now: newsroom.now });
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      for (const claimed of await claim('prompt')) {
        const tookMs = claimed.callback.endsWith('/slow') ? 9_000 : 100;
        await recordTelling(store.db, claimed, { kind: 'told', tookMs }, newsroom.now);
      }
      await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
      const paths = async (which: 'prompt' | 'laggard') =>
        (await claim(which)).map(({ callback }) => new URL(callback).pathname);
      expect(await paths('prompt')).toEqual(['/quick']);
      expect(await paths('laggard')).toEqual(['/slow']);
    });
  });

  describe('a feed that is gone', () => {
    it('is told its subscribers as denied, once, and their subscriptions end', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/?mine=1'));
      reader.requests.length = 0;
      const { config } = newsroom;
      await keepHub({ store, config, clock: () => newsroom.now });
      await newsroom.pool.settle();
      expect(reader.requests).toEqual([]);
      await store.db.deleteFrom('documents').where('path', '=', 'latest.atom').execute();
      await keepHub({ store, config, clock: () => newsroom.now });
      await newsroom.pool.settle();
      await newsroom.pool.settle();
      expect(reader.questions().map((question) => Object.fromEntries(question))).toEqual([
        { mine: '1', 'hub.mode': 'denied', 'hub.topic': TOPIC, 'hub.reason': 'there is no such feed any more' },
      ]);
      expect(await subscriptions(store)).toEqual([]);
    });
  });

  describe('a subscriber that fails', () => {
    it('is told again after 10 s, a minute and so on, with the newest content', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      reader.answer = () => 503;
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(1);
      newsroom.now += 9 * SECOND;
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(1);
      newsroom.now += SECOND;
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(2);
      // A publish does not shorten the wait.
      await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(2);
      reader.answer = echo;
      newsroom.now += MINUTE;
      await newsroom.pool.settle();
      expect(reader.feeds().map(({ body }) => body)).toEqual(
        ['second', 'second', 'third'].map((word) => `<feed>${word}</feed>`),
      );
      const [row] = await subscriptions(store);
      expect(row).toMatchObject({ pending: 0, attempts: 0, failing_since: null, reason: null });
    });

    it('is let be after about a day, and tried once with each later change', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'), { 'hub.lease_seconds': String((30 * DAY) / SECOND) });
      reader.answer = () => 'cut';
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      const began = newsroom.now;
      let last = began;
      for (let round = 0; round < 80; round++) {
        const before = reader.feeds().length;
        await newsroom.pool.settle();
        if (reader.feeds().length > before) last = newsroom.now;
        newsroom.now += 30 * MINUTE;
      }
      const tried = reader.feeds().length;
      expect(tried).toBe(10);
      expect(last - began).toBeGreaterThan(20 * HOUR);
      expect(last - began).toBeLessThan(28 * HOUR);
      const standing = await readHubStanding(store.db, { now: newsroom.now, limit: 5 });
      expect(standing.failing).toMatchObject([
        { topic: 'latest.atom', host: new URL(reader.at('/')).host, reason: 'no connection (ECONNRESET)', dueAt: null },
      ]);
      await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(tried + 1);
      reader.answer = echo;
      newsroom.now += 2 * HOUR;
      await newsroom.publish({ 'latest.atom': '<feed>fourth</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds().at(-1)?.body).toBe('<feed>fourth</feed>');
    });

    it.each([300, 302, 307, 400, 404, 500])('by %i has not received it', async (status) => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      reader.answer = () => ({ status, body: '', headers: { Location: '/elsewhere' } });
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(1);
      expect(await subscriptions(store)).toMatchObject([{ pending: 1, attempts: 1, reason: `it answered ${status}` }]);
    });

    it('by 410 is subscribed no more', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      reader.answer = () => 410;
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(await subscriptions(store)).toEqual([]);
      expect(newsroom.logged.join()).toMatch(/a subscription has ended.*410/);
    });

    it('is never told unsigned what it wants signed', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'), { 'hub.secret': 'secret' });
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.another(['another secret of another newsroom, alas']).settle();
      expect(reader.feeds()).toEqual([]);
      expect(await subscriptions(store)).toMatchObject([
        { reason: expect.stringMatching(/signing secret that is gone/) as string },
      ]);
      // As after a rotation that keeps the old one.
      newsroom.now += 10 * SECOND;
      await newsroom.another(['the new secret, which is long enough too', ...SECRETS]).settle();
      expect(reader.feeds()[0]?.headers['x-hub-signature']).toBe(signature('secret', '<feed>second</feed>'));
    });
  });

  describe('a lease', () => {
    it('that has ended is served no more, and forgotten', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'), { 'hub.lease_seconds': '3600' });
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      newsroom.now += HOUR;
      await newsroom.publish({ 'latest.atom': '<feed>third</feed>' });
      await newsroom.pool.settle();
      expect(reader.feeds()).toEqual([]);
      expect(await keepHub({ store, config: newsroom.config, clock: () => newsroom.now })).toBe(1);
      expect(await subscriptions(store)).toEqual([]);
    });

    it('that was renewed after it had ended brings nothing from before', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'), { 'hub.lease_seconds': '3600' });
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      newsroom.now += 2 * HOUR;
      await newsroom.subscribe(reader.at('/'));
      expect(reader.feeds()).toEqual([]);
    });
  });

  describe('a callback in a private network', () => {
    it('is refused by default: by address at the door, by name when it is connected to', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
      const newsroom = await openHubNewsroom(store, { hub: 'self', resolve });
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
        const response = await newsroom.ask({ 'hub.callback': reader.at('/', host) });
        expect([host, response.status, await response.text()]).toEqual([
          host,
          400,
          'hub.callback may not be called: its address is not a public one.\n',
        ]);
      }
      for (const host of ['localhost', 'inside.example.com']) {
        await newsroom.subscribe(reader.at('/', host));
      }
      expect(reader.requests).toEqual([]);
      expect(await subscriptions(store)).toEqual([]);
      expect(newsroom.logged).toEqual([
        expect.stringMatching(/denied .*localhost.*its address is not a public one/),
        expect.stringMatching(/denied .*inside\.example\.com.*its address is not a public one/),
      ]);
    });

    it('is refused as well where its name moves there after it was verified', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      let address = '127.0.0.1';
      const resolve = async () => [{ address, family: 4 }];
      const newsroom = await openHubNewsroom(store, { resolve });
      await newsroom.subscribe(reader.at('/', 'moving.example.com'));
      address = '10.0.0.1';
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await newsroom.pool.settle();
      expect(await subscriptions(store)).toMatchObject([{ attempts: 1, reason: 'its address is not a public one' }]);
    });
  });

  // Ending takes a while, and asks nothing of the database that differs.
  if (dialect === 'sqlite')
    it('an end gives back what is on its way, for others to tell', async () => {
      const [store, reader] = [await open(), await startSubscriber()];
      const newsroom = await openHubNewsroom(store);
      await newsroom.subscribe(reader.at('/'));
      const process = newsroom.another();
      reader.answer = () => 'hang';
      await newsroom.publish({ 'latest.atom': '<feed>second</feed>' });
      await process.turn();
      await expect.poll(() => reader.feeds().length).toBe(1);
      await process.stop();
      expect(await subscriptions(store)).toMatchObject([{ pending: 1, attempts: 0, lease_until: null, reason: null }]);
      reader.answer = echo;
      await newsroom.pool.settle();
      expect(reader.feeds()).toHaveLength(2);
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

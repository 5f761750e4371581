import { describe, expect, it } from 'vitest';
import { grantSubscription } from '../../../src/feeds/hub/subscriptions.ts';
import { HOUR, SECOND } from '../../../src/lib/time.ts';
import { openTestSite } from '../../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { openPublisher, TOPIC } from '../hub/publisher.ts';
import { requestRow, subscriptionRow } from '../hub/rows.ts';

const CALLBACK = 'https://reader.example.com/callback';

describe('the hub endpoint', () => {
  it('does not exist without the embedded hub', async () => {
    const store = await openMigrated();
    for (const hub of ['# none', 'hub: https://hub.example.com/']) {
      const site = openTestSite(
        store,
        sampleConfig((yaml) => yaml.replace('hub: self', hub)),
      );
      expect((await site.post('/hub', [['hub.mode', 'subscribe']])).status).toBe(404);
    }
  });

  it('allows only POST', async () => {
    const site = openTestSite(await openMigrated());
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const response = await site.app.request('/hub?hub.mode=subscribe', { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('Allow')).toBe('POST, OPTIONS');
    }
  });

  it('is below the path of the publication', async () => {
    const store = await openMigrated();
    const site = openTestSite(
      store,
      sampleConfig((yaml) => yaml.replace('url: http://127.0.0.1:8080', 'url: https://example.com/wire')),
    );
    expect((await site.post('/wire/hub', [['hub.mode', 'x']])).status).toBe(400);
    expect((await site.post('/hub', [['hub.mode', 'x']])).status).toBe(404);
  });

  it('accepts only forms, and no long ones', async () => {
    const site = openTestSite(await openMigrated());
    const json = { method: 'POST', body: '{"hub.mode":"subscribe"}', headers: { 'Content-Type': 'application/json' } };
    expect((await site.app.request('/hub', json)).status).toBe(415);
    expect((await site.post('/hub', [['hub.secret', 'x'.repeat(70_000)]])).status).toBe(413);
  });
});

forEachDatabase((open) => {
  describe('a request to the hub', () => {
    it('is accepted before it is verified, and subscribes nobody yet', async () => {
      const store = await open();
      const newsroom = await openPublisher(store);
      const response = await newsroom.request({ 'hub.callback': CALLBACK });
      expect(response.status).toBe(202);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(await store.db.selectFrom('hub_subscriptions').selectAll().execute()).toEqual([]);
      expect(await store.db.selectFrom('hub_requests').select(['mode', 'topic', 'callback']).execute()).toEqual([
        { mode: 'subscribe', topic: 'latest.atom', callback: CALLBACK },
      ]);
    });

    it.each([
      [{ 'hub.mode': 'publish' }, 400, 'hub.mode must be subscribe or unsubscribe.\n'],
      [{ 'hub.callback': 'javascript:alert(1)' }, 400, 'hub.callback must be an http or https URL.\n'],
      [{ 'hub.callback': 'http://10.0.0.1/' }, 400, 'hub.callback is not allowed: its address is not public.\n'],
      [{ 'hub.callback': 'http://8.8.8.8:25/' }, 400, 'hub.callback is not allowed: its port 25 is not a web port.\n'],
      [{ 'hub.topic': TOPIC.replace('latest', 'unheard-of') }, 404, 'There is no feed at hub.topic.\n'],
    ])('with %j is rejected with %i', async (fields, status, sentence) => {
      const newsroom = await openPublisher(await open());
      const response = await newsroom.request({ 'hub.callback': CALLBACK, ...fields });
      expect([response.status, await response.text()]).toEqual([status, sentence]);
    });

    it('to unsubscribe from a feed that no longer exists is accepted', async () => {
      const newsroom = await openPublisher(await open());
      const fields = {
        'hub.callback': CALLBACK,
        'hub.topic': TOPIC.replace('latest', 'gone'),
        'hub.mode': 'unsubscribe',
      };
      expect((await newsroom.request(fields)).status).toBe(202);
    });

    it('is limited per client', async () => {
      const newsroom = await openPublisher(await open());
      let answered = 0;
      let response = await newsroom.request({ 'hub.mode': 'x' });
      for (; response.status === 400; answered++) response = await newsroom.request({ 'hub.mode': 'x' });
      expect(answered).toBe(240);
      expect(response.status).toBe(429);
      const wait = Number(response.headers.get('Retry-After'));
      expect(wait).toBe(15);
      expect((await newsroom.request({ 'hub.mode': 'x' }, '198.51.100.9')).status).toBe(400);
      newsroom.now += wait * SECOND;
      expect((await newsroom.request({ 'hub.mode': 'x' })).status).toBe(400);
      expect((await newsroom.request({ 'hub.mode': 'x' })).status).toBe(429);
    });

    it('is limited per callback host, but existing subscribers can always renew and unsubscribe', async () => {
      const store = await open();
      const newsroom = await openPublisher(store, { resolve: async () => [] });
      const callback = 'https://push.example.com/feed';
      expect((await newsroom.request({ 'hub.callback': callback })).status).toBe(202);
      const key = 'hub host push.example.com';
      await store.db
        .updateTable('rate_limits')
        .set({ next_at: newsroom.now + HOUR })
        .where('key', '=', key)
        .execute();
      const response = await newsroom.request({ 'hub.callback': `${callback}/other` }, '198.51.100.9');
      expect(response.status).toBe(429);
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
      const subscribed = { topic: 'latest.atom', callback, host: 'push.example.com', leaseSeconds: 3_600 };
      await grantSubscription(store.db, subscribed, null, newsroom.now);
      // Even if the hub has as many pending requests as it accepts.
      const waiting = Array.from({ length: 500 }, (_, index) => requestRow(`r${index}`, newsroom.now));
      await store.db.insertInto('hub_requests').values(waiting).execute();
      for (const mode of ['subscribe', 'unsubscribe']) {
        const answer = await newsroom.request({ 'hub.callback': callback, 'hub.mode': mode }, '198.51.100.9');
        expect([mode, answer.status]).toEqual([mode, 202]);
      }
      const queued = store.db.selectFrom('hub_requests').select('mode').where('callback', '=', callback);
      expect(await queued.execute()).toEqual([{ mode: 'unsubscribe' }]);
    });

    it('has a place even while four clients send 200 each, of which most get 429', async () => {
      const newsroom = await openPublisher(await open());
      const accepted = new Map<string, number>();
      for (let index = 0; index < 800; index++) {
        const from = `198.51.${index % 4}.7`;
        const fields = { 'hub.callback': `https://h${index}.example.com/` };
        const response = await newsroom.request(fields, from);
        if (response.status === 202) accepted.set(from, (accepted.get(from) ?? 0) + 1);
        else {
          expect([response.status, await response.text()]).toEqual([429, expect.stringContaining('your network wait')]);
          expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
        }
      }
      const shares = [...accepted.values()];
      expect(shares).toHaveLength(4);
      expect(Math.max(...shares)).toBeLessThanOrEqual(Math.min(...shares) + 1);
      expect(Math.min(...shares)).toBeGreaterThan(50);
      for (let other = 0; other < 30; other++) {
        const fields = { 'hub.callback': `https://reader${other}.example.com/` };
        expect((await newsroom.request(fields, `203.0.${other}.9`)).status).toBe(202);
      }
    });

    it('is refused with 429 while the hub is at its limit of requests or subscriptions', async () => {
      const store = await open();
      const newsroom = await openPublisher(store);
      const requests = Array.from({ length: 500 }, (_, index) => requestRow(`r${index}`, 0));
      await store.db.insertInto('hub_requests').values(requests).execute();
      const full = await newsroom.request({ 'hub.callback': CALLBACK });
      expect([full.status, full.headers.get('Retry-After')]).toEqual([429, '60']);
      await store.db.deleteFrom('hub_requests').execute();
      for (let from = 0; from < 20_000; from += 1_000) {
        const rows = Array.from({ length: 1_000 }, (_, index) => subscriptionRow(`r${from + index}`, newsroom.now));
        await store.db.insertInto('hub_subscriptions').values(rows).execute();
      }
      expect((await newsroom.request({ 'hub.callback': CALLBACK })).status).toBe(429);
      expect((await newsroom.request({ 'hub.callback': CALLBACK, 'hub.mode': 'unsubscribe' })).status).toBe(202);
    });
  });
});

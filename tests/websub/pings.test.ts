import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { listOpenAlerts } from '../../src/schedule/alerts.ts';
import { listRuns, type Run } from '../../src/schedule/run-ledger.ts';
import type { Store } from '../../src/store/store.ts';
import { keepHub } from '../../src/websub/hub.ts';
import { readHubStanding } from '../../src/websub/status.ts';
import { forEachDatabase } from '../support/databases.ts';
import { type HubNewsroom, openHubNewsroom, TOPIC } from './newsroom.ts';
import { startSubscriber } from './subscriber.ts';

forEachDatabase((open) => {
  describe('another hub', () => {
    it('is told once of each topic and publish, by its exact address', async () => {
      const { newsroom, hub, store } = await withHub(open);
      const at = await newsroom.publish({
        'latest.atom': '<feed>2</feed>',
        'latest.rss': '<rss>2</rss>',
        'index.html': '<p>',
      });
      await newsroom.pool.settle();
      await newsroom.pool.settle();
      expect(hub.requests.map(({ method, path }) => [method, path])).toEqual([
        ['POST', '/?a=1'],
        ['POST', '/?a=1'],
      ]);
      const rss = TOPIC.replace('.atom', '.rss');
      expect(hub.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toEqual(
        expect.arrayContaining(
          [TOPIC, rss].map((topic) => ({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic })),
        ),
      );
      expect(hub.requests[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
      expect(await run(store, at)).toMatchObject({
        state: 'done',
        covers: 2,
        attempts: 1,
        reason: null,
        finishedAt: at,
      });
      expect(await store.db.selectFrom('hub_pings').selectAll().execute()).toEqual([]);
    });

    it('is told once by two processes', async () => {
      const { newsroom, hub } = await withHub(open);
      await newsroom.publish({ 'latest.atom': '2', 'latest.rss': '2', 'latest.json': '2' });
      await Promise.all([newsroom.pool, newsroom.another(), newsroom.another()].map((pool) => pool.settle()));
      expect(hub.requests).toHaveLength(3);
    });

    it('that is away is told after 5, 10, 20 s and so on, and the ledger says how it stands', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => 503;
      const at = await newsroom.publish({ 'latest.atom': '2', 'latest.rss': '2' });
      expect(await run(store, at)).toMatchObject({ state: 'running', covers: 2, attempts: 0 });
      await newsroom.pool.settle();
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        reason: 'it answered 503',
        attempts: 1,
        leaseUntil: at + 5 * SECOND,
      });
      const told: number[] = [];
      for (let second = 0; second < 40; second++) {
        newsroom.now += SECOND;
        const before = hub.requests.length;
        await newsroom.pool.settle();
        if (hub.requests.length > before) told.push((newsroom.now - at) / SECOND);
      }
      expect(told).toEqual([5, 15, 35]);
      hub.answer = ({ body }) => (body.includes('latest.rss') ? 404 : 200);
      newsroom.now += 10 * MINUTE;
      await newsroom.pool.settle();
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        reason: '1 of 2 topics: it answered 404',
        attempts: 5,
      });
      const { pings, openPings } = await readHubStanding(store.db, { now: newsroom.now, limit: 5 });
      expect(openPings).toBe(1);
      expect(pings).toMatchObject([{ topic: 'latest.rss', publishedAt: at, attempts: 5, reason: 'it answered 404' }]);
      hub.answer = () => 204;
      newsroom.now += 10 * MINUTE;
      await newsroom.pool.settle();
      expect(await run(store, at)).toMatchObject({ state: 'done', reason: null, attempts: 6, leaseUntil: null });
    });

    it('is told of the later publish alone, where it missed the one before', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => 'cut';
      const first = await newsroom.publish({ 'latest.atom': '2' });
      await newsroom.pool.settle();
      const both = await newsroom.publish({ 'latest.atom': '3', 'latest.rss': '3' });
      await newsroom.pool.settle();
      const last = await newsroom.publish({ 'latest.rss': '4' });
      expect(await run(store, first)).toMatchObject({ state: 'skipped', reason: 'superseded by a later publish' });
      hub.answer = () => 204;
      hub.requests.length = 0;
      newsroom.now += MINUTE;
      await newsroom.pool.settle();
      expect(hub.requests).toHaveLength(2);
      expect(await run(store, both)).toMatchObject({
        state: 'done',
        reason: '1 of 2 topics: superseded by a later publish',
      });
      expect(await run(store, last)).toMatchObject({ state: 'done', reason: null });
      expect(await store.db.selectFrom('hub_pings').selectAll().execute()).toEqual([]);
    });

    it('that answers while a later publish is stored does not end the later one', async () => {
      const { newsroom, hub, store } = await withHub(open);
      let last = 0;
      hub.answer = async () => {
        if (hub.requests.length === 1) last = await newsroom.publish({ 'latest.atom': '3' });
        return 204;
      };
      const first = await newsroom.publish({ 'latest.atom': '2' });
      await newsroom.pool.settle();
      expect(hub.requests).toHaveLength(2);
      expect(await run(store, first)).toMatchObject({ state: 'skipped' });
      expect(await run(store, last)).toMatchObject({ state: 'done' });
    });

    it('that takes nothing for ten minutes raises an alert, once it takes something again that is resolved', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => 500;
      // A busy newsroom: each publish takes the place of the last.
      for (let minute = 0; minute < 9; minute++) {
        await newsroom.publish({ 'latest.atom': `${minute}` });
        await newsroom.pool.settle();
        newsroom.now += MINUTE;
      }
      expect(await listOpenAlerts(store.db)).toEqual([]);
      newsroom.now += MINUTE;
      await newsroom.pool.settle();
      const [alert, ...others] = await listOpenAlerts(store.db);
      expect(others).toEqual([]);
      expect(alert?.key).toBe('hub');
      expect(alert?.message).toMatch(
        /^The hub has taken no news of a publish since 2026-11-24T12:00:02.*: it answered 500\.$/,
      );
      hub.answer = () => 204;
      await newsroom.publish({ 'latest.atom': 'last' });
      await newsroom.pool.settle();
      expect(await listOpenAlerts(store.db)).toEqual([]);
    });

    it('is given up for a publish after a day, and that run has failed', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => 'cut';
      const at = await newsroom.publish({ 'latest.atom': '2' });
      for (let round = 0; round < 80; round++) {
        await newsroom.pool.settle();
        newsroom.now += 20 * MINUTE;
      }
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        leaseUntil: null,
        reason: 'no connection (UND_ERR_SOCKET)',
      });
      expect((await run(store, at))?.finishedAt).toBeGreaterThan(at + 23 * HOUR);
      const { length } = hub.requests;
      newsroom.now += DAY;
      await newsroom.pool.settle();
      expect(hub.requests).toHaveLength(length);
      expect((await listOpenAlerts(store.db)).map(({ key: cause }) => cause)).toEqual(['hub']);
    });

    it('that hangs holds up no publish', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => 'hang';
      await newsroom.publish({ 'latest.atom': '2', 'latest.rss': '2' });
      await newsroom.pool.turn();
      await expect.poll(() => hub.requests.length).toBe(2);
      const last = await newsroom.publish({ 'latest.atom': '3', 'latest.rss': '3' });
      expect(await run(store, last)).toMatchObject({ state: 'running', covers: 2 });
      await hub.close();
    });

    it('follows no redirect', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => ({ status: 308, body: '', headers: { Location: '/elsewhere' } });
      const at = await newsroom.publish({ 'latest.atom': '2' });
      await newsroom.pool.settle();
      expect(hub.requests).toHaveLength(1);
      expect(await run(store, at)).toMatchObject({ state: 'failed', reason: 'it answered 308' });
    });

    it('that is no longer configured leaves nothing open', async () => {
      const { newsroom, hub, store } = await withHub(open);
      hub.answer = () => 'cut';
      const at = await newsroom.publish({ 'latest.atom': '2' });
      await newsroom.pool.settle();
      const { hub: _, ...config } = newsroom.config;
      await keepHub({ store, config, clock: () => newsroom.now + SECOND });
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        reason: 'no hub is configured any more',
        leaseUntil: null,
      });
      expect(await store.db.selectFrom('hub_pings').selectAll().execute()).toEqual([]);
    });
  });
});

/** A newsroom that tells a hub, which has been told of the first publish. */
async function withHub(open: () => Promise<Store>) {
  const hub = await startSubscriber();
  const store = await open();
  const newsroom: HubNewsroom = await openHubNewsroom(store, { hub: hub.at('/?a=1') });
  await newsroom.pool.settle();
  expect(hub.requests).toHaveLength(3);
  hub.requests.length = 0;
  return { newsroom, hub, store };
}

async function run({ db }: Store, publishedAt: number): Promise<Run | undefined> {
  return (await listRuns(db, 50)).find(({ schedule, slotAt }) => schedule === 'hub' && slotAt === publishedAt);
}

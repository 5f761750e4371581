import { describe, expect, it } from 'vitest';
import { listRuns, type Run } from '../../../src/core/schedule/run-ledger.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { cleanHub } from '../../../src/feeds/hub/hub.ts';
import { readHubStatus } from '../../../src/feeds/hub/status.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { type HubPublisher, openPublisher, TOPIC } from './publisher.ts';
import { startSubscriber } from './subscriber.ts';

forBothDatabases((open) => {
  describe('a ping to another hub', () => {
    it('is sent once for each topic and publish, with the exact URL of the topic', async () => {
      const { publisher, hub, store } = await withHub(open);
      const at = await publisher.publish({
        'latest.atom': '<feed>2</feed>',
        'latest.rss': '<rss>2</rss>',
        'index.html': '<p>',
      });
      await publisher.pool.drain();
      await publisher.pool.drain();
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

    it('is sent once by several processes', async () => {
      const { publisher, hub } = await withHub(open);
      await publisher.publish({ 'latest.atom': '2', 'latest.rss': '2', 'latest.json': '2' });
      await Promise.all(
        [publisher.pool, publisher.openAnotherPool(), publisher.openAnotherPool()].map((pool) => pool.drain()),
      );
      expect(hub.requests).toHaveLength(3);
    });

    it('is retried after 5, 10, 20 s and so on, and the run ledger shows its state', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => 503;
      const at = await publisher.publish({ 'latest.atom': '2', 'latest.rss': '2' });
      expect(await run(store, at)).toMatchObject({ state: 'running', covers: 2, attempts: 0 });
      await publisher.pool.drain();
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        reason: 'it answered 503',
        attempts: 1,
        leaseUntil: at + 5 * SECOND,
      });
      const sentAt: number[] = [];
      for (let second = 0; second < 40; second++) {
        publisher.now += SECOND;
        const before = hub.requests.length;
        await publisher.pool.drain();
        if (hub.requests.length > before) sentAt.push((publisher.now - at) / SECOND);
      }
      expect(sentAt).toEqual([5, 15, 35]);
      hub.answer = ({ body }) => (body.includes('latest.rss') ? 404 : 200);
      publisher.now += 10 * MINUTE;
      await publisher.pool.drain();
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        reason: '1 of 2 topics: it answered 404',
        attempts: 5,
      });
      const { pings, pendingPings: openPings } = await readHubStatus(store.db, { now: publisher.now, limit: 5 });
      expect(openPings).toBe(1);
      expect(pings).toMatchObject([{ topic: 'latest.rss', publishedAt: at, attempts: 5, reason: 'it answered 404' }]);
      hub.answer = () => 204;
      publisher.now += 10 * MINUTE;
      await publisher.pool.drain();
      expect(await run(store, at)).toMatchObject({ state: 'done', reason: null, attempts: 6, leaseUntil: null });
    });

    it('is sent for the latest publish alone, after one that the hub missed', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => 'cut';
      const first = await publisher.publish({ 'latest.atom': '2' });
      await publisher.pool.drain();
      const both = await publisher.publish({ 'latest.atom': '3', 'latest.rss': '3' });
      await publisher.pool.drain();
      const last = await publisher.publish({ 'latest.rss': '4' });
      expect(await run(store, first)).toMatchObject({ state: 'skipped', reason: 'superseded by a later publish' });
      hub.answer = () => 204;
      hub.requests.length = 0;
      publisher.now += MINUTE;
      await publisher.pool.drain();
      expect(hub.requests).toHaveLength(2);
      expect(await run(store, both)).toMatchObject({
        state: 'done',
        reason: '1 of 2 topics: superseded by a later publish',
      });
      expect(await run(store, last)).toMatchObject({ state: 'done', reason: null });
      expect(await store.db.selectFrom('hub_pings').selectAll().execute()).toEqual([]);
    });

    it('does not complete a later publish when the hub answers during it', async () => {
      const { publisher, hub, store } = await withHub(open);
      let last = 0;
      hub.answer = async () => {
        if (hub.requests.length === 1) last = await publisher.publish({ 'latest.atom': '3' });
        return 204;
      };
      const first = await publisher.publish({ 'latest.atom': '2' });
      await publisher.pool.drain();
      expect(hub.requests).toHaveLength(2);
      expect(await run(store, first)).toMatchObject({ state: 'skipped' });
      expect(await run(store, last)).toMatchObject({ state: 'done' });
    });

    it('raises an alert after ten minutes of failures, and resolves it with the next success', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => 500;
      // Each publish supersedes the last.
      for (let minute = 0; minute < 9; minute++) {
        await publisher.publish({ 'latest.atom': `${minute}` });
        await publisher.pool.drain();
        publisher.now += MINUTE;
      }
      expect(await openAlerts(store.db)).toEqual([]);
      publisher.now += MINUTE;
      await publisher.pool.drain();
      const [alert, ...others] = await openAlerts(store.db);
      expect(others).toEqual([]);
      expect(alert?.key).toBe('hub');
      expect(alert?.message).toMatch(/^The hub has accepted no ping since 2026-11-24T12:00:02Z: it answered 500\.$/);
      hub.answer = () => 204;
      await publisher.publish({ 'latest.atom': 'last' });
      await publisher.pool.drain();
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('fails for good a day after its publish, and so does its run', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => 'cut';
      const at = await publisher.publish({ 'latest.atom': '2' });
      for (let round = 0; round < 80; round++) {
        await publisher.pool.drain();
        publisher.now += 20 * MINUTE;
      }
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        leaseUntil: null,
        reason: 'no connection (UND_ERR_SOCKET)',
      });
      expect((await run(store, at))?.finishedAt).toBeGreaterThan(at + 23 * HOUR);
      const { length } = hub.requests;
      publisher.now += DAY;
      await publisher.pool.drain();
      expect(hub.requests).toHaveLength(length);
      expect((await openAlerts(store.db)).map(({ key }) => key)).toEqual(['hub']);
    });

    it('does not delay a publish when the hub hangs', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => 'hang';
      await publisher.publish({ 'latest.atom': '2', 'latest.rss': '2' });
      await publisher.pool.tick();
      await expect.poll(() => hub.requests.length).toBe(2);
      const last = await publisher.publish({ 'latest.atom': '3', 'latest.rss': '3' });
      expect(await run(store, last)).toMatchObject({ state: 'running', covers: 2 });
      await hub.close();
    });

    it('does not follow redirects', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => ({ status: 308, body: '', headers: { Location: '/elsewhere' } });
      const at = await publisher.publish({ 'latest.atom': '2' });
      await publisher.pool.drain();
      expect(hub.requests).toHaveLength(1);
      expect(await run(store, at)).toMatchObject({ state: 'failed', reason: 'it answered 308' });
    });

    it('fails when the hub is no longer configured', async () => {
      const { publisher, hub, store } = await withHub(open);
      hub.answer = () => 'cut';
      const at = await publisher.publish({ 'latest.atom': '2' });
      await publisher.pool.drain();
      const { hub: _, ...config } = publisher.config;
      await cleanHub({ store, config, clock: () => publisher.now + SECOND });
      expect(await run(store, at)).toMatchObject({
        state: 'failed',
        reason: 'no hub is configured any more',
        leaseUntil: null,
      });
      expect(await store.db.selectFrom('hub_pings').selectAll().execute()).toEqual([]);
    });
  });
});

/** A publisher with another hub, which has received the pings of the first publish. */
async function withHub(open: () => Promise<Store>) {
  const hub = await startSubscriber();
  const store = await open();
  const publisher: HubPublisher = await openPublisher(store, { hub: hub.url('/?a=1') });
  await publisher.pool.drain();
  expect(hub.requests).toHaveLength(3);
  hub.requests.length = 0;
  return { publisher, hub, store };
}

async function run({ db }: Store, publishedAt: number): Promise<Run | undefined> {
  return (await listRuns(db, 50)).find(({ schedule, slotAt }) => schedule === 'hub' && slotAt === publishedAt);
}

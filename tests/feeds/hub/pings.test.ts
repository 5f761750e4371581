import { expect, it } from 'vitest';
import { cleanHub } from '../../../src/feeds/hub/hub.ts';
import { MINUTE, SECOND } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { openMigrated } from '../../support/databases.ts';
import { type HubPublisher, openPublisher, TOPIC } from './publisher.ts';
import { startSubscriber } from './subscriber.ts';

const RSS = TOPIC.replace('.atom', '.rss');

it('sends one ping for each topic and publish, with the exact URL of the topic', async () => {
  const { publisher, hub } = await withHub();
  await publisher.publish({ 'latest.atom': '<feed>2</feed>', 'latest.rss': '<rss>2</rss>', 'index.html': '<p>' });
  await publisher.pool.drain();
  await publisher.pool.drain();
  expect(hub.requests.map(({ method, path }) => [method, path])).toEqual([
    ['POST', '/?a=1'],
    ['POST', '/?a=1'],
  ]);
  expect(hub.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toEqual(
    expect.arrayContaining(
      [TOPIC, RSS].map((topic) => ({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic })),
    ),
  );
  expect(hub.requests[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
});

it('pings nothing about feeds that changed before the process started', async () => {
  const { publisher, hub } = await withHub();
  await publisher.publish({ 'latest.atom': '2' });
  publisher.now += SECOND;
  const started = publisher.openAnotherPool();
  await started.drain();
  expect(hub.requests).toEqual([]);
  await publisher.publish({ 'latest.rss': '3' });
  await started.drain();
  expect(hub.requests.map(({ body }) => new URLSearchParams(body).get('hub.topic'))).toEqual([RSS]);
});

it('retries after 5, 10, 20 s and so on, for the latest publish of a topic', async () => {
  const { publisher, hub } = await withHub();
  hub.answer = () => 503;
  const at = await publisher.publish({ 'latest.atom': '2' });
  await publisher.pool.drain();
  expect(publisher.logged).toEqual([expect.stringMatching(/latest\.atom.*it answered 503/)]);
  const sentAt: number[] = [];
  for (let second = 0; second < 40; second++) {
    publisher.now += SECOND;
    const before = hub.requests.length;
    await publisher.pool.drain();
    if (hub.requests.length > before) sentAt.push((publisher.now - at) / SECOND);
  }
  expect(sentAt).toEqual([5, 15, 35]);
  await publisher.publish({ 'latest.atom': '3' });
  hub.answer = () => 204;
  hub.requests.length = 0;
  await publisher.pool.drain();
  publisher.now += 10 * MINUTE;
  await publisher.pool.drain();
  expect(hub.requests).toHaveLength(1);
});

it('pings again when a topic changes while the hub answers', async () => {
  const { publisher, hub } = await withHub();
  hub.answer = async () => {
    if (hub.requests.length === 1) await publisher.publish({ 'latest.atom': '3' });
    return 204;
  };
  await publisher.deliver('2');
  expect(hub.requests).toHaveLength(2);
});

it('raises an alert after ten minutes of failures; a success, or another configuration, resolves it', async () => {
  const { publisher, hub, store } = await withHub();
  const failTenMinutes = async (): Promise<void> => {
    for (let minute = 0; minute < 11; minute++) {
      await publisher.deliver(`${publisher.now}`);
      if (minute < 10) expect(await openAlerts(store.db)).toEqual([]);
      publisher.now += MINUTE;
    }
  };
  hub.answer = () => 500;
  await failTenMinutes();
  expect(await openAlerts(store.db)).toMatchObject([
    { key: 'hub', message: 'The hub has accepted no ping since 2026-11-24T12:00:02Z: it answered 500.' },
  ]);
  hub.answer = () => 204;
  await publisher.deliver('last');
  expect(await openAlerts(store.db)).toEqual([]);

  hub.answer = () => 'cut';
  await failTenMinutes();
  const { hub: _, ...config } = publisher.config;
  await cleanHub({ store, config, clock: publisher.clock });
  expect(await openAlerts(store.db)).toEqual([]);
});

it('does not follow redirects', async () => {
  const { publisher, hub } = await withHub();
  hub.answer = () => ({ status: 308, body: '', headers: { Location: '/elsewhere' } });
  await publisher.deliver('2');
  expect(hub.requests).toHaveLength(1);
});

/** A publisher with another hub, which has received the pings of the first publish. */
async function withHub() {
  const hub = await startSubscriber();
  const store = await openMigrated();
  const publisher: HubPublisher = await openPublisher(store, { hub: hub.url('/?a=1') });
  await publisher.pool.drain();
  expect(hub.requests).toHaveLength(3);
  hub.requests.length = 0;
  return { publisher, hub, store };
}

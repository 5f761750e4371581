import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { Hono } from 'hono';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { readMetrics, serveMetrics } from '../../src/app/metrics.ts';
import { raiseAlert } from '../../src/core/alerts/alerts.ts';
import { httpSeconds, PROCESS_METRICS } from '../../src/core/metrics.ts';
import { registerSchedules } from '../../src/core/schedule/register.ts';
import { claimRun, deleteOldRuns, finishRun, recordWaitingRun } from '../../src/core/schedule/run-ledger.ts';
import { foldCountSlots } from '../../src/core/store/counts.ts';
import { DELIVERY_HELD, writeMeta } from '../../src/core/store/meta.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { DeliveryState } from '../../src/core/store/tables.ts';
import { noteProviderEvent } from '../../src/delivery/providers/record-events.ts';
import { deleteOldRows, foldDeliveries } from '../../src/delivery/retention.ts';
import { addRequests, deleteReaderCounts } from '../../src/feeds/readers/reader-rows.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { requestNewsletters } from '../audience/fixtures.ts';
import { subscriptionRow } from '../feeds/hub/rows.ts';
import { alertNamed } from '../support/alerts.ts';
import { clockAt } from '../support/clock.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { storeDeliveries } from '../support/deliveries.ts';
import { publishDocuments } from '../support/documents.ts';
import { storeEdition, storeServiceMessage } from '../support/editions.ts';
import { recordQueries } from '../support/recorded-queries.ts';
import { openTestSite } from './test-site.ts';

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const now = Date.UTC(2026, 10, 24, 12);
const schedule = { cron: '30 7 * * *', zone: 'UTC', graceMinutes: 60 };

const renderMetrics = async (store: Store): Promise<string> => (await readMetrics(store, now)).metrics();

/** The samples by name and labels, as Prometheus reads them. */
async function scrape(store: Store): Promise<Map<string, number>> {
  const samples = (await renderMetrics(store)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

async function recordRun(store: Store, id: string, slotAt: number, state: 'done' | 'failed' | null): Promise<void> {
  const claim = await claimRun(store.db, { schedule: id, slotAt, covers: 1 }, slotAt + 1_000, slotAt + MINUTE);
  if (claim !== null && state !== null)
    await finishRun(store.db, claim, { state, reason: null, retryAt: null }, slotAt + 2_000);
}

async function deliver(
  store: Store,
  edition: number,
  subscriber: number,
  state: DeliveryState,
  dueAt: number,
): Promise<void> {
  await storeDeliveries(store, edition, [{ subscriber_id: subscriber, state, due_at: dueAt, changed_at: dueAt }]);
}

const STATES = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'];
const zeros = (name: string, label: string, values: string[]) =>
  Object.fromEntries(values.map((value) => [`daywire_${name}{${label}="${value}"}`, 0]));

forEachDatabase((open, dialect) => {
  it('has zeros for an empty store', async () => {
    expect(Object.fromEntries(await scrape(await open()))).toEqual({
      [`daywire_build_info{version="${version}",node="${process.versions.node}",database="${dialect}"}`]: 1,
      daywire_oldest_due_delivery_seconds: 0,
      daywire_queue_held: 0,
      ...zeros('service_messages_total', 'state', ['submitted', 'failed', 'suppressed']),
      ...zeros('bounces_total', 'kind', ['hard', 'soft', 'complaint']),
      daywire_uncertain_deliveries: 0,
      ...zeros('service_messages', 'state', STATES),
      ...zeros('bounces', 'kind', ['hard', 'soft', 'complaint']),
      ...zeros('suppressed_addresses', 'reason', ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator']),
      'daywire_rejections{stage="import"}': 0,
      'daywire_rejections{stage="feed"}': 0,
      'daywire_rejections{stage="edition"}': 0,
      daywire_sign_in_failures: 0,
      daywire_hub_unverified_requests: 0,
      daywire_oldest_pending_hub_notification_seconds: 0,
      daywire_pending_changes: 0,
      daywire_oldest_pending_change_seconds: 0,
      daywire_open_alerts: 0,
    });
  });

  it('counts hub subscriptions by topic, failing ones, and the age of the longest pending one', async () => {
    const store = await open();
    const pending = { pending: 1 as const, pending_since: now - MINUTE };
    await store.db
      .insertInto('hub_subscriptions')
      .values([
        subscriptionRow('a', now, pending),
        subscriptionRow('b', now, { ...pending, attempts: 3, failing_since: now - HOUR }),
        subscriptionRow('c', now, { pending: 1, pending_since: 0, expires_at: now }),
      ])
      .execute();
    const metrics = Object.fromEntries(await scrape(store));
    expect(metrics).toMatchObject({
      'daywire_hub_subscriptions{topic="latest.atom"}': 2,
      'daywire_hub_failing_subscriptions{topic="latest.atom"}': 1,
      daywire_oldest_pending_hub_notification_seconds: 60,
    });
  });

  it('counts the runs of the last week by schedule and state, and shows the state of the newest', async () => {
    const store = await open();
    await registerSchedules(
      store.db,
      [
        { id: 'newsletter:daily', schedule, coalesce: false },
        { id: 'newsletter:weekly', schedule, coalesce: false },
        { id: 'publish', schedule, coalesce: true },
      ],
      now - 30 * DAY,
    );
    await recordRun(store, 'newsletter:daily', now - 8 * DAY, 'failed');
    await recordRun(store, 'newsletter:daily', now - 2 * DAY, 'done');
    await recordRun(store, 'newsletter:daily', now - DAY, 'done');
    await recordRun(store, 'newsletter:daily', now, 'failed');
    await recordRun(store, 'publish', now - MINUTE, null);
    await recordRun(store, 'publish:gone', now - MINUTE, 'done');
    await recordWaitingRun(store.db, { schedule: 'newsletter:weekly', slotAt: now, covers: 1 }, 'held by Ada', now);
    const samples = await scrape(store);
    const of = (prefix: string): object => Object.fromEntries([...samples].filter(([name]) => name.startsWith(prefix)));
    expect(of('daywire_runs{')).toEqual({
      'daywire_runs{schedule="publish",state="running"}': 1,
      'daywire_runs{schedule="newsletter:daily",state="done"}': 2,
      'daywire_runs{schedule="newsletter:daily",state="failed"}': 1,
      'daywire_runs{schedule="newsletter:weekly",state="waiting"}': 1,
    });
    expect(of('daywire_runs_total{schedule="newsletter:weekly"')).toEqual({});
    expect(samples.get('daywire_last_run_slot_timestamp_seconds{schedule="newsletter:daily"}')).toBe(now / 1_000);
    expect(samples.get('daywire_last_run_timestamp_seconds{schedule="newsletter:daily"}')).toBe(now / 1_000 + 1);
    const lastStates = [...samples].filter(([name, value]) => name.startsWith('daywire_last_run_state') && value === 1);
    expect(lastStates.map(([name]) => name)).toEqual([
      'daywire_last_run_state{schedule="newsletter:daily",state="failed"}',
      'daywire_last_run_state{schedule="newsletter:weekly",state="waiting"}',
      'daywire_last_run_state{schedule="publish",state="running"}',
    ]);
    expect(samples.get('daywire_last_run_state{schedule="newsletter:daily",state="done"}')).toBe(0);
  });

  it('counts editions by newsletter, and the deliveries of the newest one by state', async () => {
    const store = await open();
    const first = await storeEdition(store, { newsletter: 'daily', number: 1, closed_at: now - DAY });
    const second = await storeEdition(store, { newsletter: 'daily', number: 2, closed_at: now - HOUR });
    await storeEdition(store, { newsletter: 'weekly', number: 1, closed_at: now - 3 * DAY });
    await deliver(store, first, 1, 'failed', now - DAY);
    await deliver(store, first, 2, 'pending', now - DAY);
    for (const [subscriber, state] of [
      [1, 'submitted'],
      [2, 'submitted'],
      [3, 'failed'],
      [4, 'pending'],
    ] as const) {
      await deliver(store, second, subscriber, state, now - HOUR);
    }
    for (const edition_id of [first, second]) {
      await store.db
        .insertInto('bounces')
        .values({ edition_id, subscriber_id: 1, kind: 'complaint', at: now })
        .execute();
    }
    const samples = await scrape(store);
    expect(samples.get('daywire_editions_total{newsletter="daily"}')).toBe(2);
    expect(samples.get('daywire_editions_total{newsletter="weekly"}')).toBe(1);
    expect(samples.get('daywire_last_edition_closed_timestamp_seconds{newsletter="daily"}')).toBe((now - HOUR) / 1_000);
    const counts = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'].map((state) =>
      samples.get(`daywire_last_edition_deliveries{newsletter="daily",state="${state}"}`),
    );
    expect(counts).toEqual([1, 0, 2, 1, 0]);
    await deliver(store, second, 5, 'suppressed', now - HOUR);
    await store.db.updateTable('editions').set({ too_few: 1 }).where('id', '=', second).execute();
    const tooFew = [...(await scrape(store))].filter(([name]) => /deliveries\{.*"(suppressed|too few.*)"/.test(name));
    expect(Object.fromEntries(tooFew)).toMatchObject({
      'daywire_last_edition_deliveries{newsletter="daily",state="suppressed"}': 0,
      'daywire_last_edition_deliveries{newsletter="daily",state="too few chosen stories"}': 1,
    });
    expect(samples.get('daywire_last_edition_deliveries{newsletter="weekly",state="submitted"}')).toBe(0);
    expect(samples.get('daywire_last_edition_reports{newsletter="daily",kind="complaint"}')).toBe(1);
    expect(samples.get('daywire_last_edition_reports{newsletter="daily",kind="delivered"}')).toBe(0);
    expect(samples.get('daywire_last_edition_rate_percent{newsletter="daily",kind="complaint"}')).toBe(50);
    expect(samples.get('daywire_last_edition_rate_percent{newsletter="weekly",kind="bounce"}')).toBe(0);
    expect(samples.get('daywire_oldest_due_delivery_seconds')).toBe(DAY / 1_000);
  });

  it('includes deliveries that were reduced to totals', async () => {
    const store = await open();
    const edition = await storeEdition(store, { newsletter: 'daily', number: 1, closed_at: now - DAY });
    await deliver(store, edition, 1, 'submitted', now);
    const folded = { edition_id: edition, count: 70_000 };
    await store.db
      .insertInto('delivery_totals')
      .values([
        { ...folded, state: 'submitted' },
        { ...folded, state: 'failed' },
      ])
      .execute();
    const samples = await scrape(store);
    const count = (state: string) =>
      samples.get(`daywire_last_edition_deliveries{newsletter="daily",state="${state}"}`);
    expect([count('submitted'), count('failed'), count('pending')]).toEqual([70_001, 70_000, 0]);
  });

  it('counts feed requests and reported subscribers by reader', async () => {
    const store = await open();
    const count = { path: 'latest.atom', unchanged: 0 };
    await addRequests(store, '2026-11-23', [{ ...count, reader: 'Feedly', requests: 9, unchanged: 3 }]);
    await addRequests(store, '2026-11-24', [
      { ...count, reader: 'Feedly', requests: 1, path: 'latest.rss' },
      { ...count, reader: 'other', requests: 6 },
    ]);
    const report = { path: 'latest.atom', reader: 'Feedly', feed: '' };
    await store.db
      .insertInto('feed_reader_reports')
      .values([
        { ...report, day: '2026-11-23', subscribers: 40, reported_at: now - DAY },
        { ...report, day: '2026-11-24', subscribers: 41, reported_at: now },
        { ...report, day: '2026-11-01', subscribers: 9, reported_at: now - 23 * DAY, reader: 'Inoreader' },
      ])
      .execute();
    const body = await renderMetrics(store);
    expect(body).toContain('# TYPE daywire_feed_requests_total counter');
    const shown = [...(await scrape(store))].filter(([name]) => /feed_(requests|subscribers)/.test(name));
    expect(Object.fromEntries(shown)).toEqual({
      'daywire_feed_requests_total{reader="Feedly",answer="full"}': 7,
      'daywire_feed_requests_total{reader="Feedly",answer="unchanged"}': 3,
      'daywire_feed_requests_total{reader="other",answer="full"}': 6,
      'daywire_feed_requests_total{reader="other",answer="unchanged"}': 0,
      'daywire_feed_subscribers_reported{reader="Feedly"}': 41,
    });
  });

  it('shows that an edition is paused, and ignores its due deliveries', async () => {
    const store = await open();
    const paused = await storeEdition(store, { newsletter: 'daily', number: 1, closed_at: now - DAY });
    const going = await storeEdition(store, { newsletter: 'weekly', number: 1, closed_at: now - DAY });
    await store.db.updateTable('editions').set({ delivery_state: 'paused' }).where('id', '=', paused).execute();
    await deliver(store, paused, 1, 'pending', now - DAY);
    await deliver(store, going, 1, 'pending', now - MINUTE);
    await deliver(store, going, 2, 'pending', now - HOUR);
    await deliver(store, going, 3, 'submitted', now - DAY);
    const samples = await scrape(store);
    expect(samples.get('daywire_oldest_due_delivery_seconds')).toBe(3_600);
    expect(samples.get('daywire_last_edition_delivery_state{newsletter="daily",state="paused"}')).toBe(1);
    expect(samples.get('daywire_last_edition_delivery_state{newsletter="daily",state="cancelled"}')).toBe(0);
    expect(samples.get('daywire_last_edition_delivery_state{newsletter="weekly",state="paused"}')).toBe(0);
  });

  it('shows a held queue, uncertain deliveries, service messages, bounces and suppressed addresses', async () => {
    const store = await open();
    await writeMeta(store.db, DELIVERY_HELD, 'restored from a backup');
    const edition = await storeEdition(store, { newsletter: 'daily', number: 1, closed_at: now - DAY });
    for (const [subscriber, leaseUntil] of [
      [1, now - 1],
      [2, now + MINUTE],
    ] as const) {
      await deliver(store, edition, subscriber, 'submitting', now - HOUR);
      await store.db
        .updateTable('deliveries')
        .set({ lease_until: leaseUntil })
        .where('subscriber_id', '=', subscriber)
        .execute();
    }
    await storeServiceMessage(store, { subscriber_id: 1, state: 'submitted', changed_at: now });
    await store.db.insertInto('bounces').values({ subscriber_id: 1, kind: 'soft', at: now }).execute();
    await store.db
      .insertInto('suppressions')
      .values([
        { address_hash: 'a', reason: 'complaint', at: now },
        { address_hash: 'b', reason: 'complaint', at: now },
      ])
      .execute();
    await noteProviderEvent(store.db, 'mailgun', now - HOUR);
    expect(Object.fromEntries(await scrape(store))).toMatchObject({
      'daywire_mail_provider_last_report_timestamp_seconds{provider="mailgun"}': (now - HOUR) / 1_000,
      daywire_queue_held: 1,
      daywire_uncertain_deliveries: 1,
      'daywire_service_messages{state="submitted"}': 1,
      'daywire_service_messages{state="pending"}': 0,
      'daywire_bounces{kind="soft"}': 1,
      'daywire_bounces{kind="hard"}': 0,
      'daywire_suppressed_addresses{reason="complaint"}': 2,
      'daywire_suppressed_addresses{reason="erased"}': 0,
    });
  });

  it('shows the age of feeds, and counts pending changes, rejections and alerts', async () => {
    const store = await open();
    const document = { mediaType: 'x', body: '' };
    await publishDocuments(store, [{ path: 'latest.rss', ...document }], now - 90_000);
    await publishDocuments(store, [{ path: 'latest.atom', ...document }], now + 1_000);
    await store.db
      .insertInto('pending_changes')
      .values([
        { article_id: 'a', due_at: now - 5_000, changed_at: now },
        { article_id: 'b', due_at: now - 1_000, changed_at: now },
        { article_id: 'embargoed', due_at: now + DAY, changed_at: now },
      ])
      .execute();
    const aside = { source: 's', line: 1, article_id: null, problems: '[]', raw: '', rejected_at: now };
    await store.db
      .insertInto('rejections')
      .values([
        { key: '1', stage: 'import', ...aside },
        { key: '2', stage: 'import', ...aside },
        { key: '3', stage: 'feed', ...aside },
      ])
      .execute();
    await raiseAlert(store.db, { ...alertNamed('heartbeat'), message: 'm' }, now);
    expect(Object.fromEntries(await scrape(store))).toMatchObject({
      'daywire_feed_age_seconds{path="latest.rss"}': 90,
      'daywire_feed_age_seconds{path="latest.atom"}': 0,
      daywire_pending_changes: 2,
      daywire_oldest_pending_change_seconds: 5,
      'daywire_rejections{stage="import"}': 2,
      'daywire_rejections{stage="feed"}': 1,
      'daywire_rejections{stage="edition"}': 0,
      daywire_open_alerts: 1,
    });
  });

  it('never decreases a counter when rows are deleted by retention, or retried', async () => {
    const store = await open();
    const edition = await storeEdition(store, { newsletter: 'daily', number: 1, closed_at: now - DAY });
    await deliver(store, edition, 1, 'submitted', now - DAY);
    await deliver(store, edition, 2, 'failed', now - DAY);
    await recordRun(store, 'publish', now - DAY, 'done');
    const requests = { path: 'latest.atom', reader: 'Feedly', requests: 4, unchanged: 1 };
    await addRequests(store, '2026-11-23', [requests]);
    await store.db
      .insertInto('bounces')
      .values({ subscriber_id: 1, kind: 'hard', at: now - DAY })
      .execute();
    const totals = async () => Object.fromEntries([...(await scrape(store))].filter(([name]) => /_total\b/.test(name)));
    const before = await totals();
    expect(before).toMatchObject({
      'daywire_deliveries_total{newsletter="daily",state="submitted"}': 1,
      'daywire_deliveries_total{newsletter="daily",state="failed"}': 1,
      'daywire_runs_total{schedule="publish",state="done"}': 1,
      'daywire_bounces_total{kind="hard"}': 1,
      'daywire_feed_requests_total{reader="Feedly",answer="full"}': 3,
      'daywire_editions_total{newsletter="daily"}': 1,
    });
    const retried = store.db.updateTable('deliveries').where('state', '=', 'failed');
    await retried.set({ state: 'pending' }).execute();
    await store.db.updateTable('deliveries').set({ state: 'suppressed' }).where('state', '=', 'pending').execute();
    await foldDeliveries(store, now);
    await deleteOldRuns(store.db, now);
    await deleteReaderCounts(store.db, '2026-11-25');
    await deleteOldRows(store, 'bounces', sql`at < ${now}`);
    await foldCountSlots(store.db);
    expect(await totals()).toEqual({
      ...before,
      'daywire_deliveries_total{newsletter="daily",state="suppressed"}': 1,
    });
  });

  it('counts subscribers by newsletter and state', async () => {
    const store = await open();
    await requestNewsletters(store, ['daily']);
    await store.db.updateTable('subscriptions').set({ state: 'confirmed' }).execute();
    expect(Object.fromEntries(await scrape(store))).toMatchObject({
      'daywire_subscriptions{newsletter="daily",state="unconfirmed"}': 0,
      'daywire_subscriptions{newsletter="daily",state="confirmed"}': 1,
      'daywire_subscription_changes_total{newsletter="daily",state="confirmed"}': 1,
    });
  });

  it('are read once for all scrapes within five seconds', async () => {
    const { store, takeQueries } = recordQueries(await open());
    const at = clockAt(now);
    const app = new Hono().get('/', serveMetrics({ store: { ...store, reports: store.db }, clock: at.clock }));
    const [first, second] = await Promise.all([app.request('/'), app.request('/')]);
    const queries = takeQueries().length;
    expect(queries).toBeGreaterThan(10);
    expect(first.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const ofStore = async (response: Response) =>
      (await response.text()).split('\n').filter((line) => !/process_|nodejs_/.test(line));
    expect(await ofStore(second)).toEqual(await ofStore(first));
    at.now += 4 * SECOND;
    expect((await app.request('/')).status).toBe(200);
    expect(takeQueries()).toEqual([]);
    at.now += SECOND;
    await app.request('/');
    expect(takeQueries()).toHaveLength(queries);
  });

  it('reads counters instead of rows, whose number has no limit', async () => {
    const { store, takeQueries } = recordQueries(await open());
    await storeEdition(store, { newsletter: 'daily', number: 1, closed_at: now - DAY });
    takeQueries();
    await renderMetrics({ ...store, reports: store.db });
    const queries = takeQueries().map(({ sql }) => sql);
    expect(queries.length).toBeGreaterThan(10);
    // By an index, of the newest editions: some percent of their deliveries at most.
    const ofEdition = /from "bounces" where "edition_id" in/;
    const others = queries.filter((text) => !ofEdition.test(text));
    expect(others.filter((text) => /from "?(subscriptions|service_messages|bounces|rejections)/.test(text))).toEqual(
      [],
    );
    // The two about deliveries use partial indexes.
    expect(queries.filter((text) => /from "?deliveries/.test(text))).toHaveLength(2);
  });
});

it('measures requests by the first part of the path, and takes nothing that a stranger chose as a label', async () => {
  const [store, samples] = [await openMigrated(), async () => (await httpSeconds.get()).values];
  const site = openTestSite(store);
  const feeds = { route: 'feeds', status: '4xx' };
  const countOf = async () =>
    (await samples()).find(
      ({ metricName, labels }) =>
        metricName?.endsWith('_count') && labels.route === feeds.route && labels.status === feeds.status,
    )?.value ?? 0;
  const before = await countOf();
  await site.get('/feeds/none.atom');
  expect(await countOf()).toBe(before + 1);
  await fc.assert(
    fc.asyncProperty(fc.webPath(), async (path) => {
      await site.get(`/${path.slice(1)}`);
    }),
    { numRuns: 20 },
  );
  const counted = (await samples()).filter(({ metricName }) => metricName?.endsWith('_count'));
  expect(counted.length).toBeGreaterThan(0);
  for (const { labels } of counted) {
    expect(labels.route).toMatch(/^(pages|confirm|articles|feeds|desk|hub|media|webhooks|\w+z|\w*subscribe)$/);
    expect(labels.status).toMatch(/^[1-5]xx$/);
  }
});

it('documents each metric with its labels in docs/operating/monitoring.md, and no other', async () => {
  const store = await openMigrated();
  const registry = await readMetrics(store, now);
  await store.close();
  const metrics = [registry, PROCESS_METRICS].flatMap(
    (one) => one.getMetricsAsArray() as unknown as { name: string; labelNames: string[] }[],
  );
  // Others are those that prom-client gives to each program of Node.
  const own = metrics.filter(({ name }) => name.startsWith('daywire_'));
  const exposed = own.map(({ name, labelNames }) => {
    return name.replace('daywire_', '') + (labelNames.length === 0 ? '' : `{${labelNames.join(',')}}`);
  });
  const text = await readFile(new URL('../../docs/operating/monitoring.md', import.meta.url), 'utf8');
  const [, table = ''] = /metric, with the prefix.*\n.*\n((?: {2}\|.*\n)+)/.exec(text) ?? [];
  const documented = table
    .split('\n')
    .flatMap((line) => (line.split(' | ')[1] ?? '').match(/[a-z_]+(?:\{[a-z,]+\})?/g) ?? []);
  expect(documented.length).toBeGreaterThan(20);
  expect(documented.sort()).toEqual(exposed.sort());
});

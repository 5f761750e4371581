/**
 * What Prometheus is told: gauges read from the database at the moment of the scrape, so that every process answers alike and
 * none has to remember anything. Labels are ids of the configuration, states and the
 * readers that are known here, never anything a stranger chose.
 */
import type { Handler } from 'hono';
import { Counter, Gauge, Registry } from 'prom-client';
import {
  countAllDeliveries,
  countBounces,
  countServiceMessages,
  countSuppressed,
  countUncertain,
  findNextDue,
} from '../../delivery/queue/queries.ts';
import { isKnownReader, OTHER } from '../../feeds/readers/reader-name.ts';
import { countNewestRequests, countSubscribers } from '../../feeds/readers/reader-statistics.ts';
import { DAY, localDate, SECOND } from '../../lib/time.ts';
import { listOpenAlerts } from '../../schedule/alerts.ts';
import { listLastRuns } from '../../schedule/run-ledger.ts';
import { DELIVERY_HELD, readMeta } from '../../store/meta.ts';
import type { Db, Store } from '../../store/store.ts';
import { readHubStatus } from '../../websub/status.ts';
import type { WebContext } from './web-context.ts';

const RUN_STATES = ['running', 'done', 'late', 'skipped', 'failed'] as const;
const DELIVERY_STATES = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'] as const;

const BOUNCE_KINDS = ['hard', 'soft', 'complaint'] as const;
const SUPPRESSION_REASONS = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'] as const;
const STANDINGS = ['paused', 'cancelled'] as const;

/** `/metrics`. */
export function serveMetrics({ store, clock }: WebContext): Handler {
  return async (c) => {
    const { contentType, body } = await renderMetrics(store, clock());
    return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  };
}

/**
 * The metrics at `now`, in Prometheus' text format.
 * @throws Error of the store
 */
export async function renderMetrics(store: Store, now: number): Promise<{ contentType: string; body: string }> {
  // It counts a million deliveries, or changes after a large import, without holding up the pages.
  const { reports } = store;
  const registry = new Registry();
  const gauge = gaugesOf(registry);
  await runMetrics(reports, gauge, now);
  await editionMetrics(reports, gauge);
  await deliveryMetrics(reports, gauge, now);
  await feedMetrics(reports, gauge, now);
  await readerMetrics(reports, gauge, registry, now);
  await hubMetrics(reports, gauge, now);
  await troubleMetrics(reports, gauge, now);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

type MakeGauge = <T extends string>(name: string, help: string, labelNames?: readonly T[]) => Gauge<T>;

function gaugesOf(registry: Registry): MakeGauge {
  return (name, help, labelNames = []) =>
    new Gauge({ name: `daywire_${name}`, help, labelNames, registers: [registry] });
}

async function runMetrics(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const runs = gauge('runs', 'Runs of the last seven days.', ['schedule', 'state']);
  const counts = await db
    .selectFrom('schedules')
    .innerJoin('runs', 'runs.schedule', 'schedules.id')
    .select((e) => ['runs.schedule', 'runs.state', e.fn.countAll<number>().as('count')])
    .where('runs.slot_at', '>', now - 7 * DAY)
    .groupBy(['runs.schedule', 'runs.state'])
    .orderBy('runs.schedule')
    .orderBy('runs.state')
    .execute();
  for (const { schedule, state, count } of counts) runs.set({ schedule, state }, count);

  const slot = gauge('last_run_slot_timestamp_seconds', 'The newest slot that has a run.', ['schedule']);
  const started = gauge('last_run_timestamp_seconds', 'When the run of that slot last began.', ['schedule']);
  const lastState = gauge('last_run_state', '1 for the state of that run, 0 for the others.', ['schedule', 'state']);
  for (const run of await listLastRuns(db)) {
    const { schedule } = run;
    slot.set({ schedule }, run.slotAt / SECOND);
    started.set({ schedule }, run.startedAt / SECOND);
    for (const state of RUN_STATES) lastState.set({ schedule, state }, run.state === state ? 1 : 0);
  }
}

async function editionMetrics(db: Db, gauge: MakeGauge): Promise<void> {
  const editions = gauge('editions', 'Editions closed.', ['newsletter']);
  const closed = gauge('last_edition_closed_timestamp_seconds', 'When the newest edition closed.', ['newsletter']);
  const deliveries = gauge('last_edition_deliveries', 'Deliveries of the newest edition.', ['newsletter', 'state']);
  const standing = gauge('last_edition_standing', '1 where the newest edition is paused or cancelled.', [
    'newsletter',
    'standing',
  ]);
  const last = await findLastEditions(db);
  const counts = await countAllDeliveries(
    db,
    last.map((edition) => edition.id),
  );
  for (const edition of last) {
    const { newsletter } = edition;
    editions.set({ newsletter }, edition.count);
    closed.set({ newsletter }, edition.closed_at / SECOND);
    for (const state of DELIVERY_STATES) deliveries.set({ newsletter, state }, counts.get(edition.id)?.[state] ?? 0);
    for (const one of STANDINGS) standing.set({ newsletter, standing: one }, edition.delivery_state === one ? 1 : 0);
  }
}

async function deliveryMetrics(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  gauge(
    'oldest_due_delivery_seconds',
    'How long the open delivery that waits the longest has been due, of any edition that is not paused.',
  ).set(secondsSince(await findNextDue(db), now));
  const held = await readMeta(db, DELIVERY_HELD);
  gauge('delivery_held', '1 while nothing is mailed at all, as after a backup was restored.').set(
    held === undefined ? 0 : 1,
  );
  gauge(
    'uncertain_deliveries',
    'Deliveries that were on the wire when their process died, neither tried again nor settled yet.',
  ).set(await countUncertain(db, now));
  const service = gauge('service_messages', 'Mail of the service itself, such as confirmations.', ['state']);
  const messages = await countServiceMessages(db);
  for (const state of DELIVERY_STATES) service.set({ state }, messages[state] ?? 0);
  const bounces = gauge('bounces', 'What came back and is still on record.', ['kind']);
  const cameBack = await countBounces(db);
  for (const kind of BOUNCE_KINDS) bounces.set({ kind }, cameBack[kind] ?? 0);
  const suppressed = gauge('suppressed_addresses', 'Addresses that are never mailed again.', ['reason']);
  const reasons = await countSuppressed(db);
  for (const reason of SUPPRESSION_REASONS) suppressed.set({ reason }, reasons[reason] ?? 0);
}

/** Two steps, both by index: the bodies that stand in the same rows are not read. */
async function findLastEditions(
  db: Db,
): Promise<{ id: number; newsletter: string; closed_at: number; delivery_state: string; count: number }[]> {
  return db
    .selectFrom('editions')
    .innerJoin(
      (e) =>
        e
          .selectFrom('editions')
          .select((f) => ['newsletter', f.fn.max('number').as('number'), f.fn.countAll<number>().as('count')])
          .groupBy('newsletter')
          .as('newest'),
      (join) =>
        join.onRef('newest.newsletter', '=', 'editions.newsletter').onRef('newest.number', '=', 'editions.number'),
    )
    .select(['editions.id', 'editions.newsletter', 'editions.closed_at', 'editions.delivery_state', 'newest.count'])
    .orderBy('editions.newsletter')
    .execute();
}

async function feedMetrics(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const age = gauge('feed_age_seconds', 'Since the document last changed.', ['path']);
  const documents = await db.selectFrom('documents').select(['path', 'modified_at']).orderBy('path').execute();
  for (const { path, modified_at } of documents) age.set({ path }, secondsSince(modified_at, now));
}

/** By the names that are known: a stranger's would be a label that a stranger chose. */
async function readerMetrics(db: Db, gauge: MakeGauge, registry: Registry, now: number): Promise<void> {
  const requests = new Counter({
    name: 'daywire_feed_requests_total',
    help: "Answers to feed requests, since the publication's last midnight: it begins anew with each day.",
    labelNames: ['reader', 'answer'],
    registers: [registry],
  });
  const known = (name: string): string => (isKnownReader(name) ? name : OTHER);
  for (const one of await countNewestRequests(db)) {
    const reader = known(one.reader);
    const answers = { full: one.requests - one.unchanged, unchanged: one.unchanged };
    for (const [answer, count] of Object.entries(answers)) requests.inc({ reader, answer }, count);
  }
  const reported = gauge('feed_subscribers_reported', 'What aggregators say, summed over documents.', ['reader']);
  // Two whole days at least, in whatever zone.
  const since = localDate(now - 3 * DAY, 'UTC');
  for (const [reader, subscribers] of await countSubscribers(db, since)) {
    reported.inc({ reader: known(reader) }, subscribers);
  }
}

async function hubMetrics(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const {
    subscriptions,
    unverified,
    pendingPings: openPings,
    oldestPending: oldestOwed,
  } = await readHubStatus(db, { now, limit: 0 });
  const active = gauge('hub_subscriptions', 'Active WebSub subscriptions of the embedded hub.', ['topic']);
  const failing = gauge('hub_failing_subscriptions', 'Those of them whose callback failed the last time.', ['topic']);
  for (const { topic, count, failing: bad } of subscriptions) {
    active.set({ topic }, count);
    failing.set({ topic }, bad);
  }
  gauge(
    'oldest_hub_delivery_seconds',
    'How long the subscriber that waits the longest for a change has waited, of those that did not fail the last time.',
  ).set(secondsSince(oldestOwed, now));
  gauge('hub_unverified_requests', 'Requests to the embedded hub that no callback has confirmed yet.').set(unverified);
  gauge('hub_pings', 'What another hub is still to be told.').set(openPings);
}

async function troubleMetrics(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const stages = await db
    .selectFrom('rejections')
    .select((e) => ['stage', e.fn.countAll<number>().as('count')])
    .groupBy('stage')
    .execute();
  const rejected = gauge('rejections', 'What could not be used and waits for an editor.', ['stage']);
  for (const stage of ['import', 'feed', 'edition'] as const) {
    rejected.set({ stage }, stages.find((row) => row.stage === stage)?.count ?? 0);
  }
  const due = await db
    .selectFrom('pending_changes')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.min('due_at').as('oldest')])
    .where('due_at', '<=', now)
    .executeTakeFirstOrThrow();
  gauge('pending_changes', 'Changed articles whose feeds are to be published.').set(due.count);
  gauge('oldest_pending_change_seconds', 'How long the oldest of them has waited.').set(secondsSince(due.oldest, now));
  gauge('open_alerts', 'Causes that are raised.').set((await listOpenAlerts(db)).length);
}

function secondsSince(instant: number | null, now: number): number {
  return instant === null ? 0 : Math.max(0, now - instant) / SECOND;
}

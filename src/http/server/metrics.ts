/**
 * Metrics for Prometheus, read from the database at each scrape, so that all processes report the same. The values of
 * labels are ids of the configuration, states and the names of known readers, but nothing that a stranger chose.
 */
import type { Handler } from 'hono';
import { Counter, Gauge, Registry } from 'prom-client';
import { countDueChanges } from '../../articles/pending-changes.ts';
import { countRejectionsByStage } from '../../articles/rejections.ts';
import {
  countAllDeliveries,
  countBounces,
  countServiceMessages,
  countSuppressed,
  countUncertain,
  findNextDue,
  readDeliveryStates,
} from '../../delivery/queue/queries.ts';
import { findNewestEditions } from '../../editions/queries.ts';
import { listDocuments } from '../../feeds/documents.ts';
import { isKnownReader, OTHER } from '../../feeds/readers/reader-name.ts';
import { countNewestRequests, countSubscribers } from '../../feeds/readers/reader-statistics.ts';
import { DAY, localDate, SECOND } from '../../lib/time.ts';
import { listOpenAlerts } from '../../schedule/alerts.ts';
import { countRunsSince, listLastRuns } from '../../schedule/run-ledger.ts';
import { DELIVERY_HELD, readMeta } from '../../store/meta.ts';
import type { Db, Store } from '../../store/store.ts';
import { readHubStatus } from '../../websub/status.ts';
import type { WebContext } from './web-context.ts';

const RUN_STATES = ['running', 'done', 'late', 'skipped', 'failed'] as const;
const EDITION_STATES = ['delivering', 'paused', 'cancelled', 'done'] as const;
const DELIVERY_STATES = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'] as const;
const BOUNCE_KINDS = ['hard', 'soft', 'complaint'] as const;
const SUPPRESSION_REASONS = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'] as const;

/** `/metrics`. */
export function serveMetrics({ store, clock }: WebContext): Handler {
  return async (c) => {
    const { contentType, body } = await renderMetrics(store, clock());
    return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  };
}

/** The metrics at `now`, in Prometheus' text format. */
export async function renderMetrics(store: Store, now: number): Promise<{ contentType: string; body: string }> {
  // Counts a million deliveries, or the changes of a large import, without blocking the pages.
  const { reports } = store;
  const registry = new Registry();
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge({ name: `daywire_${name}`, help, labelNames, registers: [registry] });
  await addRuns(reports, gauge, now);
  await addEditions(reports, gauge);
  await addDeliveries(reports, gauge, now);
  await addFeeds(reports, gauge, now);
  await addReaders(reports, gauge, registry, now);
  await addHub(reports, gauge, now);
  await addProblems(reports, gauge, now);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

type MakeGauge = <T extends string>(name: string, help: string, labelNames?: readonly T[]) => Gauge<T>;

async function addRuns(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const runs = gauge('runs', 'Runs of the last seven days.', ['schedule', 'state']);
  for (const { schedule, state, count } of await countRunsSince(db, now - 7 * DAY))
    runs.set({ schedule, state }, count);
  const slot = gauge('last_run_slot_timestamp_seconds', 'Slot of the newest run.', ['schedule']);
  const started = gauge('last_run_timestamp_seconds', 'Last start of the newest run.', ['schedule']);
  const lastState = gauge('last_run_state', '1 for the state of the newest run, 0 for others.', ['schedule', 'state']);
  for (const run of await listLastRuns(db)) {
    const { schedule } = run;
    slot.set({ schedule }, run.slotAt / SECOND);
    started.set({ schedule }, run.startedAt / SECOND);
    for (const state of RUN_STATES) lastState.set({ schedule, state }, run.state === state ? 1 : 0);
  }
}

async function addEditions(db: Db, gauge: MakeGauge): Promise<void> {
  const editions = gauge('editions', 'Closed editions.', ['newsletter']);
  const closed = gauge('last_edition_closed_timestamp_seconds', 'When the newest edition closed.', ['newsletter']);
  const deliveries = gauge('last_edition_deliveries', 'Deliveries of the newest edition.', ['newsletter', 'state']);
  const state = gauge('last_edition_delivery_state', '1 for the state of the newest edition, 0 for others.', [
    'newsletter',
    'state',
  ]);
  const newest = await findNewestEditions(db);
  if (newest.length === 0) return;
  const ids = newest.map((edition) => edition.id);
  const counts = await countAllDeliveries(db, ids);
  const states = new Map((await readDeliveryStates(db, ids)).map((row) => [row.editionId, row.state]));
  for (const { id, newsletter, count, closedAt } of newest) {
    editions.set({ newsletter }, count);
    closed.set({ newsletter }, closedAt / SECOND);
    for (const one of DELIVERY_STATES) deliveries.set({ newsletter, state: one }, counts.get(id)?.[one] ?? 0);
    for (const one of EDITION_STATES) state.set({ newsletter, state: one }, states.get(id) === one ? 1 : 0);
  }
}

async function addDeliveries(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  gauge('oldest_due_delivery_seconds', 'How long the longest due delivery is due, in editions that deliver.').set(
    secondsSince(await findNextDue(db), now),
  );
  gauge('queue_held', '1 while nothing is submitted, as after a restore, until the queue is released.').set(
    (await readMeta(db, DELIVERY_HELD)) === undefined ? 0 : 1,
  );
  gauge('uncertain_deliveries', 'Deliveries whose process or connection broke while they were submitting.').set(
    await countUncertain(db, now),
  );
  const service = gauge('service_messages', 'Service messages, such as confirmations.', ['state']);
  const messages = await countServiceMessages(db);
  for (const state of DELIVERY_STATES) service.set({ state }, messages[state] ?? 0);
  const bounces = gauge('bounces', 'Bounces and complaints on record.', ['kind']);
  const kinds = await countBounces(db);
  for (const kind of BOUNCE_KINDS) bounces.set({ kind }, kinds[kind] ?? 0);
  const suppressed = gauge('suppressed_addresses', 'Addresses on the suppression list.', ['reason']);
  const reasons = await countSuppressed(db);
  for (const reason of SUPPRESSION_REASONS) suppressed.set({ reason }, reasons[reason] ?? 0);
}

async function addFeeds(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const age = gauge('feed_age_seconds', 'Time since the document last changed.', ['path']);
  for (const { path, modifiedAt } of await listDocuments(db)) age.set({ path }, secondsSince(modifiedAt, now));
}

/** Unknown readers count as one: a stranger may choose any name. */
async function addReaders(db: Db, gauge: MakeGauge, registry: Registry, now: number): Promise<void> {
  const known = (name: string): string => (isKnownReader(name) ? name : OTHER);
  const requests = new Counter({
    name: 'daywire_feed_requests_total',
    help: "Requests for feeds since the publication's last midnight, when the counter resets.",
    labelNames: ['reader', 'answer'],
    registers: [registry],
  });
  for (const row of await countNewestRequests(db)) {
    const reader = known(row.reader);
    requests.inc({ reader, answer: 'full' }, row.requests - row.unchanged);
    requests.inc({ reader, answer: 'unchanged' }, row.unchanged);
  }
  const reported = gauge('feed_subscribers_reported', 'Subscribers that aggregators report, over all documents.', [
    'reader',
  ]);
  // At least two whole days in any zone.
  const since = localDate(now - 3 * DAY, 'UTC');
  for (const [reader, count] of await countSubscribers(db, since)) reported.inc({ reader: known(reader) }, count);
}

async function addHub(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const { subscriptions, unverified, pendingPings, oldestPending } = await readHubStatus(db, { now, limit: 0 });
  const active = gauge('hub_subscriptions', 'Active WebSub subscriptions of the embedded hub.', ['topic']);
  const failing = gauge('hub_failing_subscriptions', 'Active subscriptions whose last notification failed.', ['topic']);
  for (const row of subscriptions) {
    active.set({ topic: row.topic }, row.count);
    failing.set({ topic: row.topic }, row.failing);
  }
  gauge(
    'oldest_pending_hub_notification_seconds',
    'How long the longest pending notification is pending, of subscriptions that do not fail.',
  ).set(secondsSince(oldestPending, now));
  gauge('hub_unverified_requests', 'Requests to the embedded hub that await verification.').set(unverified);
  gauge('pending_hub_pings', 'Pending pings to another hub.').set(pendingPings);
}

async function addProblems(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const rejected = gauge('rejections', 'Rejected input that waits for an editor.', ['stage']);
  for (const [stage, count] of Object.entries(await countRejectionsByStage(db))) rejected.set({ stage }, count);
  const due = await countDueChanges(db, now);
  gauge('pending_changes', 'Changed articles whose feeds are due to be published.').set(due?.count ?? 0);
  gauge('oldest_pending_change_seconds', 'How long the longest due change is due.').set(
    secondsSince(due?.oldestDueAt ?? null, now),
  );
  gauge('open_alerts', 'Raised alerts.').set((await listOpenAlerts(db)).length);
}

function secondsSince(instant: number | null, now: number): number {
  return instant === null ? 0 : Math.max(0, now - instant) / SECOND;
}

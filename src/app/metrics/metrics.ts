/**
 * Metrics for Prometheus, read from the database, so that all processes report the same. Counters, whose names end in
 * `_total`, never decrease: neither a restart nor retention resets them. The values of labels are ids of the
 * configuration, states and the names of known readers, but nothing that a stranger chose and nothing about one
 * subscriber.
 */
import type { Handler } from 'hono';
import { Counter, Gauge, Registry } from 'prom-client';
import { countFailures } from '../../accounts/sign-in-failures.ts';
import { countDueChanges } from '../../articles/pending-changes.ts';
import { countRejectionsByStage } from '../../articles/rejections.ts';
import { listOpenAlerts } from '../../core/alerts/alerts.ts';
import { countRunsSince, listLastRuns } from '../../core/schedule/run-ledger.ts';
import { readDeliveryTotals, readStateCounts, type StateCount } from '../../core/store/counts.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import type { Db, Store } from '../../core/store/store.ts';
import type { CountedSubject } from '../../core/store/tables.ts';
import { listLastProviderEvents } from '../../delivery/providers/last-event.ts';
import { countAllDeliveries, countUncertain, findNextDue, readDeliveryStates } from '../../delivery/queue/queries.ts';
import { countRates, type EditionRates } from '../../delivery/rates/count-rates.ts';
import { percentOf } from '../../delivery/rates/judge-rates.ts';
import { findNewestEditions } from '../../editions/queries.ts';
import { listDocuments } from '../../feeds/documents.ts';
import { readHubStatus } from '../../feeds/hub/status.ts';
import { isKnownReader, OTHER } from '../../feeds/readers/reader-name.ts';
import { countAllRequests, countSubscribers } from '../../feeds/readers/reader-statistics.ts';
import { type Clock, DAY, localDate, SECOND } from '../../lib/time.ts';
import { VERSION } from '../../lib/version.ts';
import { readStoredSources } from '../../sources/source-status.ts';
import type { WebContext } from '../../web/server/web-context.ts';

const RUN_STATES = ['waiting', 'running', 'done', 'late', 'skipped', 'failed'] as const;
const EDITION_STATES = ['delivering', 'paused', 'cancelled', 'done'] as const;
const DELIVERY_STATES = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'] as const;
const BOUNCE_KINDS = ['hard', 'soft', 'complaint'] as const;
const SUPPRESSION_REASONS = ['hard-bounce', 'soft-bounces', 'complaint', 'erased', 'operator'] as const;

/** How long a scrape may use the result of another one. */
const CACHED = 5 * SECOND;

/** `/metrics`. */
export function serveMetrics({ store, clock }: Pick<WebContext, 'store' | 'clock'>): Handler {
  const read = openMetrics(store, clock);
  return async (c) => {
    const { contentType, body } = await read();
    return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  };
}

interface MetricsText {
  contentType: string;
  body: string;
}

/** Returns a function that renders the metrics. Scrapes at the same time, or within five seconds, share a result. */
export function openMetrics(store: Store, clock: Clock): () => Promise<MetricsText> {
  let rendering: Promise<MetricsText> | null = null;
  let last: { at: number; text: MetricsText } | null = null;
  const render = async (): Promise<MetricsText> => {
    try {
      const text = await renderMetrics(store, clock());
      last = { at: clock(), text };
      return text;
    } finally {
      rendering = null;
    }
  };
  return async () => {
    const age = last === null ? null : clock() - last.at;
    // A negative age: the clock has been set back.
    if (last !== null && age !== null && age >= 0 && age < CACHED) return last.text;
    rendering ??= render();
    return rendering;
  };
}

/** The metrics at `now`, in Prometheus' text format. */
export async function renderMetrics(store: Store, now: number): Promise<MetricsText> {
  const registry = await readMetrics(store, now);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

/** Reads the metrics into a new registry. */
export async function readMetrics({ reports, dialect }: Store, now: number): Promise<Registry> {
  const registry = new Registry();
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge({ name: `daywire_${name}`, help, labelNames, registers: [registry] });
  const counter: MakeCounter = (name, help, labelNames) =>
    new Counter({ name: `daywire_${name}`, help, labelNames, registers: [registry] });
  gauge('build_info', 'Always 1: the version of daywire and of Node, and the kind of database.', [
    'version',
    'node',
    'database',
  ]).set({ version: VERSION, node: process.versions.node, database: dialect }, 1);
  await addRuns(reports, gauge, counter, now);
  await addEditions(reports, gauge, counter);
  await addDeliveries(reports, gauge, counter, now);
  await addSubscriptions(reports, gauge, counter);
  await addFeeds(reports, gauge, now);
  await addReaders(reports, gauge, counter, now);
  await addSources(reports, gauge, now);
  await addHub(reports, gauge, now);
  await addProblems(reports, gauge, now);
  return registry;
}

type MakeGauge = <T extends string>(name: string, help: string, labelNames?: readonly T[]) => Gauge<T>;
type MakeCounter = <T extends string>(name: string, help: string, labelNames: readonly T[]) => Counter<T>;

async function addRuns(db: Db, gauge: MakeGauge, counter: MakeCounter, now: number): Promise<void> {
  const ended = counter('runs_total', 'Ended runs; each attempt of a run that is retried counts.', [
    'schedule',
    'state',
  ]);
  for (const { scope, state, entered } of await readStateCounts(db, 'runs')) {
    if (state !== 'running' && state !== 'waiting') ended.inc({ schedule: scope, state }, entered);
  }
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

async function addEditions(db: Db, gauge: MakeGauge, counter: MakeCounter): Promise<void> {
  // Editions are never deleted.
  const editions = counter('editions_total', 'Closed editions.', ['newsletter']);
  const closed = gauge('last_edition_closed_timestamp_seconds', 'When the newest edition closed.', ['newsletter']);
  const deliveries = gauge('last_edition_deliveries', 'Deliveries of the newest edition.', ['newsletter', 'state']);
  const state = gauge('last_edition_delivery_state', '1 for the state of the newest edition, 0 for others.', [
    'newsletter',
    'state',
  ]);
  const reported = gauge('last_edition_reports', 'Recipients of the newest edition of whom something was reported.', [
    'newsletter',
    'kind',
  ]);
  const percent = gauge('last_edition_rate_percent', 'Complaints and hard bounces of the newest edition, in percent.', [
    'newsletter',
    'kind',
  ]);
  const newest = await findNewestEditions(db);
  if (newest.length === 0) return;
  const ids = newest.map((edition) => edition.id);
  const counts = await countAllDeliveries(db, ids);
  const rates = await countRates(db, ids);
  const states = new Map((await readDeliveryStates(db, ids)).map((row) => [row.editionId, row.state]));
  for (const { id, newsletter, count, closedAt } of newest) {
    editions.inc({ newsletter }, count);
    closed.set({ newsletter }, closedAt / SECOND);
    for (const one of DELIVERY_STATES) deliveries.set({ newsletter, state: one }, counts.get(id)?.[one] ?? 0);
    const { complaint, bounce, soft, delivered } = rates.get(id) as EditionRates;
    const numbers = { complaint: complaint.events, hard: bounce.events, soft, delivered: delivered ?? 0 };
    for (const [kind, number] of Object.entries(numbers)) reported.set({ newsletter, kind }, number);
    percent.set({ newsletter, kind: 'complaint' }, percentOf(complaint));
    percent.set({ newsletter, kind: 'bounce' }, percentOf(bounce));
    for (const one of EDITION_STATES) state.set({ newsletter, state: one }, states.get(id) === one ? 1 : 0);
  }
}

async function addDeliveries(db: Db, gauge: MakeGauge, counter: MakeCounter, now: number): Promise<void> {
  const ended = counter('deliveries_total', 'Ended deliveries; one that an operator retries counts again.', [
    'newsletter',
    'state',
  ]);
  for (const { newsletter, state, entered } of await readDeliveryTotals(db)) {
    if (isFinal(state)) ended.inc({ newsletter, state }, entered);
  }
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
  const serviceEnded = counter('service_messages_total', 'Ended service messages.', ['state']);
  const messages = await countsByState(db, 'service_messages');
  for (const state of DELIVERY_STATES) {
    service.set({ state }, messages.get(state)?.count ?? 0);
    if (isFinal(state)) serviceEnded.inc({ state }, messages.get(state)?.entered ?? 0);
  }
  const bounces = gauge('bounces', 'Bounces and complaints on record.', ['kind']);
  const recorded = counter('bounces_total', 'Recorded bounces and complaints.', ['kind']);
  const kinds = await countsByState(db, 'bounces');
  for (const kind of BOUNCE_KINDS) {
    bounces.set({ kind }, kinds.get(kind)?.count ?? 0);
    recorded.inc({ kind }, kinds.get(kind)?.entered ?? 0);
  }
  const reported = gauge('mail_provider_last_report_timestamp_seconds', 'Last report of the mail provider.', [
    'provider',
  ]);
  for (const { provider, at } of await listLastProviderEvents(db)) reported.set({ provider }, at / SECOND);
  const suppressed = gauge('suppressed_addresses', 'Addresses on the suppression list.', ['reason']);
  const reasons = await countsByState(db, 'suppressions');
  for (const reason of SUPPRESSION_REASONS) suppressed.set({ reason }, reasons.get(reason)?.count ?? 0);
}

function isFinal(state: string): boolean {
  return state !== 'pending' && state !== 'submitting';
}

/** The counts of a subject without scopes. */
async function countsByState(db: Db, subject: CountedSubject): Promise<Map<string, StateCount>> {
  return new Map((await readStateCounts(db, subject)).map((one) => [one.state, one]));
}

async function addSubscriptions(db: Db, gauge: MakeGauge, counter: MakeCounter): Promise<void> {
  const labels = ['newsletter', 'state'] as const;
  const subscriptions = gauge('subscriptions', 'Subscribers of each newsletter by state.', labels);
  const changes = counter('subscription_changes_total', 'How often a subscription got this state.', labels);
  for (const { scope, state, count, entered } of await readStateCounts(db, 'subscriptions')) {
    subscriptions.set({ newsletter: scope, state }, count);
    changes.inc({ newsletter: scope, state }, entered);
  }
}

async function addFeeds(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const age = gauge('feed_age_seconds', 'Time since the document last changed.', ['path']);
  for (const { path, modifiedAt } of await listDocuments(db)) age.set({ path }, secondsSince(modifiedAt, now));
}

/** Unknown readers count as one: a stranger may choose any name. */
async function addReaders(db: Db, gauge: MakeGauge, counter: MakeCounter, now: number): Promise<void> {
  const requests = counter('feed_requests_total', 'Requests for feeds.', ['reader', 'answer']);
  for (const { reader, answer, requests: count } of await countAllRequests(db)) requests.inc({ reader, answer }, count);
  const reported = gauge('feed_subscribers_reported', 'Subscribers that aggregators report, over all documents.', [
    'reader',
  ]);
  // At least two whole days in any zone.
  const since = localDate(now - 3 * DAY, 'UTC');
  for (const [reader, count] of await countSubscribers(db, since)) {
    reported.inc({ reader: isKnownReader(reader) ? reader : OTHER }, count);
  }
}

async function addSources(db: Db, gauge: MakeGauge, now: number): Promise<void> {
  const posts = gauge('source_items', 'Posts that sources have, or had.', ['source']);
  const gone = gauge('source_waiting_withdrawals', 'Posts that are gone and wait for the operator.', ['source']);
  const reports = gauge('outlet_items', 'Items of other outlets that are kept.', ['source']);
  const held = gauge('outlet_held_items', 'Items of other outlets that wait for the operator.', ['source']);
  const succeeded = gauge('source_last_success_timestamp_seconds', 'End of the last poll that succeeded.', ['source']);
  const failing = gauge('source_failing_seconds', 'How long all polls of the source have failed.', ['source']);
  for (const { id: source, use, items, waiting, succeeded_at, failing_since } of await readStoredSources(db, now)) {
    const [all, undecided] = use === 'articles' ? [posts, gone] : [reports, held];
    if (items > 0) {
      all.set({ source }, items);
      undecided.set({ source }, waiting);
    }
    if (succeeded_at !== null) succeeded.set({ source }, succeeded_at / SECOND);
    failing.set({ source }, secondsSince(failing_since, now));
  }
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
  gauge('sign_in_failures', 'Failed sign-ins to the desk in the last 15 minutes.').set(await countFailures(db, now));
  gauge('open_alerts', 'Raised alerts.').set((await listOpenAlerts(db)).length);
}

function secondsSince(instant: number | null, now: number): number {
  return instant === null ? 0 : Math.max(0, now - instant) / SECOND;
}

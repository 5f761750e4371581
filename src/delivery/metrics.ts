import { type Metrics, secondsSince } from '../core/metrics.ts';
import { readCountsByState, readDeliveryTotals } from '../core/store/counts.ts';
import { DELIVERY_HELD, readMeta } from '../core/store/meta.ts';
import { EDITION_DELIVERY_STATES } from '../core/store/tables/edition-tables.ts';
import { BOUNCE_KINDS, DELIVERY_STATES } from '../core/store/tables.ts';
import { findNewestEditions } from '../editions/queries.ts';
import { SECOND } from '../lib/time.ts';
import { listLastProviderEvents } from './providers/record-events.ts';
import { countAllDeliveries, countUncertain, findNextDue, NO_DELIVERIES, readDeliveryStates } from './queue/queries.ts';
import { countRates, type EditionRates } from './rates/count-rates.ts';
import { percentOf } from './rates/judge-rates.ts';

export async function addDeliveryMetrics(metrics: Metrics): Promise<void> {
  await addEditions(metrics);
  await addDeliveries(metrics);
}

async function addEditions({ db, gauge, counter }: Metrics): Promise<void> {
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
    const numbersByState = Object.entries({ ...NO_DELIVERIES, ...counts.get(id) });
    for (const [one, number] of numbersByState) deliveries.set({ newsletter, state: one }, number);
    const { complaint, bounce, soft, delivered } = rates.get(id) as EditionRates;
    const numbers = { complaint: complaint.events, hard: bounce.events, soft, delivered: delivered ?? 0 };
    for (const [kind, number] of Object.entries(numbers)) reported.set({ newsletter, kind }, number);
    percent.set({ newsletter, kind: 'complaint' }, percentOf(complaint));
    percent.set({ newsletter, kind: 'bounce' }, percentOf(bounce));
    for (const one of EDITION_DELIVERY_STATES) state.set({ newsletter, state: one }, states.get(id) === one ? 1 : 0);
  }
}

async function addDeliveries({ db, gauge, counter, now }: Metrics): Promise<void> {
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
  const messages = await readCountsByState(db, 'service_messages');
  for (const state of DELIVERY_STATES) {
    service.set({ state }, messages.get(state)?.count ?? 0);
    if (isFinal(state)) serviceEnded.inc({ state }, messages.get(state)?.entered ?? 0);
  }
  const bounces = gauge('bounces', 'Bounces and complaints on record.', ['kind']);
  const recorded = counter('bounces_total', 'Recorded bounces and complaints.', ['kind']);
  const kinds = await readCountsByState(db, 'bounces');
  for (const kind of BOUNCE_KINDS) {
    bounces.set({ kind }, kinds.get(kind)?.count ?? 0);
    recorded.inc({ kind }, kinds.get(kind)?.entered ?? 0);
  }
  const reported = gauge('mail_provider_last_report_timestamp_seconds', 'Last report of the mail provider.', [
    'provider',
  ]);
  for (const { provider, at } of await listLastProviderEvents(db)) reported.set({ provider }, at / SECOND);
}

function isFinal(state: string): boolean {
  return state !== 'pending' && state !== 'submitting';
}

import { type Metrics, secondsSince } from '../core/metrics.ts';
import { DAY, localDate } from '../lib/time.ts';
import { listDocuments } from './documents.ts';
import { readHubStatus } from './hub/status.ts';
import { isKnownReader, OTHER } from './readers/reader-name.ts';
import { countAllRequests, countSubscribers } from './readers/reader-statistics.ts';

export async function addFeedMetrics(metrics: Metrics): Promise<void> {
  await addFeeds(metrics);
  await addReaders(metrics);
  await addHub(metrics);
}

async function addFeeds({ db, gauge, now }: Metrics): Promise<void> {
  const age = gauge('feed_age_seconds', 'Time since the document last changed.', ['path']);
  for (const { path, modifiedAt } of await listDocuments(db)) age.set({ path }, secondsSince(modifiedAt, now));
}

/** Unknown readers count as one: a stranger may choose any name. */
async function addReaders({ db, gauge, counter, now }: Metrics): Promise<void> {
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

async function addHub({ db, gauge, now }: Metrics): Promise<void> {
  const { subscriptions, unverified, oldestPending } = await readHubStatus(db, { now, limit: 0 });
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
}

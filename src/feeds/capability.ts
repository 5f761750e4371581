import type { AppContext } from '../core/app-context.ts';
import type { Capability } from '../core/capability.ts';
import { type Metrics, secondsSince } from '../core/metrics.ts';
import type { Job } from '../core/schedule/job.ts';
import { DAY, localDate } from '../lib/time.ts';
import { listDocuments } from './documents.ts';
import { cleanHub } from './hub/hub.ts';
import { readHubStatus } from './hub/status.ts';
import { publish } from './publish/publish.ts';
import { deleteReaderCounts } from './readers/reader-rows.ts';
import { countAllRequests, countSubscribers, READER_DAYS } from './readers/reader-statistics.ts';
import { startFeedTasks } from './tasks.ts';

export const feedsCapability: Capability = {
  jobs: (app) => [publishJob(app)],
  startTasks: startFeedTasks,
  async runRetention(app, now) {
    const { publication } = app.config;
    const firstDay = localDate(now - READER_DAYS * DAY, publication.zone);
    return {
      readers: await deleteReaderCounts(app.store.db, firstDay),
      hubSubscriptions: await cleanHub(app),
    };
  },
  async addMetrics(metrics) {
    await addFeeds(metrics);
    await addReaders(metrics);
    await addHub(metrics);
  },
  alertKinds: {
    hub: { title: 'The hub', page: () => ({ label: 'Feeds', path: '/feeds#hub', needs: 'editions.read' }) },
  },
};

/**
 * A changed article is published within two seconds by a task. The schedule removes what has left a window of hours,
 * and publishes what a new configuration changes.
 */
const SCHEDULE = { cron: '*/10 * * * *', graceMinutes: 180 };

function publishJob(app: AppContext): Job {
  return {
    id: 'publish',
    schedule: { ...SCHEDULE, zone: app.config.publication.zone },
    coalesce: true,
    run: async () => {
      const { documents, rejected } = await publish(app);
      const changed = documents.filter((document) => document.changed).length;
      const note = `${changed} of ${documents.length} documents changed`;
      const isFine = rejected.length === 0;
      return {
        kind: 'done',
        note: isFine ? note : `${note}; ${rejected.length} articles rejected`,
        unchanged: changed === 0 && isFine,
      };
    },
  };
}

async function addFeeds({ db, gauge, now }: Metrics): Promise<void> {
  const age = gauge('feed_age_seconds', 'Time since the document last changed.', ['path']);
  for (const { path, modifiedAt } of await listDocuments(db)) age.set({ path }, secondsSince(modifiedAt, now));
}

async function addReaders({ db, gauge, counter, now }: Metrics): Promise<void> {
  const requests = counter('feed_requests_total', 'Requests for feeds.', ['reader', 'answer']);
  for (const { reader, answer, requests: count } of await countAllRequests(db)) requests.inc({ reader, answer }, count);
  const reported = gauge('feed_subscribers_reported', 'Subscribers that aggregators report, over all documents.', [
    'reader',
  ]);
  // At least two whole days in any zone.
  const since = localDate(now - 3 * DAY, 'UTC');
  for (const [reader, count] of await countSubscribers(db, since)) reported.set({ reader }, count);
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

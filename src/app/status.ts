/**
 * The status that an operator sees, composed from what the modules report of their tables. Reading it changes nothing.
 */
import { countDueChanges } from '../articles/pending-changes.ts';
import { countArticles } from '../articles/queries.ts';
import { countRejections, listRejections } from '../articles/rejections.ts';
import { countImages, listFailedImages } from '../articles/remote-images/image-queue.ts';
import { countSubscriptions } from '../audience/subscriptions.ts';
import { alertKey } from '../core/alerts/alert-kind.ts';
import { alertText, listOpenAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import { listProcesses } from '../core/schedule/processes.ts';
import { listLastRuns, listRuns } from '../core/schedule/run-ledger.ts';
import { nextSlot } from '../core/schedule/slots.ts';
import { readLastProviderEvent } from '../delivery/providers/record-events.ts';
import { countBy, listFailedDeliveries } from '../delivery/queue/queries.ts';
import { summariseEditions } from '../delivery/status/edition-status.ts';
import { readQueueStatus } from '../delivery/status/queue-status.ts';
import { listEditions } from '../editions/queries.ts';
import { listDocuments } from '../feeds/documents.ts';
import { readHubStatus } from '../feeds/hub/status.ts';
import { readReaderStatistics, totalOf } from '../feeds/readers/reader-statistics.ts';
import { hubAddress } from '../feeds/topics.ts';
import { rfc3339 } from '../lib/time.ts';
import { readSourceStatus } from '../sources/source-status.ts';
import { jobsOf } from './capabilities.ts';

/** Instants in RFC 3339, UTC; those of `sources` in epoch milliseconds. */
export type Status = Awaited<ReturnType<typeof readStatus>>;

/** Entries of each list. */
const SHOWN = 20;
const EDITIONS_SHOWN = 10;

export async function readStatus(app: AppContext, now: number) {
  const { store, config } = app;
  const { db, reports } = store;
  const documents = await listDocuments(db);
  const editions = await listEditions(db, null, EDITIONS_SHOWN);
  const editionIds = editions.map((edition) => edition.id);
  return {
    publication: config.publication.name,
    at: rfc3339(now),
    zone: config.publication.zone,
    store: store.location,
    alerts: (await listOpenAlerts(db)).map((alert) => ({
      key: alertKey(alert),
      ...{ kind: alert.kind, subject: alert.subject },
      message: alertText(alert),
      first: rfc3339(alert.firstAt),
      count: alert.count,
    })),
    processes: (await listProcesses(db, now)).map(
      ({ id: _id, scope: _scope, stoppedAt: _stoppedAt, startedAt, seenAt, isRunning, ...one }) => ({
        ...one,
        started: rfc3339(startedAt),
        seen: rfc3339(seenAt),
        running: isRunning,
      }),
    ),
    articles: await countArticles(reports),
    sources: (await readSourceStatus(reports, config, now)).filter(({ use }) => use === 'articles'),
    /** Changes to be published now; embargoes that end later are not counted. */
    pendingChanges: (await countDueChanges(db, now))?.count ?? 0,
    feeds: documents.map(({ path, size, modifiedAt }) => ({ path, bytes: size, modified: rfc3339(modifiedAt) })),
    readers: await readersOfTheWeek(app, now),
    editions: await summariseEditions(app, editions),
    queue: await readQueueStatus(app, now),
    failedDeliveries: await listFailedDeliveries(reports, editionIds, SHOWN),
    subscribers: await countSubscriptions(reports),
    suppressed: await countBy(reports, 'suppressions'),
    bounces: await countBy(reports, 'bounces'),
    mailProvider: await mailProviderStatus(app),
    serviceMessages: await countBy(reports, 'service_messages'),
    hub: await hubStatus(app, now),
    schedules: await scheduleStatus(app, now),
    runs: (await listRuns(db, SHOWN)).map((run) => ({
      schedule: run.schedule,
      slot: rfc3339(run.slotAt),
      state: run.state,
      reason: run.reason,
      covers: run.covers,
      triedAgain: run.state === 'failed' && run.leaseUntil !== null ? rfc3339(run.leaseUntil) : null,
    })),
    pictures: {
      ...(await countImages(db)),
      first: (await listFailedImages(reports, SHOWN)).map((one) => ({ ...one, at: rfc3339(one.at) })),
    },
    rejected: {
      count: await countRejections(db),
      first: await listRejections(reports, { limit: SHOWN }),
    },
  };
}

async function scheduleStatus(app: AppContext, now: number) {
  const lastRuns = await listLastRuns(app.store.db);
  return jobsOf(app).map(({ id, schedule: { cron, zone } }) => {
    const next = nextSlot(cron, zone, now);
    const run = lastRuns.find((one) => one.schedule === id);
    const last = run === undefined ? null : { slot: rfc3339(run.slotAt), state: run.state, reason: run.reason };
    return { id, cron, zone, next: next === null ? null : rfc3339(next), last };
  });
}

async function readersOfTheWeek({ store, config }: AppContext, now: number) {
  const { zone } = config.publication;
  const { from, readers } = await readReaderStatistics(store.reports, { now, zone });
  return { since: from, count: readers.length, ...totalOf(readers) };
}

async function mailProviderStatus({ store, config }: AppContext) {
  const { provider: name } = config.delivery;
  if (name === 'none') return null;
  const at = await readLastProviderEvent(store.db, name);
  return { name, lastReport: at === null ? null : rfc3339(at) };
}

async function hubStatus({ store, config }: AppContext, now: number) {
  const url = hubAddress(config);
  if (url === null) return null;
  const { subscriptions, unverified } = await readHubStatus(store.reports, { now, limit: 0 });
  const sum = (of: 'count' | 'failing'): number => subscriptions.reduce((total, topic) => total + topic[of], 0);
  return { url, subscriptions: sum('count'), failing: sum('failing'), unverified };
}

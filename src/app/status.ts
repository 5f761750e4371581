/**
 * The status that an operator sees, composed from what the modules report of their tables. Reading it changes nothing.
 */
import { countDueChanges } from '../articles/pending-changes.ts';
import { countArticles } from '../articles/queries.ts';
import { countRejections, listRejections, type RecordedRejection } from '../articles/rejections.ts';
import { countImages, listFailedImages } from '../articles/remote-images/image-queue.ts';
import { countSubscriptions } from '../audience/subscriptions.ts';
import { type AlertSubject, alertKey } from '../core/alerts/alert-kind.ts';
import { alertText, listOpenAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import { listProcesses } from '../core/schedule/processes.ts';
import { listLastRuns, listRuns } from '../core/schedule/run-ledger.ts';
import { nextSlot } from '../core/schedule/slots.ts';
import { readLastProviderEvent } from '../delivery/providers/last-event.ts';
import {
  countBounces,
  countServiceMessages,
  countSuppressed,
  type FailedDelivery,
  listFailedDeliveries,
} from '../delivery/queue/queries.ts';
import { type EditionStatus, summariseEditions } from '../delivery/status/edition-status.ts';
import { type QueueStatus, readQueueStatus } from '../delivery/status/queue-status.ts';
import { listEditions } from '../editions/queries.ts';
import { type ArchiveSummary, summariseArchives } from '../feeds/archive/archives.ts';
import { listDocuments } from '../feeds/documents.ts';
import { readHubStatus } from '../feeds/hub/status.ts';
import { type ReaderLine, readReaderStatistics, totalOf } from '../feeds/readers/reader-statistics.ts';
import { hubAddress } from '../feeds/topics.ts';
import { rfc3339 } from '../lib/time.ts';
import { readSourceStatus, type SourceStatus } from '../sources/source-status.ts';
import { jobsOf } from './jobs.ts';

/** Instants in RFC 3339, UTC. */
export interface Status {
  publication: string;
  at: string;
  /** The publication's IANA time zone. */
  zone: string;
  store: string;
  /** The open alerts, oldest first. */
  alerts: { key: string; kind: string; subject: AlertSubject; message: string; first: string; count: number }[];
  /** Processes that run, and those that were killed in the last day. */
  processes: {
    host: string;
    pid: number;
    roles: string[];
    version: string;
    started: string;
    seen: string;
    running: boolean;
  }[];
  /** By state. */
  articles: Record<string, number>;
  /** The newsroom's own sites, with instants in epoch milliseconds. */
  sources: SourceStatus[];
  /** Changes to be published now; embargoes that end later are not counted. */
  pendingChanges: number;
  feeds: { path: string; bytes: number; modified: string }[];
  /** Requests for feeds in the last seven days; `subscribers` is what aggregators report. */
  readers: {
    since: string;
    count: number;
    requests: number;
    unchanged: number;
    subscribers: number;
    busiest: ReaderLine[];
  };
  archives: ArchiveSummary[];
  editions: EditionStatus[];
  queue: QueueStatus;
  failedDeliveries: FailedDelivery[];
  subscribers: { newsletter: string; state: string; count: number }[];
  /** Addresses on the suppression list, by reason. */
  suppressed: Record<string, number>;
  /** By kind. */
  bounces: Record<string, number>;
  /** Null without delivery.provider. */
  mailProvider: { name: string; lastReport: string | null } | null;
  /** By state. */
  serviceMessages: Record<string, number>;
  /** Null where no hub is configured. */
  hub: {
    url: string;
    /** Active subscriptions at the embedded hub, by the path of a feed; `failing`: the last notification failed. */
    subscriptions: { topic: string; count: number; failing: number }[];
    /** The longest failing ones. */
    failing: {
      topic: string;
      host: string;
      since: string;
      attempts: number;
      reason: string;
      triedAgain: string | null;
    }[];
    /** Requests to subscribe or unsubscribe that callbacks have not confirmed yet. */
    unverified: number;
  } | null;
  schedules: {
    id: string;
    /** Null for an alert newsletter. */
    cron: string | null;
    zone: string;
    next: string | null;
    /** Its newest run, which may be older than all of `runs`. */
    last: { slot: string; state: string; reason: string | null } | null;
  }[];
  runs: {
    schedule: string;
    slot: string;
    state: string;
    reason: string | null;
    covers: number;
    triedAgain: string | null;
  }[];
  /** Pictures on other servers: those to be looked up, and those given up, the newest of them with the reason. */
  pictures: { pending: number; failed: number; first: { url: string; reason: string; at: string }[] };
  /** `first`: the newest ones. */
  rejected: { count: number; first: RecordedRejection[] };
}

/** Entries of each list. */
const SHOWN = 20;
const EDITIONS_SHOWN = 10;

export async function readStatus(app: AppContext, now: number): Promise<Status> {
  const { store, config } = app;
  const { db, reports } = store;
  const documents = await listDocuments(db);
  const editions = await listEditions(db, null, EDITIONS_SHOWN);
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
      ({ id: _id, scope: _scope, startedAt, seenAt, isRunning, ...one }) => ({
        ...one,
        started: rfc3339(startedAt),
        seen: rfc3339(seenAt),
        running: isRunning,
      }),
    ),
    articles: await countArticles(reports),
    sources: (await readSourceStatus(reports, config, now)).filter(({ use }) => use === 'articles'),
    pendingChanges: (await countDueChanges(db, now))?.count ?? 0,
    feeds: documents.map(({ path, size, modifiedAt }) => ({ path, bytes: size, modified: rfc3339(modifiedAt) })),
    readers: await readersOfTheWeek(app, now),
    archives: await summariseArchives(reports),
    editions: await summariseEditions(app, editions),
    queue: await readQueueStatus(app, now),
    failedDeliveries: await listFailedDeliveries(
      reports,
      editions.map((edition) => edition.id),
      SHOWN,
    ),
    subscribers: await countSubscriptions(reports),
    suppressed: await countSuppressed(reports),
    bounces: await countBounces(reports),
    mailProvider: await mailProviderStatus(app),
    serviceMessages: await countServiceMessages(reports),
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

async function scheduleStatus(app: AppContext, now: number): Promise<Status['schedules']> {
  const lastRuns = await listLastRuns(app.store.db);
  return jobsOf(app).map(({ id, schedule: { cron, zone } }) => {
    const next = nextSlot(cron, zone, now);
    const run = lastRuns.find((one) => one.schedule === id);
    const last = run === undefined ? null : { slot: rfc3339(run.slotAt), state: run.state, reason: run.reason };
    return { id, cron, zone, next: next === null ? null : rfc3339(next), last };
  });
}

async function readersOfTheWeek({ store, config }: AppContext, now: number): Promise<Status['readers']> {
  const { zone } = config.publication;
  const { from, readers } = await readReaderStatistics(store.reports, { days: 7, now, zone });
  return { since: from, count: readers.length, ...totalOf(readers), busiest: readers.slice(0, SHOWN / 2) };
}

async function mailProviderStatus({ store, config }: AppContext): Promise<Status['mailProvider']> {
  const { provider: name } = config.delivery;
  if (name === 'none') return null;
  const at = await readLastProviderEvent(store.db, name);
  return { name, lastReport: at === null ? null : rfc3339(at) };
}

async function hubStatus({ store, config }: AppContext, now: number): Promise<Status['hub']> {
  const url = hubAddress(config);
  if (url === null) return null;
  const { subscriptions, failing, unverified } = await readHubStatus(store.reports, { now, limit: SHOWN });
  return {
    url,
    subscriptions,
    failing: failing.map(({ failingSince, dueAt, ...one }) => ({
      ...one,
      since: rfc3339(failingSince),
      triedAgain: dueAt === null ? null : rfc3339(dueAt),
    })),
    unverified,
  };
}

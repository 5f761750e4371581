/**
 * What an operator sees of a newsroom: derived from rows, changed by nothing.
 */
import { sql } from 'kysely';
import { findDueChanges } from '../articles/pending-changes.ts';
import { countRejections, listRejections, type Rejection } from '../articles/rejections.ts';
import {
  countAllDeliveries,
  countBounces,
  countServiceMessages,
  countSuppressed,
  findNextDue,
} from '../delivery/queue/queries.ts';
import { listUncertain } from '../delivery/queue/uncertain.ts';
import { type EditionSummary, listEditions } from '../editions/queries.ts';
import { countArchives } from '../feeds/archive/count.ts';
import { ARCHIVE_FOLDER, listDocuments } from '../feeds/documents.ts';
import { type ReaderLine, readReaderStatistics, totalOf } from '../feeds/readers/reader-statistics.ts';
import { hubAddress } from '../feeds/topics.ts';
import { rfc3339 } from '../lib/time.ts';
import { listOpenAlerts } from '../schedule/alerts.ts';
import { listLastRuns, listRuns } from '../schedule/run-ledger.ts';
import { nextSlot } from '../schedule/slots.ts';
import { DELIVERY_HELD, readMeta } from '../store/meta.ts';
import type { EditionDeliveryState } from '../store/tables.ts';
import { readHubStanding } from '../websub/status.ts';
import type { AppContext } from './app-context.ts';
import { jobsOf } from './jobs.ts';

/** All instants in RFC 3339, UTC, so that the JSON reads the same everywhere. */
export interface Status {
  publication: string;
  at: string;
  store: string;
  articles: Record<string, number>;
  /** Whose feeds are to be published now; those that wait for the end of an embargo are not counted. */
  pendingChanges: number;
  /** Without the documents of archives. */
  feeds: { path: string; bytes: number; modified: string }[];
  /** Who asked for them in the last seven days; `subscribers` is what aggregators report. */
  readers: {
    since: string;
    count: number;
    requests: number;
    unchanged: number;
    subscribers: number;
    busiest: ReaderLine[];
  };
  archives: {
    feed: string;
    /** How many are closed. */
    parts: number;
    /** The path of the newest, without its ending. */
    newest: string | null;
    /** How many of its articles are in no part yet. */
    waiting: number;
    /** Whether the articles that the store held before the archive have all been taken in. */
    complete: boolean;
  }[];
  editions: {
    newsletter: string;
    slot: string;
    number: number;
    headline: string;
    closed: string;
    /** Paused and cancelled ones say why. */
    deliveryState: EditionDeliveryState;
    reason: string | null;
    /** By state; deliveries that have folded into totals count as well. */
    deliveries: Record<string, number>;
    /** The ids of articles that were eligible and did not enter. */
    passedOver: { agedOut: string[]; didNotFit: string[] };
  }[];
  /** Why nothing is mailed at all, or null. */
  held: string | null;
  /** When the next delivery is due; in the past where it waits to be taken up. */
  nextDue: string | null;
  /** On the wire when their process died: nobody knows whether they went out. */
  uncertainDeliveries: { newsletter: string; slot: string; email: string | null; since: string }[];
  failedDeliveries: { newsletter: string; slot: string; email: string; reason: string; reply: string | null }[];
  subscribers: { newsletter: string; state: string; count: number }[];
  /** The addresses on the suppression list, by reason. */
  suppressed: Record<string, number>;
  /** What came back and is still on record, by kind. */
  bounces: Record<string, number>;
  /** Mail of the service itself, such as confirmations, by state. */
  serviceMail: Record<string, number>;
  /** Null where there is none. */
  hub: {
    /** Its address. */
    url: string;
    /** Of the embedded hub, by topic, the path of a feed: active ones, and how many of them failed the last time. */
    subscriptions: { topic: string; count: number; failing: number }[];
    /** The first of those that fail. */
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
    /** What another hub is still to be told. */
    pings: { topic: string; published: string; attempts: number; reason: string | null; due: string }[];
  } | null;
  schedules: {
    id: string;
    cron: string;
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
  /** All runs ever, those that have folded into totals too. */
  runTotals: { schedule: string; state: string; count: number }[];
  rejected: { count: number; first: Rejection[] };
  alerts: { key: string; message: string; first: string; count: number }[];
}

const SHOWN = 20;

/** Reads the whole status at `now`. */
export async function readStatus(app: AppContext, now: number): Promise<Status> {
  const { store, config } = app;
  const { db, reports } = store;
  const held = await readMeta(db, DELIVERY_HELD);
  const nextDue = await findNextDue(reports);
  const articles = await reports
    .selectFrom('articles')
    .select((e) => ['state', e.fn.countAll<number>().as('count')])
    .groupBy('state')
    .orderBy('state')
    .execute();
  const documents = (await listDocuments(db)).filter(({ path }) => !path.startsWith(ARCHIVE_FOLDER));
  const subscribers = await reports
    .selectFrom('subscriptions')
    .select((e) => ['newsletter', 'state', e.fn.countAll<number>().as('count')])
    .groupBy(['newsletter', 'state'])
    .orderBy('newsletter')
    .orderBy('state')
    .execute();
  const editions = await listEditions(db, null, SHOWN / 2);
  const due = await findDueChanges(db, now);
  const lastRuns = await listLastRuns(db);
  const schedules = jobsOf(app).map(({ id, schedule: { cron, zone } }) => {
    const next = nextSlot(cron, zone, now);
    const run = lastRuns.find((one) => one.schedule === id);
    const last = run === undefined ? null : { slot: rfc3339(run.slotAt), state: run.state, reason: run.reason };
    return { id, cron, zone, next: next === null ? null : rfc3339(next), last };
  });
  return {
    publication: config.publication.name,
    at: rfc3339(now),
    store: store.location,
    articles: Object.fromEntries(articles.map(({ state, count }) => [state, count])),
    pendingChanges: due?.count ?? 0,
    feeds: documents.map(({ path, size, modifiedAt }) => ({ path, bytes: size, modified: rfc3339(modifiedAt) })),
    readers: await readersOfTheWeek(app, now),
    archives: await countArchives(reports),
    editions: await editionsWithDeliveries(app, editions),
    held: held ?? null,
    nextDue: nextDue === null ? null : rfc3339(nextDue),
    uncertainDeliveries: (await listUncertain(reports, { now, limit: SHOWN })).map(
      ({ newsletter, slot, email, since }) => ({ newsletter, slot, email, since: rfc3339(since) }),
    ),
    failedDeliveries: await failedDeliveries(app, editions),
    subscribers,
    suppressed: await countSuppressed(reports),
    bounces: await countBounces(reports),
    serviceMail: await countServiceMessages(reports),
    hub: await hubStatus(app, now),
    schedules,
    runs: (await listRuns(db, SHOWN)).map((run) => ({
      schedule: run.schedule,
      slot: rfc3339(run.slotAt),
      state: run.state,
      reason: run.reason,
      covers: run.covers,
      triedAgain: run.state === 'failed' && run.leaseUntil !== null ? rfc3339(run.leaseUntil) : null,
    })),
    runTotals: await countRunsEver(app),
    rejected: {
      count: await countRejections(db),
      first: (await listRejections(db, SHOWN)).map(({ rejectedAt: _, ...entry }) => entry),
    },
    alerts: (await listOpenAlerts(db)).map(({ key, message, firstAt, count }) => ({
      key,
      message,
      first: rfc3339(firstAt),
      count,
    })),
  };
}

async function readersOfTheWeek({ store, config }: AppContext, now: number): Promise<Status['readers']> {
  const { zone } = config.publication;
  const { from, readers } = await readReaderStatistics(store.reports, { days: 7, now, zone });
  return { since: from, count: readers.length, ...totalOf(readers), busiest: readers.slice(0, SHOWN / 2) };
}

async function hubStatus({ store, config }: AppContext, now: number): Promise<Status['hub']> {
  const url = hubAddress(config);
  if (url === null) return null;
  const { subscriptions, failing, unverified, pings } = await readHubStanding(store.reports, { now, limit: SHOWN });
  return {
    url,
    subscriptions,
    failing: failing.map(({ failingSince, dueAt, ...one }) => ({
      ...one,
      since: rfc3339(failingSince),
      triedAgain: dueAt === null ? null : rfc3339(dueAt),
    })),
    unverified,
    pings: pings.map(({ publishedAt, dueAt, ...ping }) => ({
      ...ping,
      published: rfc3339(publishedAt),
      due: rfc3339(dueAt),
    })),
  };
}

async function editionsWithDeliveries({ store }: AppContext, editions: EditionSummary[]): Promise<Status['editions']> {
  if (editions.length === 0) return [];
  const ids = editions.map((edition) => edition.id);
  const counts = await countAllDeliveries(store.reports, ids);
  const standings = await store.db
    .selectFrom('editions')
    .select(['id', 'delivery_state', 'delivery_reason'])
    .where('id', 'in', ids)
    .execute();
  const passedOver = await store.db
    .selectFrom('edition_omissions')
    .selectAll()
    .where('edition_id', 'in', ids)
    .orderBy('article_id')
    .execute();
  return editions.map((edition) => {
    const standing = standings.find(({ id }) => id === edition.id);
    const passed = (reason: 'aged-out' | 'did-not-fit'): string[] =>
      passedOver.filter((row) => row.edition_id === edition.id && row.reason === reason).map((row) => row.article_id);
    return {
      newsletter: edition.newsletter,
      slot: edition.slot,
      number: edition.number,
      headline: edition.headline,
      closed: rfc3339(edition.closedAt),
      deliveryState: standing?.delivery_state ?? 'delivering',
      reason: standing?.delivery_reason ?? null,
      deliveries: Object.fromEntries(Object.entries(counts.get(edition.id) ?? {}).filter(([, count]) => count > 0)),
      passedOver: { agedOut: passed('aged-out'), didNotFit: passed('did-not-fit') },
    };
  });
}

/** Of the editions that are shown: to find the newest of all, every delivery there ever was would be read. */
async function failedDeliveries(
  { store }: AppContext,
  editions: EditionSummary[],
): Promise<Status['failedDeliveries']> {
  if (editions.length === 0) return [];
  const rows = await store.reports
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select(['editions.newsletter', 'editions.slot', 'subscribers.email', 'deliveries.reason', 'deliveries.reply'])
    .where(
      'deliveries.edition_id',
      'in',
      editions.map((edition) => edition.id),
    )
    .where('deliveries.state', '=', 'failed')
    .orderBy('deliveries.changed_at', 'desc')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(SHOWN)
    .execute();
  return rows.map((row) => ({ ...row, reason: row.reason ?? 'no reason recorded' }));
}

async function countRunsEver({ store }: AppContext): Promise<Status['runTotals']> {
  const runs = store.reports
    .selectFrom('runs')
    .select((e) => ['schedule', e.cast<string>('state', 'text').as('state'), e.fn.countAll<number>().as('count')])
    .groupBy(['schedule', 'state']);
  const rows = await store.reports
    .selectFrom(runs.unionAll(store.reports.selectFrom('run_totals').selectAll()).as('ever'))
    .select((e) => ['schedule', 'state', sql<number>`cast(${e.fn.sum('count')} as bigint)`.as('count')])
    .groupBy(['schedule', 'state'])
    .orderBy('schedule')
    .orderBy('state')
    .execute();
  return rows;
}

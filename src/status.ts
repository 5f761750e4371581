/**
 * What an operator sees of a newsroom: derived from rows, changed by nothing.
 */
import { findDueChanges } from './articles/pending-changes.ts';
import { countSetAside, listSetAside, type SetAside } from './articles/set-aside.ts';
import { scheduleZone } from './config.ts';
import { listEditions } from './editions/queries.ts';
import type { Newsroom } from './newsroom.ts';
import { listOpenAlerts } from './schedule/alerts.ts';
import { listRuns } from './schedule/ledger.ts';
import { nextSlot } from './schedule/slots.ts';
import { rfc3339 } from './time.ts';

/** All instants in RFC 3339, UTC, so that the JSON reads the same everywhere. */
export interface Status {
  publication: string;
  at: string;
  store: string;
  articles: Record<string, number>;
  /** Whose feeds are to be published now; those that wait for the end of an embargo are not counted. */
  pendingChanges: number;
  feeds: { path: string; bytes: number; modified: string }[];
  editions: {
    newsletter: string;
    slot: string;
    number: number;
    headline: string;
    closed: string;
    deliveries: Record<string, number>;
  }[];
  failedDeliveries: { newsletter: string; slot: string; email: string; reason: string; reply: string | null }[];
  subscribers: { newsletter: string; state: string; count: number }[];
  schedules: { id: string; cron: string; zone: string; next: string | null }[];
  runs: {
    schedule: string;
    slot: string;
    state: string;
    reason: string | null;
    covers: number;
    triedAgain: string | null;
  }[];
  setAside: { count: number; first: SetAside[] };
  alerts: { cause: string; message: string; first: string; count: number }[];
}

const SHOWN = 20;

/** Reads the whole status at `now`. */
export async function readStatus(newsroom: Newsroom, now: number): Promise<Status> {
  const { store, config } = newsroom;
  const { db } = store;
  const articles = await db
    .selectFrom('articles')
    .select((e) => ['state', e.fn.countAll<number>().as('count')])
    .groupBy('state')
    .orderBy('state')
    .execute();
  const documents = await db
    .selectFrom('documents')
    .select((e) => ['path', 'modified_at', e.fn<number>('octet_length', ['body']).as('bytes')])
    .orderBy('path')
    .execute();
  const subscribers = await db
    .selectFrom('subscriptions')
    .select((e) => ['newsletter', 'state', e.fn.countAll<number>().as('count')])
    .groupBy(['newsletter', 'state'])
    .orderBy('newsletter')
    .orderBy('state')
    .execute();
  const due = await findDueChanges(db, now);
  const schedules = [
    ...config.feedSets.map((set) => ({ id: `feeds:${set.id}`, schedule: set.schedule })),
    ...config.newsletters.map((newsletter) => ({ id: `newsletter:${newsletter.id}`, schedule: newsletter.schedule })),
  ].map(({ id, schedule }) => {
    const zone = scheduleZone(schedule, config.publication);
    const next = nextSlot(schedule.cron, zone, now);
    return { id, cron: schedule.cron, zone, next: next === null ? null : rfc3339(next) };
  });
  return {
    publication: config.publication.name,
    at: rfc3339(now),
    store: store.place,
    articles: Object.fromEntries(articles.map(({ state, count }) => [state, count])),
    pendingChanges: due?.count ?? 0,
    feeds: documents.map(({ path, bytes, modified_at }) => ({ path, bytes, modified: rfc3339(modified_at) })),
    editions: await editionsWithDeliveries(newsroom),
    failedDeliveries: await failedDeliveries(newsroom),
    subscribers,
    schedules,
    runs: (await listRuns(db, SHOWN)).map((run) => ({
      schedule: run.schedule,
      slot: rfc3339(run.slotAt),
      state: run.state,
      reason: run.reason,
      covers: run.covers,
      triedAgain: run.state === 'failed' && run.leaseUntil !== null ? rfc3339(run.leaseUntil) : null,
    })),
    setAside: {
      count: await countSetAside(db),
      first: (await listSetAside(db, SHOWN)).map(({ setAsideAt: _, ...entry }) => entry),
    },
    alerts: (await listOpenAlerts(db)).map(({ cause, message, firstAt, count }) => ({
      cause,
      message,
      first: rfc3339(firstAt),
      count,
    })),
  };
}

async function editionsWithDeliveries({ store }: Newsroom): Promise<Status['editions']> {
  const editions = await listEditions(store.db, null, SHOWN / 2);
  if (editions.length === 0) return [];
  const counts = await store.db
    .selectFrom('deliveries')
    .select((e) => ['edition_id', 'state', e.fn.countAll<number>().as('count')])
    .where(
      'edition_id',
      'in',
      editions.map((edition) => edition.id),
    )
    .groupBy(['edition_id', 'state'])
    .execute();
  return editions.map((edition) => ({
    newsletter: edition.newsletter,
    slot: edition.slot,
    number: edition.number,
    headline: edition.headline,
    closed: rfc3339(edition.closedAt),
    deliveries: Object.fromEntries(counts.filter((c) => c.edition_id === edition.id).map((c) => [c.state, c.count])),
  }));
}

async function failedDeliveries({ store }: Newsroom): Promise<Status['failedDeliveries']> {
  const rows = await store.db
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select(['editions.newsletter', 'editions.slot', 'subscribers.email', 'deliveries.reason', 'deliveries.reply'])
    .where('deliveries.state', '=', 'failed')
    .orderBy('deliveries.changed_at', 'desc')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(SHOWN)
    .execute();
  return rows.map((row) => ({ ...row, reason: row.reason ?? 'no reason recorded' }));
}

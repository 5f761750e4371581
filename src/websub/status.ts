/**
 * How the hub stands, for status and metrics: derived from rows. No callback and no secret is shown; the host of a callback is.
 */
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';

export interface HubStanding {
  /** Of the embedded hub, by topic: those that are active, and those of them that failed the last time. */
  subscriptions: { topic: string; count: number; failing: number }[];
  /** Longest failing first. `dueAt`: when it is tried again; null where it was given up until the next change. */
  failing: {
    topic: string;
    host: string;
    failingSince: number;
    attempts: number;
    reason: string;
    dueAt: number | null;
  }[];
  /** Requests that no callback has confirmed yet. */
  unverified: number;
  /** What another hub is still to be told, oldest first, and how many there are in all. */
  pings: { topic: string; publishedAt: number; attempts: number; reason: string | null; dueAt: number }[];
  openPings: number;
  /** Since when the subscriber that waits the longest has waited, of those that did not fail the last time; or null. */
  oldestOwed: number | null;
}

/** @param options.limit of failing subscriptions, and of pings, to list */
export async function readHubStanding(db: Db, { now, limit }: { now: number; limit: number }): Promise<HubStanding> {
  const subscriptions = await db
    .selectFrom('hub_subscriptions')
    .select((e) => ['topic', e.fn.countAll<number>().as('count'), sql<number>`count(failing_since)`.as('failing')])
    .where('expires_at', '>', now)
    .groupBy('topic')
    .orderBy('topic')
    .execute();
  const failing = await db
    .selectFrom('hub_subscriptions')
    .select(['topic', 'host', 'failing_since', 'attempts', 'reason', 'due_at', 'pending'])
    .where('failing_since', 'is not', null)
    .where('expires_at', '>', now)
    .orderBy('failing_since')
    .orderBy('key')
    .limit(limit)
    .execute();
  const { unverified } = await db
    .selectFrom('hub_requests')
    .select((e) => e.fn.countAll<number>().as('unverified'))
    .executeTakeFirstOrThrow();
  const { oldest } = await db
    .selectFrom('hub_subscriptions')
    .select((e) => e.fn.min('pending_since').as('oldest'))
    .where(sql<boolean>`pending = 1`)
    .where('attempts', '=', 0)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  const open = db.selectFrom('hub_pings').where(sql<boolean>`state = 'pending'`);
  const pings = await open
    .select(['topic', 'published_at as publishedAt', 'attempts', 'reason', 'due_at as dueAt'])
    .orderBy('published_at')
    .orderBy('topic')
    .limit(limit)
    .execute();
  const { openPings } = await open.select((e) => e.fn.countAll<number>().as('openPings')).executeTakeFirstOrThrow();
  return {
    subscriptions,
    failing: failing.map((row) => ({
      topic: row.topic,
      host: row.host,
      failingSince: row.failing_since as number,
      attempts: row.attempts,
      reason: row.reason ?? 'no reason recorded',
      dueAt: row.pending === 1 ? row.due_at : null,
    })),
    unverified,
    pings,
    openPings,
    oldestOwed: oldest,
  };
}

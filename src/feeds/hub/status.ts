/** The hub's status, for operators and metrics. It shows the hosts of callbacks, but neither callbacks nor secrets. */
import { sql } from 'kysely';
import type { Db } from '../../core/store/store.ts';

export interface HubStatus {
  /** Active subscriptions by topic, and how many of them failed at the last attempt. */
  subscriptions: { topic: string; count: number; failing: number }[];
  /** Longest failing first. `dueAt` is null for those that were given up until the next change. */
  failing: {
    topic: string;
    host: string;
    failingSince: number;
    attempts: number;
    reason: string;
    dueAt: number | null;
  }[];
  /** Number of requests that await verification. */
  unverified: number;
  /** When the longest pending subscription became pending, of those that do not fail; null where none is pending. */
  oldestPending: number | null;
}

/** @param options.limit number of failing subscriptions to list */
export async function readHubStatus(db: Db, { now, limit }: { now: number; limit: number }): Promise<HubStatus> {
  const active = db.selectFrom('hub_subscriptions').where('expires_at', '>', now);
  const subscriptions = await active
    .select((e) => ['topic', e.fn.countAll<number>().as('count'), sql<number>`count(failing_since)`.as('failing')])
    .groupBy('topic')
    .orderBy('topic')
    .execute();
  const failing = await active
    .select(['topic', 'host', 'failing_since', 'attempts', 'reason', 'due_at', 'pending'])
    .where('failing_since', 'is not', null)
    .orderBy('failing_since')
    .orderBy('key')
    .limit(limit)
    .execute();
  const { oldest } = await active
    .select((e) => e.fn.min('pending_since').as('oldest'))
    .where(sql<boolean>`pending = 1`)
    .where('attempts', '=', 0)
    .executeTakeFirstOrThrow();
  const { unverified } = await db
    .selectFrom('hub_requests')
    .select((e) => e.fn.countAll<number>().as('unverified'))
    .executeTakeFirstOrThrow();
  return {
    subscriptions,
    failing: failing.map(({ topic, host, failing_since, attempts, reason, due_at, pending }) => ({
      topic,
      host,
      failingSince: failing_since as number,
      attempts,
      reason: reason ?? 'no reason recorded',
      dueAt: pending === 1 ? due_at : null,
    })),
    unverified,
    oldestPending: oldest,
  };
}

/** The subscriptions of the embedded hub and the outbox of their notifications. */
import { type RawBuilder, sql } from 'kysely';
import { claimRows, deleteClaimed, isClaimable, revokedLease, updateClaimed } from '../../core/store/lease.ts';
import type { Db, Tx } from '../../core/store/store.ts';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import type { Capacity } from '../../lib/worker-pool.ts';
import { type HubRequest, subscriptionKey } from './subscribe-request.ts';

export interface ClaimedSubscription {
  key: string;
  topic: string;
  callback: string;
  host: string;
  /** Encrypted. */
  secret: string | null;
  version: number;
  /** Failures in a row before this attempt. */
  attempts: number;
  fence: number;
}

export type DistributionResult =
  | { kind: 'delivered'; tookMs: number }
  /** The subscriber no longer wants updates, or the feed is gone. */
  | { kind: 'ended'; reason: string }
  | { kind: 'failed'; reason: string }
  /** The process is stopping. */
  | { kind: 'aborted' };

/** Enough rows to choose from, where many are due for hosts that are busy. */
const CANDIDATES = 200;
/** Longer than a delivery can take. */
const LEASE = 30 * SECOND;
/** A delivery that takes longer makes its subscription a slow one. */
const SLOW = 2 * SECOND;
/** 24.6 hours in all: a subscriber that restarts misses nothing, one that is gone is soon given up. */
const RETRY_DELAYS = [
  ...[10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR],
];
/** After the last retry, each later change is tried once, at most this often. */
const GIVEN_UP_INTERVAL = 2 * HOUR;

/** Marks the active subscriptions of the topics as pending: one statement, however many there are. */
export async function queueDistribution(tx: Tx, topics: readonly string[], at: number): Promise<void> {
  await tx
    .updateTable('hub_subscriptions')
    .set({
      version: sql<number>`version + 1`,
      pending: 1,
      pending_since: sql<number>`case when pending = 1 then pending_since else ${at} end`,
      // At the end of the queue: where publishes come faster than deliveries, each subscriber gets its turn. Those that
      // are pending already keep their place, those that failed their delay.
      due_at: sql<number>`case when pending = 0 and attempts = 0 then ${at} else due_at end`,
    })
    .where('topic', 'in', topics)
    .where('expires_at', '>', at)
    .execute();
}

/**
 * Claims pending subscriptions, longest due first.
 * @param options.pace `fast`: the last delivery was quick; `slow`: it took long, or failed
 */
export async function claimSubscriptions(
  db: Db,
  { pace, capacity, now }: { pace: 'fast' | 'slow'; capacity: Capacity; now: number },
): Promise<ClaimedSubscription[]> {
  const pending = sql<boolean>`pending = 1 and expires_at > ${now}`;
  const ofPace = pace === 'fast' ? sql`attempts = 0 and slow = 0` : sql`(attempts > 0 or slow = 1)`;
  const keys = await pickDueKeys(db, 'hub_subscriptions', sql<boolean>`${pending} and ${ofPace}`, capacity, now);
  if (keys.length === 0) return [];
  const condition = sql`key in (${sql.join(keys)}) and ${pending}`;
  return claimRows(db, 'hub_subscriptions', condition, { now, until: now + LEASE });
}

/** How far before its turn a new request is due: at once, however many of its client come before it. */
export const TURN_SHIFT = 2 * HOUR;
/** The order of requests. */
export const TURN = sql<number>`
  case when hub_requests.attempts = 0 then hub_requests.due_at else hub_requests.due_at - ${sql.lit(TURN_SHIFT)} end`;

/**
 * Picks due rows, longest due first, as far as there is capacity; requests by their turn. A query before the claim,
 * because most of the time nothing is due, and an update would wait for other writers.
 */
export async function pickDueKeys(
  db: Db,
  table: 'hub_subscriptions' | 'hub_requests',
  condition: RawBuilder<boolean>,
  { busyHosts, pick }: Capacity,
  now: number,
): Promise<string[]> {
  const due = await db
    .selectFrom(table)
    .select(['key', 'host'])
    .where(condition)
    .where(isClaimable(table, now))
    .$if(busyHosts.length > 0, (q) => q.where('host', 'not in', busyHosts))
    .orderBy(table === 'hub_requests' ? TURN : sql.ref('due_at'))
    .orderBy('key')
    .limit(CANDIDATES)
    .execute();
  return pick(due).map(({ key }) => key);
}

/**
 * Records the result of a delivery.
 * @returns `lost` where nothing was recorded: the subscription was renewed or claimed again meanwhile
 */
export async function recordDistribution(
  db: Db,
  claimed: ClaimedSubscription,
  result: DistributionResult,
  now: number,
): Promise<'delivered' | 'ended' | 'pending' | 'given-up' | 'lost'> {
  if (result.kind === 'ended') {
    const { numDeletedRows } = await deleteClaimed(db, 'hub_subscriptions', claimed).executeTakeFirstOrThrow();
    return numDeletedRows > 0n ? 'ended' : 'lost';
  }
  const { numUpdatedRows } = await updateClaimed(db, 'hub_subscriptions', claimed)
    .set({ lease_until: null, ...columnsAfter(claimed, result, now) })
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return 'lost';
  if (result.kind === 'delivered') return 'delivered';
  return result.kind === 'failed' && claimed.attempts >= RETRY_DELAYS.length ? 'given-up' : 'pending';
}

function columnsAfter({ version, attempts }: ClaimedSubscription, result: DistributionResult, now: number) {
  if (result.kind === 'delivered') {
    return {
      // A later publish is still pending.
      pending: sql<number>`case when version = ${version} then 0 else 1 end`,
      pending_since: sql<number>`case when version = ${version} then pending_since else ${now} end`,
      due_at: now,
      attempts: 0,
      failing_since: null,
      reason: null,
      delivered_at: now,
      slow: result.tookMs > SLOW ? 1 : 0,
    };
  }
  if (result.kind !== 'failed') return {};
  const delay = RETRY_DELAYS[attempts];
  return {
    ...(delay === undefined ? { pending: 0 } : { attempts: attempts + 1 }),
    due_at: now + (delay ?? GIVEN_UP_INTERVAL),
    failing_since: sql<number>`coalesce(failing_since, ${now})`,
    reason: result.reason,
  };
}

/** Stores a verified subscription, or renews it. @param secret encrypted */
export async function grantSubscription(
  db: Db,
  { topic, callback, host, leaseSeconds }: Omit<HubRequest, 'mode' | 'secret'>,
  secret: string | null,
  now: number,
): Promise<void> {
  const granted = { secret, verified_at: now, expires_at: now + leaseSeconds * SECOND };
  const healthy = { due_at: 0, attempts: 0, failing_since: null, reason: null };
  const key = subscriptionKey({ topic, callback });
  await db
    .insertInto('hub_subscriptions')
    .values({
      key,
      topic,
      callback,
      host,
      version: 0,
      pending: 0,
      pending_since: now,
      fence: 0,
      ...granted,
      ...healthy,
    })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        ...granted,
        ...revokedLease('hub_subscriptions'),
        // The callback responds again, so a pending change is due at once; not one from after the lease had expired.
        ...healthy,
        pending: sql<number>`case when hub_subscriptions.expires_at > ${now} then hub_subscriptions.pending else 0 end`,
      }),
    )
    .execute();
}

/** Whether the callback is subscribed to the topic at `now`. */
export async function hasSubscription(db: Db, key: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('hub_subscriptions')
    .select('key')
    .where('key', '=', key)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Marks the subscriptions of deleted feeds as pending: their subscribers get a denial. */
export async function queueDenials(db: Db, now: number): Promise<void> {
  await db
    .updateTable('hub_subscriptions')
    .set({ pending: 1, pending_since: now, due_at: now })
    .where('pending', '=', 0)
    .where('topic', 'not in', (e) => e.selectFrom('documents').select('path'))
    .execute();
}

export async function deleteSubscription(db: Db, key: string): Promise<void> {
  await db.deleteFrom('hub_subscriptions').where('key', '=', key).execute();
}

/** @returns the number of subscriptions deleted */
export async function deleteExpiredSubscriptions(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('hub_subscriptions')
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

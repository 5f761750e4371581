/**
 * The subscriptions of the embedded hub, and what is owed to them: claimed under leases and fences, so that of several processes one
 * tells a subscriber of a change.
 */
import { sql } from 'kysely';
import { HOUR, SECOND } from '../lib/time.ts';
import { claimRows, deleteClaimed, revokedLease, updateClaimed } from '../store/lease.ts';
import type { Db } from '../store/store.ts';
import { distributionWait } from './backoff.ts';
import { findDueKeys, type Room } from './pool.ts';
import { type HubRequest, subscriptionKey } from './subscribe-request.ts';

/** A subscription under our lease, with what to tell it with. */
export interface ClaimedSubscription {
  key: string;
  topic: string;
  callback: string;
  host: string;
  /** Sealed. */
  secret: string | null;
  version: number;
  /** Failures in a row before this. */
  attempts: number;
  fence: number;
}

/** What came of telling a subscriber. */
export type Telling =
  | { kind: 'told'; tookMs: number }
  /** It wants no more, or there is nothing more to tell. */
  | { kind: 'gone'; reason: string }
  | { kind: 'failed'; reason: string }
  /** Nothing was done: we are ending. */
  | { kind: 'put-back' };

/** Longer than a telling can take. */
const LEASE = 30 * SECOND;
/** Milliseconds: one that took longer leaves the places of those that do not. */
const SLOW = 2 * SECOND;
/** One that was given up is tried once with every later change, but not more often than that. */
const REST = 2 * HOUR;

/** Marks every active subscription of the topics as owed a change: one statement, however many there are. @param db a transaction */
export async function oweSubscribers(db: Db, topics: readonly string[], at: number): Promise<void> {
  await db
    .updateTable('hub_subscriptions')
    .set({
      version: sql<number>`version + 1`,
      pending: 1,
      pending_since: sql<number>`case when pending = 1 then pending_since else ${at} end`,
      // To the back of the queue, or some would be told of every publish and others of none while publishes come faster than rounds.
      // Who waits already keeps the place, and who failed the wait.
      due_at: sql<number>`case when pending = 0 and attempts = 0 then ${at} else due_at end`,
    })
    .where('topic', 'in', topics)
    .where('expires_at', '>', at)
    .execute();
}

/**
 * Claims subscriptions that are owed a change, longest due first.
 * @param which `prompt`: those that took the last telling quickly; `laggard`: those that were slow, or failed and whose wait is over
 */
export async function claimSubscriptions(
  db: Db,
  options: { which: 'prompt' | 'laggard'; room: Room; now: number },
): Promise<ClaimedSubscription[]> {
  const { which, room, now } = options;
  const due = sql<boolean>`pending = 1 and expires_at > ${now}`;
  const keys = await findDueKeys(db, 'hub_subscriptions', {
    room,
    now,
    due: sql<boolean>`${due} and ${which === 'prompt' ? sql`attempts = 0 and slow = 0` : sql`(attempts > 0 or slow = 1)`}`,
  });
  if (keys.length === 0) return [];
  const condition = sql`key in (${sql.join(keys)}) and ${due}`;
  return claimRows(db, 'hub_subscriptions', condition, { now, until: now + LEASE });
}

/**
 * Records what came of it, unless the subscription was renewed or taken over since.
 * @returns how it stands now; `lost` where nothing was recorded
 */
export async function recordTelling(
  db: Db,
  claimed: ClaimedSubscription,
  telling: Telling,
  now: number,
): Promise<'told' | 'dropped' | 'waiting' | 'given-up' | 'lost'> {
  if (telling.kind === 'gone') {
    const { numDeletedRows } = await deleteClaimed(db, 'hub_subscriptions', claimed).executeTakeFirstOrThrow();
    return numDeletedRows > 0n ? 'dropped' : 'lost';
  }
  const { numUpdatedRows } = await updateClaimed(db, 'hub_subscriptions', claimed)
    .set({ lease_until: null, ...afterwards(claimed, telling, now) })
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return 'lost';
  if (telling.kind === 'told') return 'told';
  return telling.kind === 'failed' && distributionWait(claimed.attempts + 1) === null ? 'given-up' : 'waiting';
}

function afterwards({ version, attempts }: ClaimedSubscription, telling: Telling, now: number) {
  if (telling.kind === 'told') {
    const { tookMs } = telling;
    return {
      // What was published meanwhile is still owed.
      pending: sql<number>`case when version = ${version} then 0 else 1 end`,
      pending_since: sql<number>`case when version = ${version} then pending_since else ${now} end`,
      due_at: now,
      attempts: 0,
      failing_since: null,
      reason: null,
      delivered_at: now,
      slow: tookMs > SLOW ? 1 : 0,
    };
  }
  if (telling.kind !== 'failed') return {};
  const wait = distributionWait(attempts + 1);
  return {
    // Given up: the next change is told once more.
    ...(wait === null ? { pending: 0 } : { attempts: attempts + 1 }),
    due_at: now + (wait ?? REST),
    failing_since: sql<number>`coalesce(failing_since, ${now})`,
    reason: telling.reason,
  };
}

/** Grants what was verified: a new subscription, or a renewal of the one there is. @param secret sealed */
export async function grantSubscription(
  db: Db,
  { topic, callback, host, leaseSeconds }: Omit<HubRequest, 'mode' | 'secret'>,
  secret: string | null,
  now: number,
): Promise<void> {
  const granted = { secret, verified_at: now, expires_at: now + leaseSeconds * SECOND };
  await db
    .insertInto('hub_subscriptions')
    .values({
      key: subscriptionKey({ topic, callback }),
      topic,
      callback,
      host,
      ...granted,
      version: 0,
      pending: 0,
      pending_since: now,
      due_at: 0,
      attempts: 0,
      failing_since: null,
      reason: null,
      delivered_at: null,
      slow: 0,
      lease_until: null,
      fence: 0,
    })
    .onConflict((conflict) =>
      // It answers again: what it is still owed it gets at once. Not what fell due after its lease had ended.
      conflict.column('key').doUpdateSet({
        ...granted,
        pending: sql<number>`case when hub_subscriptions.expires_at > ${now} then hub_subscriptions.pending else 0 end`,
        due_at: 0,
        attempts: 0,
        failing_since: null,
        reason: null,
        ...revokedLease('hub_subscriptions'),
      }),
    )
    .execute();
}

/** Whether that callback is subscribed to that topic at `now`. */
export async function hasSubscription(db: Db, key: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('hub_subscriptions')
    .select('key')
    .where('key', '=', key)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Marks the subscriptions of feeds that are gone, so that their subscribers are told. @returns how many */
export async function oweGoodbyes(db: Db, now: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('hub_subscriptions')
    .set({ pending: 1, pending_since: now, due_at: now })
    .where('pending', '=', 0)
    .where('topic', 'not in', (e) => e.selectFrom('documents').select('path'))
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Ends a subscription, if there is one. */
export async function endSubscription(db: Db, key: string): Promise<void> {
  await db.deleteFrom('hub_subscriptions').where('key', '=', key).execute();
}

/** Deletes those whose lease has ended. @returns how many */
export async function forgetExpired(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('hub_subscriptions')
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

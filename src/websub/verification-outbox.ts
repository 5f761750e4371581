/**
 * Requests to the embedded hub whose callback has not confirmed them yet. Nothing is subscribed, renewed or ended before it has.
 */
import { sql } from 'kysely';
import { MINUTE, SECOND } from '../lib/time.ts';
import { claimRows, deleteClaimed, revokedLease, updateClaimed } from '../store/lease.ts';
import type { Db } from '../store/store.ts';
import { verificationWait } from './backoff.ts';
import { findDueKeys, type Room } from './pool.ts';
import { type HubRequest, subscriptionKey } from './subscribe-request.ts';
import { endSubscription, grantSubscription, hasSubscription } from './subscriptions.ts';

export interface ClaimedRequest extends Omit<HubRequest, 'secret'> {
  key: string;
  /** Sealed. */
  secret: string | null;
  /** Failures before this. */
  attempts: number;
  fence: number;
}

/** What the callback said. */
export type Verdict =
  | { kind: 'confirmed' }
  | { kind: 'denied'; reason: string }
  /** It could not be asked. */
  | { kind: 'failed'; reason: string }
  /** Nothing was done: we are ending. */
  | { kind: 'put-back' };

export type Admission = { kind: 'taken' } | { kind: 'full'; retryAfter: number };

/** Longer than asking can take. */
const LEASE = 30 * SECOND;
/** As many as are asked in some minutes; whoever floods the hub with more is told to wait. */
const MOST_OPEN = 500;
const MOST_SUBSCRIPTIONS = 20_000;

/**
 * Takes a request, to be verified at once. It takes the place of an earlier one for the same topic and callback.
 * @param secret sealed
 * @returns `full`, and how many seconds to wait, where there is no room
 */
export async function takeRequest(
  db: Db,
  request: Omit<HubRequest, 'secret'>,
  secret: string | null,
  now: number,
): Promise<Admission> {
  const key = subscriptionKey(request);
  // Who is subscribed may renew and leave whatever strangers ask, and is asked before them.
  const isSubscribed = await hasSubscription(db, key, now);
  if (!isSubscribed && (await countRows(db, 'hub_requests', key)) >= MOST_OPEN) {
    return { kind: 'full', retryAfter: MINUTE / SECOND };
  }
  if (
    !isSubscribed &&
    request.mode === 'subscribe' &&
    (await countRows(db, 'hub_subscriptions', key)) >= MOST_SUBSCRIPTIONS
  ) {
    return { kind: 'full', retryAfter: (60 * MINUTE) / SECOND };
  }
  const asked = { mode: request.mode, secret, lease_seconds: request.leaseSeconds, created_at: now };
  const fresh = { ...asked, attempts: 0, due_at: isSubscribed ? 0 : now };
  const { topic, callback, host } = request;
  await db
    .insertInto('hub_requests')
    .values({ key, topic, callback, host, ...fresh, lease_until: null, fence: 0 })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ ...fresh, ...revokedLease('hub_requests') }))
    .execute();
  return { kind: 'taken' };
}

/** How many there are besides that one. */
async function countRows(db: Db, table: 'hub_requests' | 'hub_subscriptions', key: string): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('key', '<>', key)
    .executeTakeFirstOrThrow();
  return count;
}

/** Claims requests, longest due first. */
export async function claimRequests(db: Db, options: { room: Room; now: number }): Promise<ClaimedRequest[]> {
  const { room, now } = options;
  const keys = await findDueKeys(db, 'hub_requests', { room, now });
  if (keys.length === 0) return [];
  const rows = await claimRows(db, 'hub_requests', sql`key in (${sql.join(keys)})`, { now, until: now + LEASE });
  return rows.map(({ lease_seconds: leaseSeconds, ...row }) => ({ ...row, leaseSeconds }));
}

/**
 * Records what the callback said, and does what it confirmed, in one transaction.
 * @returns `lost` where a newer request has taken its place, or another process has: that one counts
 */
export async function recordVerdict(
  db: Db,
  claimed: ClaimedRequest,
  verdict: Verdict,
  now: number,
): Promise<'confirmed' | 'denied' | 'waiting' | 'lost'> {
  const { key, attempts } = claimed;
  const wait = verificationWait(attempts + 1);
  if (verdict.kind === 'put-back' || (verdict.kind === 'failed' && wait !== null)) {
    const again = verdict.kind === 'failed' ? { attempts: attempts + 1, due_at: now + (wait ?? 0) } : {};
    const { numUpdatedRows } = await updateClaimed(db, 'hub_requests', claimed)
      .set({ lease_until: null, ...again })
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n ? 'waiting' : 'lost';
  }
  return db.transaction().execute(async (tx) => {
    const { numDeletedRows } = await deleteClaimed(tx, 'hub_requests', claimed).executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return 'lost';
    if (verdict.kind !== 'confirmed') return 'denied';
    if (claimed.mode === 'unsubscribe') await endSubscription(tx, key);
    else await grantSubscription(tx, claimed, claimed.secret, now);
    return 'confirmed';
  });
}

/** Deletes what was asked before an instant and came to no end: the hub was switched off. @returns how many */
export async function forgetRequests(db: Db, before: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('hub_requests')
    .where('created_at', '<', before)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

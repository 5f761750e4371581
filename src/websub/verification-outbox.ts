/**
 * Requests to the embedded hub whose callback has not confirmed them yet. Nothing is subscribed, renewed or ended before it has.
 */
import { sql } from 'kysely';
import { MINUTE, SECOND } from '../lib/time.ts';
import { type Db, dialectOf } from '../store/store.ts';
import { verificationWait } from './backoff.ts';
import type { Room } from './pool.ts';
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

/** Enough to find room among: whoever has more of them at one host waits for the next turn. */
const LOOKED_AT = 200;
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
  const fresh = { ...asked, attempts: 0, due_at: isSubscribed ? 0 : now, lease_until: null };
  const { topic, callback, host } = request;
  await db
    .insertInto('hub_requests')
    .values({ key, topic, callback, host, ...fresh, fence: 0 })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ ...fresh, fence: sql<number>`hub_requests.fence + 1` }),
    )
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
  const claimable = sql<boolean>`due_at <= ${now} and (lease_until is null or lease_until <= ${now})`;
  // A look first: most of the time there is none, and a write would wait for other writers.
  const due = await db
    .selectFrom('hub_requests')
    .select(['key', 'host'])
    .where(claimable)
    .$if(room.busyHosts.length > 0, (q) => q.where('host', 'not in', room.busyHosts))
    .orderBy('due_at')
    .orderBy('key')
    .limit(LOOKED_AT)
    .execute();
  const keys = room.pick(due).map(({ key }) => key);
  if (keys.length === 0) return [];
  return db
    .updateTable('hub_requests')
    .set({ lease_until: now + LEASE, fence: sql<number>`fence + 1` })
    .where('key', 'in', (e) =>
      e
        .selectFrom('hub_requests')
        .select('key')
        .where('key', 'in', keys)
        // What another process is claiming is its own.
        .$if(dialectOf(db) === 'postgres', (q) => q.forUpdate().skipLocked()),
    )
    .where(claimable)
    .returning([
      'key',
      'mode',
      'topic',
      'callback',
      'host',
      'secret',
      'lease_seconds as leaseSeconds',
      'attempts',
      'fence',
    ])
    .execute();
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
  const { key, fence, attempts } = claimed;
  const wait = verificationWait(attempts + 1);
  if (verdict.kind === 'put-back' || (verdict.kind === 'failed' && wait !== null)) {
    const again = verdict.kind === 'failed' ? { attempts: attempts + 1, due_at: now + (wait ?? 0) } : {};
    const { numUpdatedRows } = await db
      .updateTable('hub_requests')
      .set({ lease_until: null, ...again })
      .where('key', '=', key)
      .where('fence', '=', fence)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n ? 'waiting' : 'lost';
  }
  return db.transaction().execute(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('hub_requests')
      .where('key', '=', key)
      .where('fence', '=', fence)
      .executeTakeFirstOrThrow();
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

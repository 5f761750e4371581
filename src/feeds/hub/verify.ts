/**
 * Requests to the embedded hub, and the verification of their intent (WebSub §5.3): nothing is subscribed, renewed or
 * ended before the callback confirms what was requested in its name.
 */
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { claimRows, deleteClaimed, revokedLease, updateClaimed } from '../../core/store/lease.ts';
import { acquirePermit } from '../../core/store/rate-limits.ts';
import type { Db } from '../../core/store/store.ts';
import { guardedRequest, type RequestLimits } from '../../lib/guarded-fetch/guarded-request.ts';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import type { Capacity } from '../../lib/worker-pool.ts';
import { topicAddress } from '../topics.ts';
import type { HubContext } from './hub-context.ts';
import { countNewSubscription } from './quotas.ts';
import { type HubRequest, subscriptionKey } from './subscribe-request.ts';
import {
  deleteSubscription,
  grantSubscription,
  hasSubscription,
  pickDueKeys,
  TURN,
  TURN_SHIFT,
} from './subscriptions.ts';

export interface ClaimedRequest extends Omit<HubRequest, 'secret'> {
  key: string;
  /** Encrypted. */
  secret: string | null;
  /** Failures before this attempt. */
  attempts: number;
  fence: number;
}

type VerificationResult =
  | { kind: 'confirmed' }
  | { kind: 'denied'; reason: string }
  /** The callback could not be reached. */
  | { kind: 'failed'; reason: string }
  /** The process is stopping. */
  | { kind: 'aborted' };

/** Longer than a verification can take. */
const LEASE = 30 * SECOND;
/** Short, because the subscriber waits for it and repeats its request. */
const RETRY_DELAYS = [5 * SECOND, 30 * SECOND];
/** As many as are verified in some minutes: a flood of requests is refused. */
const MAX_REQUESTS = 500;
/** Requests of a client leave its share of the queue at this pace, as if each were verified: longer than that takes. */
const SHARE_INTERVAL = HOUR / 240;
const MAX_SUBSCRIPTIONS = 20_000;

type Admission = { kind: 'accepted' } | { kind: 'refused'; reason: string; retryAfterSeconds: number };

/**
 * Queues a request for verification. It replaces an earlier one for the same topic and callback.
 * @param secret encrypted
 * @param client the key of its rate limits
 */
export async function enqueueRequest(
  db: Db,
  request: Omit<HubRequest, 'secret'>,
  { secret, client }: { secret: string | null; client: string },
  now: number,
): Promise<Admission> {
  const { mode, topic, callback, host } = request;
  const key = subscriptionKey(request);
  const isSubscribed = await hasSubscription(db, key, now);
  const refused = (retryAfterSeconds: number, reason: string): Admission => {
    return { kind: 'refused', reason, retryAfterSeconds };
  };
  // Half of the free places, so that some are free for others, however many clients take their share. Existing
  // subscribers can always renew or unsubscribe.
  const free = MAX_REQUESTS - (isSubscribed ? 0 : await countOthers(db, 'hub_requests', key));
  if (free < 2) return refused(MINUTE / SECOND, 'The hub is at its limit.');
  const limit = { everyMs: SHARE_INTERVAL, burst: Math.floor(free / 2) };
  const permit = await acquirePermit(db, `hub ${isSubscribed ? 'renewals' : 'queue'} ${client}`, limit, now);
  if (permit.kind === 'refused' && !isSubscribed) {
    const seconds = Math.max(1, Math.ceil((permit.retryAt - now) / SECOND));
    return refused(seconds, 'Too many requests from your network wait for their verification.');
  }
  // Due at once, in the order of the instants at which they would leave their clients' shares: so clients take turns.
  const dueAt = permit.kind === 'granted' ? permit.nextAt - TURN_SHIFT : now;
  const isNew = !isSubscribed && mode === 'subscribe';
  if (isNew && (await countOthers(db, 'hub_subscriptions', key)) >= MAX_SUBSCRIPTIONS) {
    return refused(HOUR / SECOND, 'The hub is at its limit.');
  }
  const content = { mode, secret, lease_seconds: request.leaseSeconds, created_at: now };
  const queued = { ...content, attempts: 0, ...revokedLease('hub_requests') };
  // A client that repeats another client's request does not take its place.
  const due_at = sql<number>`case when ${TURN} < ${dueAt} then ${TURN} else ${dueAt} end`;
  await db
    .insertInto('hub_requests')
    .values({ key, topic, callback, host, ...content, attempts: 0, due_at: dueAt, fence: 0 })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ ...queued, due_at }))
    .execute();
  return { kind: 'accepted' };
}

async function countOthers(db: Db, table: 'hub_requests' | 'hub_subscriptions', key: string): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('key', '<>', key)
    .executeTakeFirstOrThrow();
  return count;
}

/** Claims requests, those of clients in turn. */
export async function claimRequests(
  db: Db,
  { capacity, now }: { capacity: Capacity; now: number },
): Promise<ClaimedRequest[]> {
  const keys = await pickDueKeys(db, 'hub_requests', sql<boolean>`1 = 1`, capacity, now);
  if (keys.length === 0) return [];
  const rows = await claimRows(db, 'hub_requests', sql`key in (${sql.join(keys)})`, { now, until: now + LEASE });
  return rows.map(({ lease_seconds: leaseSeconds, ...row }) => ({ ...row, leaseSeconds }));
}

/**
 * Records the result of a verification and, in the same transaction, does what was confirmed.
 * @returns `lost` where nothing was recorded: a newer request has replaced this one, or another process has claimed it
 */
async function recordVerification(
  db: Db,
  claimed: ClaimedRequest,
  result: VerificationResult,
  now: number,
): Promise<'confirmed' | 'denied' | 'pending' | 'lost'> {
  const { key, attempts } = claimed;
  const delay = RETRY_DELAYS[attempts];
  if (result.kind === 'aborted' || (result.kind === 'failed' && delay !== undefined)) {
    const retry = result.kind === 'failed' ? { attempts: attempts + 1, due_at: now + (delay ?? 0) } : {};
    const { numUpdatedRows } = await updateClaimed(db, 'hub_requests', claimed)
      .set({ lease_until: null, ...retry })
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n ? 'pending' : 'lost';
  }
  return db.transaction().execute(async (tx) => {
    const { numDeletedRows } = await deleteClaimed(tx, 'hub_requests', claimed).executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return 'lost';
    if (result.kind !== 'confirmed') return 'denied';
    if (claimed.mode === 'unsubscribe') await deleteSubscription(tx, key);
    else await grantSubscription(tx, claimed, claimed.secret, now);
    return 'confirmed';
  });
}

/** Deletes requests that were created before an instant and never verified, because the hub was switched off. */
export async function deleteOldRequests(db: Db, before: number): Promise<void> {
  await db.deleteFrom('hub_requests').where('created_at', '<', before).execute();
}

const CHALLENGE_BYTES = 24;

/** Verifies a request, and records and logs the result. */
export async function verifyRequest(
  context: HubContext,
  claimed: ClaimedRequest,
  limits: RequestLimits,
): Promise<void> {
  const { store, clock, log } = context;
  const result = await askCallback(context, claimed, limits);
  const outcome = await recordVerification(store.db, claimed, result, clock());
  const { mode, topic, host } = claimed;
  const reason = 'reason' in result ? { reason: result.reason } : {};
  log.info({ mode, topic, host, ...reason }, `hub request: ${outcome}`);
}

async function askCallback(
  { store, config, secrets, clock }: HubContext,
  { key, callback, mode, topic, leaseSeconds }: ClaimedRequest,
  limits: RequestLimits,
): Promise<VerificationResult> {
  const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
  const url = withParameters(callback, {
    'hub.mode': mode,
    'hub.topic': topicAddress(config, topic),
    'hub.challenge': challenge,
    ...(mode === 'subscribe' ? { 'hub.lease_seconds': String(leaseSeconds) } : {}),
  });
  const response = await guardedRequest({ url, method: 'GET', headers: {} }, limits);
  if (response.kind === 'refused') return { kind: 'denied', reason: response.reason };
  if (response.kind === 'failed') return limits.signal?.aborted ? { kind: 'aborted' } : response;
  const { status, body, whole } = response;
  if (status < 200 || status > 299) return { kind: 'denied', reason: `it answered ${status}` };
  if (!whole || !body.equals(Buffer.from(challenge))) {
    return { kind: 'denied', reason: `it answered ${status} without the challenge` };
  }
  if (mode === 'subscribe' && !(await hasSubscription(store.db, key, clock()))) {
    const wait = await countNewSubscription(store.db, secrets, 'callback', response.address, clock());
    if (wait > 0) return { kind: 'denied', reason: 'its address has begun too many subscriptions' };
  }
  return { kind: 'confirmed' };
}

/** The callback with more parameters after its own, which §5.1 wants preserved. */
export function withParameters(callback: string, parameters: Record<string, string>): string {
  return `${callback}${callback.includes('?') ? '&' : '?'}${new URLSearchParams(parameters)}`;
}

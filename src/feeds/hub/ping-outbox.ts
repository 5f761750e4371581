/**
 * The outbox of pings to another hub: one row for each topic and publish. A later publish of a topic supersedes pending
 * pings of earlier ones. The outcome of a publish is in the run ledger, as the run of the schedule `hub` whose slot is
 * the publish.
 */
import { sql } from 'kysely';
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import { claimRows, isClaimable, revokedLease, updateClaimed } from '../../core/store/lease.ts';
import { readMeta, writeMeta } from '../../core/store/meta.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import { MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import type { Capacity } from '../../lib/worker-pool.ts';
import { PING_RETRY_PERIOD, pingRetryDelay } from './retry-delays.ts';

export interface ClaimedPing {
  topic: string;
  publishedAt: number;
  /** Failures before this attempt. */
  attempts: number;
  fence: number;
}

export type PingResult =
  | { kind: 'delivered' }
  | { kind: 'failed'; reason: string }
  /** The process is stopping. */
  | { kind: 'aborted' };

/** The schedule of its runs, and the key of its alert. */
const HUB = 'hub';
const HUB_ALERT = { kind: 'hub', subject: {} };
/** Longer than a ping can take. */
const LEASE = 30 * SECOND;
const CANDIDATES = 200;
/** A hub that accepts nothing for this long raises an alert, though each publish supersedes the last. */
const ALERT_AFTER = 10 * MINUTE;
const FAILING_SINCE = 'hub.failing-since';
const SUPERSEDED = 'superseded by a later publish';
/** A literal, because SQLite uses the partial index `hub_pings_pending` only where it sees its condition. */
const IS_PENDING = sql<boolean>`state = 'pending'`;

/** Queues the pings of a publish. @param at in whole seconds (epoch milliseconds) */
export async function queuePings(tx: Tx, topics: readonly string[], at: number): Promise<void> {
  const earlier = await findPendingPublishes(tx, topics, at);
  // Locks runs before pings, and in the order of time, like all other transactions: no two wait for each other.
  for (const publishedAt of earlier) await lockRun(tx, publishedAt);
  await tx
    .updateTable('hub_pings')
    .set({ state: 'superseded', ...revokedLease('hub_pings') })
    .where('topic', 'in', topics)
    .where('published_at', '<', at)
    .where(IS_PENDING)
    .execute();
  for (const publishedAt of earlier) await updateRun(tx, publishedAt, at);
  const ping = { published_at: at, state: 'pending' as const, attempts: 0, due_at: at, fence: 0 };
  const added = await tx
    .insertInto('hub_pings')
    .values(topics.map((topic) => ({ topic, ...ping })))
    .onConflict((conflict) => conflict.columns(['topic', 'published_at']).doNothing())
    .returning('topic')
    .execute();
  const run = { state: 'running' as const, reason: null, finished_at: null, lease_until: null };
  await tx
    .insertInto('runs')
    .values({ schedule: HUB, slot_at: at, ...run, covers: added.length, attempts: 0, started_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['schedule', 'slot_at'])
        .doUpdateSet({ ...run, covers: sql<number>`runs.covers + ${added.length}` }),
    )
    .execute();
}

/** Claims due pings, longest due first. @param options.host of the hub */
export async function claimPings(
  db: Db,
  { capacity, host, now }: { capacity: Capacity; host: string; now: number },
): Promise<ClaimedPing[]> {
  const due = await db
    .selectFrom('hub_pings')
    .select(['topic', 'published_at'])
    .where(IS_PENDING)
    .where(isClaimable('hub_pings', now))
    .orderBy('due_at')
    .orderBy('topic')
    .limit(CANDIDATES)
    .execute();
  const claimed: ClaimedPing[] = [];
  for (const { topic, published_at } of capacity.pick(due.map((row) => ({ ...row, host })))) {
    const condition = sql`topic = ${topic} and published_at = ${published_at} and ${IS_PENDING}`;
    const rows = await claimRows(db, 'hub_pings', condition, { now, until: now + LEASE });
    claimed.push(...rows.map((row) => ({ ...row, publishedAt: row.published_at })));
  }
  return claimed;
}

/**
 * Records the result of a ping, in run ledger and alerts too.
 * @returns false where a later publish has superseded the ping, or another process has claimed it
 */
export async function recordPing(db: Db, claimed: ClaimedPing, result: PingResult, now: number): Promise<boolean> {
  const { topic, publishedAt, fence } = claimed;
  return db.transaction().execute(async (tx) => {
    await lockRun(tx, publishedAt);
    const { numUpdatedRows } = await updateClaimed(tx, 'hub_pings', { topic, published_at: publishedAt, fence })
      .set({ lease_until: null, ...columnsAfter(claimed, result, now) })
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    const isRecorded = numUpdatedRows > 0n;
    if (result.kind === 'aborted') return isRecorded;
    // Also for a superseded ping: the hub has responded, or not.
    await recordHubHealth(tx, result, now);
    if (isRecorded) await updateRun(tx, publishedAt, now);
    return isRecorded;
  });
}

/** Fails the pending pings of publishes before an instant, because no hub is configured any more. */
export async function failPendingPings(db: Db, before: number, now: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const publishes = await findPendingPublishes(tx, null, before);
    for (const publishedAt of publishes) await lockRun(tx, publishedAt);
    await tx
      .updateTable('hub_pings')
      .set({ state: 'failed', reason: 'no hub is configured any more', ...revokedLease('hub_pings') })
      .where('published_at', '<', before)
      .where(IS_PENDING)
      .execute();
    for (const publishedAt of publishes) await updateRun(tx, publishedAt, now);
    await recordHubHealth(tx, { kind: 'delivered' }, now);
  });
}

function columnsAfter({ attempts, publishedAt }: ClaimedPing, result: PingResult, now: number) {
  if (result.kind === 'aborted') return {};
  if (result.kind === 'delivered') return { state: 'delivered' as const, attempts: attempts + 1, reason: null };
  const retryAt = now + pingRetryDelay(attempts + 1);
  return {
    state: retryAt > publishedAt + PING_RETRY_PERIOD ? ('failed' as const) : ('pending' as const),
    attempts: attempts + 1,
    due_at: retryAt,
    reason: result.reason,
  };
}

/** The publishes before an instant that have pending pings, oldest first. @param topics null for all */
async function findPendingPublishes(tx: Tx, topics: readonly string[] | null, before: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('hub_pings')
    .select('published_at')
    .distinct()
    .where(IS_PENDING)
    .where('published_at', '<', before)
    .$if(topics !== null, (q) => q.where('topic', 'in', topics ?? []))
    .orderBy('published_at')
    .execute();
  return rows.map((row) => row.published_at);
}

async function lockRun(tx: Tx, publishedAt: number): Promise<void> {
  if (dialectOf(tx) === 'sqlite') return;
  await tx
    .selectFrom('runs')
    .select('slot_at')
    .where('schedule', '=', HUB)
    .where('slot_at', '=', publishedAt)
    .forUpdate()
    .execute();
}

/** Derives the run of a publish from its pings, and deletes these when none is pending. The run must be locked. */
async function updateRun(tx: Tx, publishedAt: number, now: number): Promise<void> {
  const pings = await tx.selectFrom('hub_pings').selectAll().where('published_at', '=', publishedAt).execute();
  const inState = (state: string) => pings.filter((ping) => ping.state === state);
  const [pending, failed, delivered] = [inState('pending'), inState('failed'), inState('delivered')];
  const attempts = pings.reduce((most, ping) => Math.max(most, ping.attempts), 0);
  const outcome = { attempts, ...runOutcome({ pending, failed, delivered, total: pings.length }, now) };
  await tx.updateTable('runs').set(outcome).where('schedule', '=', HUB).where('slot_at', '=', publishedAt).execute();
  if (pending.length === 0) await tx.deleteFrom('hub_pings').where('published_at', '=', publishedAt).execute();
}

interface PingsOfPublish {
  pending: { reason: string | null; due_at: number }[];
  failed: { reason: string | null }[];
  delivered: object[];
  total: number;
}

function runOutcome({ pending, failed, delivered, total }: PingsOfPublish, now: number) {
  if (pending.length > 0) {
    const retried = pending.filter(({ reason }) => reason !== null);
    const [first] = retried;
    if (first === undefined) return { state: 'running' as const };
    // A failed run with a lease is tried again when the lease ends.
    const retryAt = retried.reduce((earliest, ping) => Math.min(earliest, ping.due_at), Number.POSITIVE_INFINITY);
    const reason = reasonOfTopics(first.reason, retried.length, total);
    return { state: 'failed' as const, reason, finished_at: now, lease_until: retryAt };
  }
  const finished = { finished_at: now, lease_until: null };
  const [first] = failed;
  if (first !== undefined) {
    return { ...finished, state: 'failed' as const, reason: reasonOfTopics(first.reason, failed.length, total) };
  }
  if (delivered.length === 0) return { ...finished, state: 'skipped' as const, reason: SUPERSEDED };
  const superseded = total - delivered.length;
  const reason = superseded === 0 ? null : reasonOfTopics(SUPERSEDED, superseded, total);
  return { ...finished, state: 'done' as const, reason };
}

function reasonOfTopics(reason: string | null, count: number, total: number): string {
  return count === total ? (reason ?? '') : `${count} of ${total} topics: ${reason}`;
}

/**
 * Raises an alert for a hub that has accepted nothing for a while. The next ping that it accepts resolves the alert.
 */
async function recordHubHealth(tx: Tx, result: Exclude<PingResult, { kind: 'aborted' }>, now: number): Promise<void> {
  const since = await readMeta(tx, FAILING_SINCE);
  if (result.kind === 'delivered') {
    if (since === undefined) return;
    await writeMeta(tx, FAILING_SINCE, null);
    await resolveAlerts(tx, [HUB_ALERT], now);
  } else if (since === undefined) await writeMeta(tx, FAILING_SINCE, String(now));
  else if (now - Number(since) >= ALERT_AFTER) {
    const message = `The hub has accepted no ping since ${rfc3339(Number(since))}: ${result.reason}.`;
    await raiseAlert(tx, { ...HUB_ALERT, message }, now);
  }
}

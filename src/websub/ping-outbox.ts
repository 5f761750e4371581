/**
 * What another hub is to be told: one row for each topic and publish, claimed under leases and fences, so that several processes never
 * tell it twice at once. A later publish of a topic takes the place of an earlier one that was not told yet. How a publish ended stands in
 * the run ledger, as the run of the schedule `hub` whose slot is the publish.
 */
import { sql } from 'kysely';
import { MINUTE, SECOND } from '../lib/time.ts';
import { raiseAlert, resolveAlerts } from '../schedule/alerts.ts';
import { claimRows, isClaimable, revokedLease, updateClaimed } from '../store/lease.ts';
import { readMeta, writeMeta } from '../store/meta.ts';
import { type Db, dialectOf } from '../store/store.ts';
import { PING_FOR, pingWait } from './backoff.ts';
import type { Room } from './pool.ts';

export interface ClaimedPing {
  topic: string;
  publishedAt: number;
  /** Failures before this. */
  attempts: number;
  fence: number;
}

/** What came of telling the hub; with `put-back` nothing was done, for we are ending. */
export type PingResult = { kind: 'delivered' } | { kind: 'failed'; reason: string } | { kind: 'put-back' };

/** The schedule of its runs, and the cause of its alert. */
const HUB = 'hub';
/** Longer than telling can take. */
const LEASE = 30 * SECOND;
const LOOKED_AT = 200;
/** A hub that takes nothing for so long is worth a person's attention, though each publish takes the place of the last. */
const ALERT_AFTER = 10 * MINUTE;
const FAILING_SINCE = 'hub.failing-since';
/** A literal, not a parameter: SQLite uses the partial index `hub_pings_pending` only where it sees its condition. */
const PENDING = sql<boolean>`state = 'pending'`;
const SUPERSEDED = 'superseded by a later publish';

/** Notes a publish for the hub. @param db the transaction that stores it @param at in whole seconds (epoch milliseconds) */
export async function notePings(db: Db, topics: readonly string[], at: number): Promise<void> {
  const earlier = await findOpenPublishes(db, topics, at);
  // Runs before pings, and in their order, here as everywhere: no two transactions wait for each other.
  for (const publishedAt of earlier) await lockRun(db, publishedAt);
  await db
    .updateTable('hub_pings')
    .set({ state: 'superseded', ...revokedLease('hub_pings') })
    .where('topic', 'in', topics)
    .where('published_at', '<', at)
    .where(PENDING)
    .execute();
  for (const publishedAt of earlier) await settle(db, publishedAt, at);
  const ping = {
    published_at: at,
    state: 'pending' as const,
    attempts: 0,
    due_at: at,
    reason: null,
    lease_until: null,
    fence: 0,
  };
  const fresh = await db
    .insertInto('hub_pings')
    .values(topics.map((topic) => ({ topic, ...ping })))
    .onConflict((conflict) => conflict.columns(['topic', 'published_at']).doNothing())
    .returning('topic')
    .execute();
  const run = { state: 'running' as const, reason: null, finished_at: null, lease_until: null };
  await db
    .insertInto('runs')
    .values({ schedule: HUB, slot_at: at, ...run, covers: fresh.length, attempts: 0, started_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['schedule', 'slot_at'])
        .doUpdateSet({ ...run, covers: sql<number>`runs.covers + ${fresh.length}` }),
    )
    .execute();
}

/** Claims what is due, longest due first. */
export async function claimPings(
  db: Db,
  { room, host, now }: { room: Room; host: string; now: number },
): Promise<ClaimedPing[]> {
  const due = await db
    .selectFrom('hub_pings')
    .select(['topic', 'published_at'])
    .where(PENDING)
    .where(isClaimable('hub_pings', now))
    .orderBy('due_at')
    .orderBy('topic')
    .limit(LOOKED_AT)
    .execute();
  const claimed: ClaimedPing[] = [];
  for (const { topic, published_at } of room.pick(due.map((row) => ({ ...row, host })))) {
    const condition = sql`topic = ${topic} and published_at = ${published_at} and ${PENDING}`;
    const rows = await claimRows(db, 'hub_pings', condition, { now, until: now + LEASE });
    claimed.push(...rows.map((row) => ({ ...row, publishedAt: row.published_at })));
  }
  return claimed;
}

/** Records what came of it, in ledger and alert too. @returns false where a later publish or another process has taken it over */
export async function recordPing(db: Db, claimed: ClaimedPing, result: PingResult, now: number): Promise<boolean> {
  const { topic, publishedAt, fence } = claimed;
  return db.transaction().execute(async (tx) => {
    await lockRun(tx, publishedAt);
    const { numUpdatedRows } = await updateClaimed(tx, 'hub_pings', { topic, published_at: publishedAt, fence })
      .set({ lease_until: null, ...afterwards(claimed, result, now) })
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    // It answered, or not, whatever became of this ping since.
    if (result.kind !== 'put-back') await noteHealth(tx, result, now);
    if (numUpdatedRows === 0n) return false;
    if (result.kind !== 'put-back') await settle(tx, publishedAt, now);
    return true;
  });
}

/** Fails what was published before an instant and is open still, for no hub is configured any more. @returns how many publishes */
export async function abandonPings(db: Db, before: number, now: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const publishes = await findOpenPublishes(tx, null, before);
    for (const publishedAt of publishes) await lockRun(tx, publishedAt);
    await tx
      .updateTable('hub_pings')
      .set({ state: 'failed', reason: 'no hub is configured any more', ...revokedLease('hub_pings') })
      .where('published_at', '<', before)
      .where(PENDING)
      .execute();
    for (const publishedAt of publishes) await settle(tx, publishedAt, now);
    await noteHealth(tx, { kind: 'delivered' }, now);
    return publishes.length;
  });
}

function afterwards({ attempts, publishedAt }: ClaimedPing, result: PingResult, now: number) {
  if (result.kind === 'put-back') return {};
  if (result.kind === 'delivered') return { state: 'delivered' as const, attempts: attempts + 1, reason: null };
  const again = now + pingWait(attempts + 1);
  const isOver = again > publishedAt + PING_FOR;
  return {
    state: isOver ? ('failed' as const) : ('pending' as const),
    attempts: attempts + 1,
    due_at: again,
    reason: result.reason,
  };
}

/** The publishes before an instant that have open pings, oldest first. @param topics of these; null for any */
async function findOpenPublishes(db: Db, topics: readonly string[] | null, before: number): Promise<number[]> {
  const rows = await db
    .selectFrom('hub_pings')
    .select('published_at')
    .distinct()
    .where(PENDING)
    .where('published_at', '<', before)
    .$if(topics !== null, (q) => q.where('topic', 'in', topics ?? []))
    .orderBy('published_at')
    .execute();
  return rows.map((row) => row.published_at);
}

async function lockRun(db: Db, publishedAt: number): Promise<void> {
  if (dialectOf(db) === 'sqlite') return;
  await db
    .selectFrom('runs')
    .select('slot_at')
    .where('schedule', '=', HUB)
    .where('slot_at', '=', publishedAt)
    .forUpdate()
    .execute();
}

/** Brings the run of a publish up to its pings; when none is open any more, they go. @param db holds the run's lock */
async function settle(db: Db, publishedAt: number, now: number): Promise<void> {
  const pings = await db.selectFrom('hub_pings').selectAll().where('published_at', '=', publishedAt).execute();
  const inState = (state: string) => pings.filter((ping) => ping.state === state);
  const [open, failed, told] = [inState('pending'), inState('failed'), inState('delivered')];
  const attempts = pings.reduce((most, ping) => Math.max(most, ping.attempts), 0);
  const outcome = { attempts, ...runOutcome({ open, failed, told, all: pings.length }, now) };
  await db.updateTable('runs').set(outcome).where('schedule', '=', HUB).where('slot_at', '=', publishedAt).execute();
  if (open.length === 0) await db.deleteFrom('hub_pings').where('published_at', '=', publishedAt).execute();
}

interface Tally {
  open: { reason: string | null; due_at: number }[];
  failed: { reason: string | null }[];
  told: object[];
  all: number;
}

/** A failed run with a lease is one that is tried again at its end. */
function runOutcome({ open, failed, told, all }: Tally, now: number) {
  if (open.length > 0) {
    const waiting = open.filter(({ reason }) => reason !== null);
    const [first] = waiting;
    if (first === undefined) return { state: 'running' as const };
    const again = waiting.reduce((soonest, ping) => Math.min(soonest, ping.due_at), Number.POSITIVE_INFINITY);
    return {
      state: 'failed' as const,
      reason: partly(first.reason, waiting.length, all),
      finished_at: now,
      lease_until: again,
    };
  }
  const over = { finished_at: now, lease_until: null };
  const [first] = failed;
  if (first !== undefined)
    return { ...over, state: 'failed' as const, reason: partly(first.reason, failed.length, all) };
  if (told.length === 0) return { ...over, state: 'skipped' as const, reason: SUPERSEDED };
  const rest = all - told.length;
  return { ...over, state: 'done' as const, reason: rest === 0 ? null : partly(SUPERSEDED, rest, all) };
}

function partly(reason: string | null, count: number, all: number): string {
  return count === all ? (reason ?? '') : `${count} of ${all} topics: ${reason}`;
}

/** An alert for a hub that has taken nothing for a while; the next telling that gets through resolves it. */
async function noteHealth(db: Db, result: Exclude<PingResult, { kind: 'put-back' }>, now: number): Promise<void> {
  const since = await readMeta(db, FAILING_SINCE);
  if (result.kind === 'delivered') {
    if (since === undefined) return;
    await writeMeta(db, FAILING_SINCE, null);
    await resolveAlerts(db, [HUB], now);
  } else if (since === undefined) await writeMeta(db, FAILING_SINCE, String(now));
  else if (now - Number(since) >= ALERT_AFTER) {
    const message = `The hub has taken no news of a publish since ${new Date(Number(since)).toISOString()}: ${result.reason}.`;
    await raiseAlert(db, { key: HUB, message }, now);
  }
}

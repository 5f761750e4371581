/**
 * The outbox: one row for each edition and subscriber, claimed, submitted and recorded.
 *
 *   pending ─claim─► pending, leased ─► submitting ─► submitted | failed | pending, due later
 *                          └► suppressed: consent has ended since it was queued
 *
 * A claim is a lease under a fence. Every later step names that fence, and is refused once another claim has raised it, so
 * that a worker which slept through its lease can neither submit nor overwrite a result. Only a row at `submitting` can have
 * reached a server without our knowing; where its lease lapses it is tried again with the same Message-ID, and says so.
 */
import { type ExpressionBuilder, sql } from 'kysely';
import type { Db, Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

export type DeliveryState = Tables['deliveries']['state'];

/** A row under our lease. */
export interface ClaimedDelivery {
  editionId: number;
  subscriberId: number;
  /** As given by the subscriber; null where the subscriber is gone. */
  email: string | null;
  /** Submissions begun so far. */
  attempts: number;
  /** The claim's number: what is recorded names it. */
  fence: number;
  /** Why the last attempt did not succeed, or null. */
  reason: string | null;
}

/** Which row, and under which claim. */
export type Claim = Pick<ClaimedDelivery, 'editionId' | 'subscriberId' | 'fence'>;

const INTERRUPTED = 'interrupted while submitting: tried again with the same Message-ID';
const CONSENT_ENDED = 'the subscription is not confirmed any more';

/**
 * Claims the deliveries that have been due longest. Those whose lease has lapsed are claimed again.
 * @param options.now epoch milliseconds
 * @param options.leaseMs how long they are ours, unless `markSubmitting` extends it
 * @param options.editionId claims of that edition only
 */
export async function claimPendingDeliveries(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  options: { now: number; limit: number; leaseMs: number; editionId?: number | undefined },
): Promise<ClaimedDelivery[]> {
  const { now, limit, leaseMs, editionId } = options;
  const claimed = await db
    .with('due', (cte) =>
      cte
        .selectFrom('deliveries')
        .select(['edition_id', 'subscriber_id'])
        // Written out, not bound: SQLite uses the partial index deliveries_open only where it sees its condition.
        .where(sql<boolean>`state in ('pending', 'submitting')`)
        .where('due_at', '<=', now)
        .where((e) => e.or([e('lease_until', 'is', null), e('lease_until', '<=', now)]))
        .$if(editionId !== undefined, (q) => q.where('edition_id', '=', editionId as number))
        .orderBy('due_at')
        .orderBy('edition_id')
        .orderBy('subscriber_id')
        .limit(limit)
        // Other workers step over the rows this one is claiming; SQLite has one writer at a time.
        .$if(dialect === 'postgres', (q) => q.forUpdate().skipLocked()),
    )
    .updateTable('deliveries')
    .from('due')
    .set({
      state: 'pending',
      fence: sql<number>`fence + 1`,
      lease_until: now + leaseMs,
      reason: sql<string | null>`case state when 'submitting' then ${INTERRUPTED} else reason end`,
      changed_at: sql<number>`case state when 'submitting' then ${now} else changed_at end`,
    })
    .whereRef('deliveries.edition_id', '=', 'due.edition_id')
    .whereRef('deliveries.subscriber_id', '=', 'due.subscriber_id')
    .returning([
      'deliveries.edition_id as editionId',
      'deliveries.subscriber_id as subscriberId',
      'deliveries.attempts',
      'deliveries.fence',
      'deliveries.reason',
    ])
    .execute();
  const emails = await findEmails(db, [...new Set(claimed.map((row) => row.subscriberId))]);
  return claimed
    .map((row) => ({ ...row, email: emails.get(row.subscriberId) ?? null }))
    .sort((a, b) => a.editionId - b.editionId || a.subscriberId - b.subscriberId);
}

/**
 * Notes that a submission begins: called singly, right before the message goes to the server, and never for a row whose
 * subscription is not confirmed at this moment.
 * @param leaseMs longer than a submission can take
 * @returns `lost` where another worker has claimed the row since
 */
export async function markSubmitting(
  db: Db,
  claim: Claim,
  now: number,
  leaseMs: number,
): Promise<'submitting' | 'suppressed' | 'lost'> {
  const marked = await updateClaimed(db, claim)
    .set({ state: 'submitting', attempts: sql<number>`attempts + 1`, lease_until: now + leaseMs, changed_at: now })
    .where('state', '=', 'pending')
    .where(consentStands)
    .executeTakeFirstOrThrow();
  if (marked.numUpdatedRows > 0n) return 'submitting';
  const suppressed = await updateClaimed(db, claim)
    .set({ state: 'suppressed', reason: CONSENT_ENDED, lease_until: null, changed_at: now })
    .where('state', '=', 'pending')
    .where((e) => e.not(consentStands(e)))
    .executeTakeFirstOrThrow();
  return suppressed.numUpdatedRows > 0n ? 'suppressed' : 'lost';
}

/** How an attempt ended. `reply` is the server's, or the transport's word; `reason` is said for an operator. */
export type DeliveryResult =
  | { is: 'submitted'; reply: string }
  /** Tried again from `dueAt` on. */
  | { is: 'deferred'; dueAt: number; reply: string | null; reason: string }
  | { is: 'failed'; reply: string | null; reason: string }
  /** It never got as far as this recipient, so it is due again and the attempt does not count. */
  | { is: 'returned'; reply: string | null; reason: string };

/**
 * Records how it ended.
 * @returns false where another worker has claimed the row since, and nothing was recorded
 */
export async function recordResult(db: Db, claim: Claim, result: DeliveryResult, now: number): Promise<boolean> {
  const row = await updateClaimed(db, claim)
    .set({ ...afterwards(result), reply: result.reply, lease_until: null, changed_at: now })
    .where('state', 'in', ['pending', 'submitting'])
    .executeTakeFirstOrThrow();
  return row.numUpdatedRows > 0n;
}

/** Gives back claims that nothing was done with, so that the next worker need not wait for the lease. */
export async function releaseClaims(db: Db, claims: Claim[]): Promise<void> {
  for (const claim of claims) {
    await updateClaimed(db, claim).set({ lease_until: null }).where('state', '=', 'pending').execute();
  }
}

/** How many deliveries of each edition are in each state. Editions without any have no entry. */
export async function countDeliveries(
  db: Db,
  editionIds: number[],
): Promise<Map<number, Record<DeliveryState, number>>> {
  const counts = new Map<number, Record<DeliveryState, number>>();
  if (editionIds.length === 0) return counts;
  const rows = await db
    .selectFrom('deliveries')
    .select((e) => ['edition_id', 'state', e.fn.countAll<number>().as('count')])
    .where('edition_id', 'in', editionIds)
    .groupBy(['edition_id', 'state'])
    .orderBy('edition_id')
    .orderBy('state')
    .execute();
  for (const { edition_id, state, count } of rows) {
    const known = counts.get(edition_id) ?? { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 };
    counts.set(edition_id, { ...known, [state]: count });
  }
  return counts;
}

export interface FailedDelivery {
  editionId: number;
  subscriberId: number;
  /** Null where the subscriber is gone. */
  email: string | null;
  attempts: number;
  reply: string | null;
  reason: string | null;
  changedAt: number;
}

/** The deliveries that failed, newest first, with their reasons. */
export async function listFailedDeliveries(
  db: Db,
  query: { editionId?: number; limit: number },
): Promise<FailedDelivery[]> {
  return db
    .selectFrom('deliveries')
    .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select([
      'deliveries.edition_id as editionId',
      'deliveries.subscriber_id as subscriberId',
      'subscribers.email',
      'deliveries.attempts',
      'deliveries.reply',
      'deliveries.reason',
      'deliveries.changed_at as changedAt',
    ])
    .where('deliveries.state', '=', 'failed')
    .$if(query.editionId !== undefined, (q) => q.where('deliveries.edition_id', '=', query.editionId as number))
    .orderBy('deliveries.changed_at', 'desc')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(query.limit)
    .execute();
}

function updateClaimed(db: Db, { editionId, subscriberId, fence }: Claim) {
  return db
    .updateTable('deliveries')
    .where('edition_id', '=', editionId)
    .where('subscriber_id', '=', subscriberId)
    .where('fence', '=', fence);
}

function consentStands(e: ExpressionBuilder<Tables, 'deliveries'>) {
  return e.exists(
    e
      .selectFrom('subscriptions')
      .innerJoin('editions', 'editions.newsletter', 'subscriptions.newsletter')
      .select('subscriptions.subscriber_id')
      .whereRef('editions.id', '=', 'deliveries.edition_id')
      .whereRef('subscriptions.subscriber_id', '=', 'deliveries.subscriber_id')
      .where('subscriptions.state', '=', 'confirmed'),
  );
}

function afterwards(result: DeliveryResult) {
  switch (result.is) {
    case 'submitted':
      return { state: 'submitted' as const, reason: null };
    case 'deferred':
      return { state: 'pending' as const, reason: result.reason, due_at: result.dueAt };
    case 'failed':
      return { state: 'failed' as const, reason: result.reason };
    case 'returned':
      return { state: 'pending' as const, reason: result.reason, attempts: sql<number>`attempts - 1` };
  }
}

async function findEmails(db: Db, subscriberIds: number[]): Promise<Map<number, string>> {
  if (subscriberIds.length === 0) return new Map();
  const rows = await db.selectFrom('subscribers').select(['id', 'email']).where('id', 'in', subscriberIds).execute();
  return new Map(rows.map((row) => [row.id, row.email]));
}

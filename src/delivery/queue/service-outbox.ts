/**
 * The outbox of service messages. It works like that of deliveries, but row by row, since there are few. Interrupted
 * messages are always retried: a second copy does no harm, a missing confirmation does. After two attempts that may
 * have arrived, a message fails.
 */
import { sql } from 'kysely';
import { readNewsletters } from '../../audience/service-messages.ts';
import { isLiftedByOptIn } from '../../audience/suppression.ts';
import { isInOpenState, OPEN_DELIVERY_STATES } from '../../core/store/delivery-states.ts';
import { isClaimable, leaseColumns, revokedLease, skipLocked, updateClaimed } from '../../core/store/lease.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import type { Db, Store, Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { type DeliveryOutcome, INTERRUPTED, isMarkedUncertain } from './delivery-outcome.ts';

/** A message under our lease. */
export interface ClaimedServiceMessage {
  id: number;
  kind: Tables['service_messages']['kind'];
  subscriberId: number;
  /** As given by the subscriber; null if the subscriber no longer exists. */
  email: string | null;
  /** Version of the subscriber's links. */
  tokenVersion: number | null;
  newsletters: string[];
  createdAt: number;
  /** End of its link. */
  expiresAt: number;
  /** The wording that its request was made with; null without one. */
  consent: string | null;
  attempts: number;
  /** Whether an earlier attempt may have arrived. */
  mayHaveArrived: boolean;
  fence: number;
}

export type ServiceOutcome = Exclude<DeliveryOutcome, { kind: 'released' | 'uncertain' }>;

/**
 * The result of marking. Unless it is `submitting`, the message must not be submitted, and that is recorded already.
 */
export type ServiceMarkResult = { kind: 'submitting' } | { kind: 'suppressed'; reason: string } | { kind: 'lost' };

const EXPIRED = 'expired: it could not be submitted before its link ended';

/**
 * Claims messages, longest due first, including those whose lease has expired; none while the queue is held. Expired
 * messages fail.
 * @returns the claimed messages and the number of expired ones
 */
export async function claimServiceMessages(
  { db }: Pick<Store, 'db'>,
  { now, limit, leaseMs }: { now: number; limit: number; leaseMs: number },
): Promise<{ messages: ClaimedServiceMessage[]; expired: number }> {
  if ((await readMeta(db, DELIVERY_HELD)) !== undefined) return { messages: [], expired: 0 };
  // A query first: most of the time there is none, and a transaction would wait for other writers.
  const first = await db.selectFrom('service_messages').select('id').where(isDue(now)).limit(1).executeTakeFirst();
  if (first === undefined) return { messages: [], expired: 0 };
  return db.transaction().execute(async (tx) => {
    const expired = await tx
      .updateTable('service_messages')
      .set({ state: 'failed', reason: EXPIRED, ...revokedLease('service_messages'), changed_at: now })
      .where(isDue(now))
      .where('expires_at', '<=', now)
      .executeTakeFirstOrThrow();
    const due = await tx
      .selectFrom('service_messages')
      .leftJoin('subscribers', 'subscribers.id', 'service_messages.subscriber_id')
      .leftJoin('consent_events', 'consent_events.id', 'service_messages.after_event')
      .leftJoin('consent_texts', 'consent_texts.id', 'consent_events.consent_text')
      .select([
        'service_messages.id',
        'service_messages.kind',
        'service_messages.subscriber_id as subscriberId',
        'service_messages.newsletters',
        'service_messages.created_at as createdAt',
        'service_messages.expires_at as expiresAt',
        'service_messages.attempts',
        'service_messages.fence',
        'subscribers.email',
        'subscribers.token_version as tokenVersion',
        'consent_texts.text as consent',
        sql<number>`case when service_messages.state = 'submitting'
          or ${isMarkedUncertain(sql.ref('service_messages.reason'))} then 1 else 0 end`.as('isUncertain'),
      ])
      .where(isDue(now))
      .orderBy('service_messages.due_at')
      .orderBy('service_messages.id')
      .limit(limit)
      .modifyEnd(skipLocked(tx, 'service_messages'))
      .execute();
    if (due.length > 0) await lease(tx, due, now, now + leaseMs);
    const messages = due.map(({ isUncertain, ...row }) => {
      const mayHaveArrived = isUncertain === 1;
      return { ...row, newsletters: readNewsletters(row), mayHaveArrived, fence: row.fence + 1 };
    });
    return { messages, expired: Number(expired.numUpdatedRows) };
  });
}

function isDue(now: number) {
  return sql<boolean>`${isInOpenState('service_messages')} and ${isClaimable('service_messages', now)}`;
}

async function lease(tx: Tx, rows: { id: number }[], now: number, until: number): Promise<void> {
  const ids = rows.map((row) => row.id);
  await tx
    .updateTable('service_messages')
    .set({
      state: 'pending',
      ...leaseColumns('service_messages', until),
      reason: sql<string | null>`case state when 'submitting' then ${INTERRUPTED} else reason end`,
      changed_at: now,
    })
    .where('id', 'in', ids)
    .execute();
}

/**
 * Marks the beginning of a submission. If the subscriber no longer exists, or the address is suppressed, the
 * message is recorded as suppressed.
 * @param leaseMs longer than any submission
 */
export async function markServiceMessage(
  db: Db,
  message: ClaimedServiceMessage,
  now: number,
  leaseMs: number,
): Promise<ServiceMarkResult> {
  return db.transaction().execute(async (tx) => {
    const reason = await reasonToSuppress(tx, message);
    if (reason !== null) {
      const recorded = await recordServiceOutcome(tx, message, { kind: 'suppressed', reason }, now);
      return recorded ? { kind: 'suppressed', reason } : { kind: 'lost' };
    }
    const { numUpdatedRows } = await updateClaimed(tx, 'service_messages', message)
      .set({ state: 'submitting', attempts: sql<number>`attempts + 1`, lease_until: now + leaseMs, changed_at: now })
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    return { kind: numUpdatedRows > 0n ? 'submitting' : 'lost' };
  });
}

async function reasonToSuppress(tx: Tx, { kind, subscriberId }: ClaimedServiceMessage): Promise<string | null> {
  const subscriber = await tx
    .selectFrom('subscribers')
    .select(['suppressed_reason', 'held_by'])
    .where('id', '=', subscriberId)
    .executeTakeFirst();
  if (subscriber === undefined) return 'the subscriber no longer exists';
  const reason = subscriber.suppressed_reason ?? (subscriber.held_by === null ? null : 'hard-bounce');
  if (reason === null || (kind !== 'already' && isLiftedByOptIn(reason))) return null;
  return `the address is suppressed: ${reason}`;
}

/**
 * Records an outcome and ends the lease.
 * @returns false if the claim was lost and nothing was recorded
 */
export async function recordServiceOutcome(
  db: Db,
  message: Pick<ClaimedServiceMessage, 'id' | 'fence'>,
  outcome: ServiceOutcome,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await updateClaimed(db, 'service_messages', message)
    .set({ ...columnsOf(outcome), lease_until: null, changed_at: now })
    .where('state', 'in', OPEN_DELIVERY_STATES)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

function columnsOf(outcome: ServiceOutcome) {
  const reply = 'reply' in outcome && outcome.reply !== null ? { reply: outcome.reply } : {};
  switch (outcome.kind) {
    case 'submitted':
      return { state: 'submitted' as const, ...reply, reason: null };
    case 'deferred':
      return { state: 'pending' as const, ...reply, reason: outcome.reason, due_at: outcome.dueAt };
    case 'failed':
      return { state: 'failed' as const, ...reply, reason: outcome.reason };
    case 'suppressed':
      return { state: 'suppressed' as const, reason: outcome.reason };
    case 'reverted':
      return {
        state: 'pending' as const,
        ...reply,
        ...(outcome.dueAt === undefined ? {} : { due_at: outcome.dueAt }),
        reason: outcome.reason,
        attempts: sql<number>`attempts - 1`,
      };
  }
}

/** Ends the leases of unused claims. */
export async function releaseServiceMessages(db: Db, messages: readonly ClaimedServiceMessage[]): Promise<void> {
  for (const message of messages) {
    await updateClaimed(db, 'service_messages', message)
      .set({ lease_until: null })
      .where('state', '=', 'pending')
      .execute();
  }
}

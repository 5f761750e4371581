/**
 * The outbox of the service's own mail (confirmations): by the same rules as deliveries, but ahead of them, and one by one, since it is
 * little. What was interrupted is always tried again: a second copy of a confirmation harms nobody, one that never comes does.
 */
import { sql } from 'kysely';
import { DELIVERY_HELD, readMeta } from '../../store/meta.ts';
import type { Db, Store } from '../../store/store.ts';
import type { Tables } from '../../store/tables.ts';
import { readNewsletters } from '../../subscribers/service-messages.ts';
import { isLiftedByOptIn } from '../../subscribers/suppression.ts';
import type { DeliveryOutcome } from './delivery-outcome.ts';
import { INTERRUPTED } from './uncertain.ts';

/** A message under our lease. */
export interface ClaimedServiceMessage {
  id: number;
  kind: Tables['service_messages']['kind'];
  subscriberId: number;
  /** As given by the subscriber; null where the subscriber is gone. */
  email: string | null;
  newsletters: string[];
  createdAt: number;
  /** Its link is dead from then on. */
  expiresAt: number;
  attempts: number;
  fence: number;
}

/** What becomes of a message that is claimed. */
export type ServiceOutcome = Exclude<DeliveryOutcome, { kind: 'put-back' | 'uncertain' }>;

/** What came of asking to submit. */
export type ServiceMarkResult = { kind: 'submitting' } | { kind: 'suppressed'; reason: string } | { kind: 'lost' };

const EXPIRED = 'expired: it could not be submitted before its link was dead';

/**
 * Claims messages, longest due first; those whose lease has lapsed again; none while the queue is held. The expired ones fail.
 * @returns what was claimed, and how many had expired
 */
export async function claimServiceMessages(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  { now, limit, leaseMs }: { now: number; limit: number; leaseMs: number },
): Promise<{ messages: ClaimedServiceMessage[]; expired: number }> {
  if ((await readMeta(db, DELIVERY_HELD)) !== undefined) return { messages: [], expired: 0 };
  // A look first: most of the time there is none, and a transaction would wait for other writers.
  const waiting = await db
    .selectFrom('service_messages')
    .select('id')
    .where(claimable(now))
    .limit(1)
    .executeTakeFirst();
  if (waiting === undefined) return { messages: [], expired: 0 };
  return db.transaction().execute(async (tx) => {
    const expired = await tx
      .updateTable('service_messages')
      .set({ state: 'failed', reason: EXPIRED, lease_until: null, fence: sql<number>`fence + 1`, changed_at: now })
      .where(claimable(now))
      .where('expires_at', '<=', now)
      .executeTakeFirstOrThrow();
    const due = await tx
      .selectFrom('service_messages')
      .leftJoin('subscribers', 'subscribers.id', 'service_messages.subscriber_id')
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
      ])
      .where(claimable(now))
      .orderBy('service_messages.due_at')
      .orderBy('service_messages.id')
      .limit(limit)
      .$if(dialect === 'postgres', (q) => q.forUpdate('service_messages').skipLocked())
      .execute();
    if (due.length > 0) await lease(tx, due, now, leaseMs);
    const messages = due.map((row) => ({ ...row, newsletters: readNewsletters(row), fence: row.fence + 1 }));
    return { messages, expired: Number(expired.numUpdatedRows) };
  });
}

/** Written out, not bound: SQLite uses the partial index service_messages_open only where it sees its condition. */
function claimable(now: number) {
  return sql<boolean>`service_messages.state in ('pending', 'submitting') and service_messages.due_at <= ${now}
    and (service_messages.lease_until is null or service_messages.lease_until <= ${now})`;
}

async function lease(tx: Db, rows: { id: number }[], now: number, leaseMs: number): Promise<void> {
  await tx
    .updateTable('service_messages')
    .set({
      state: 'pending',
      fence: sql<number>`fence + 1`,
      lease_until: now + leaseMs,
      reason: sql<string | null>`case state when 'submitting' then ${INTERRUPTED} else reason end`,
      changed_at: now,
    })
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    )
    .execute();
}

/**
 * Notes that a submission begins. Where the subscriber is gone, or the address must not be written to, it is recorded as suppressed.
 * @param leaseMs longer than a submission can take
 */
export async function markServiceMessage(
  db: Db,
  message: ClaimedServiceMessage,
  now: number,
  leaseMs: number,
): Promise<ServiceMarkResult> {
  return db.transaction().execute(async (tx) => {
    const against = await whyNotMailed(tx, message);
    if (against !== null) {
      const recorded = await recordServiceResult(tx, message, { kind: 'suppressed', reason: against }, now);
      return recorded ? { kind: 'suppressed', reason: against } : { kind: 'lost' };
    }
    const { numUpdatedRows } = await updateClaimed(tx, message)
      .set({ state: 'submitting', attempts: sql<number>`attempts + 1`, lease_until: now + leaseMs, changed_at: now })
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    return { kind: numUpdatedRows > 0n ? 'submitting' : 'lost' };
  });
}

async function whyNotMailed(tx: Db, { kind, subscriberId }: ClaimedServiceMessage): Promise<string | null> {
  const subscriber = await tx
    .selectFrom('subscribers')
    .select('suppressed_reason')
    .where('id', '=', subscriberId)
    .executeTakeFirst();
  if (subscriber === undefined) return 'the subscriber is gone';
  const { suppressed_reason: reason } = subscriber;
  if (reason === null || (kind === 'confirm' && isLiftedByOptIn(reason))) return null;
  return `the address is suppressed: ${reason}`;
}

/**
 * Records how it ended, and ends its lease.
 * @returns false where another worker has claimed it since, and nothing was recorded
 */
export async function recordServiceResult(
  db: Db,
  message: Pick<ClaimedServiceMessage, 'id' | 'fence'>,
  result: ServiceOutcome,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await updateClaimed(db, message)
    .set({ ...afterwards(result), lease_until: null, changed_at: now })
    .where('state', 'in', ['pending', 'submitting'])
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Gives back claims that nothing was done with. */
export async function releaseServiceMessages(db: Db, messages: readonly ClaimedServiceMessage[]): Promise<void> {
  for (const message of messages) {
    await updateClaimed(db, message).set({ lease_until: null }).where('state', '=', 'pending').execute();
  }
}

function updateClaimed(db: Db, { id, fence }: Pick<ClaimedServiceMessage, 'id' | 'fence'>) {
  return db.updateTable('service_messages').where('id', '=', id).where('fence', '=', fence);
}

function afterwards(result: ServiceOutcome) {
  switch (result.kind) {
    case 'submitted':
      return { state: 'submitted' as const, reply: result.reply, reason: null };
    case 'deferred':
      return {
        state: 'pending' as const,
        due_at: result.dueAt,
        reason: result.reason,
        ...(result.reply !== null && { reply: result.reply }),
      };
    case 'failed':
      return { state: 'failed' as const, reason: result.reason, ...(result.reply !== null && { reply: result.reply }) };
    case 'suppressed':
      return { state: 'suppressed' as const, reason: result.reason };
    case 'returned':
      return {
        state: 'pending' as const,
        reason: result.reason,
        attempts: sql<number>`attempts - 1`,
        ...(result.reply !== null && { reply: result.reply }),
      };
  }
}

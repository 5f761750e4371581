/**
 * Mail of the service itself: queued in the transaction that causes it, mailed by an outbox of its own.
 */
import { type Selectable, sql } from 'kysely';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { WITHHELD } from './suppression.ts';
import type { ServiceMessageKey } from './tokens/tokens.ts';

/** A message that asks to confirm a request. */
export interface ConfirmMessage {
  createdAt: number;
  expiresAt: number;
  /** Ids of the newsletters asked for. */
  newsletters: string[];
  /** The zone asked for, or null. */
  zone: string | null;
  /** The subscriber's last consent event when it was queued. */
  afterEvent: number;
}

/**
 * Queues a message, due at once.
 * @param message.withheld it is recorded, and never mailed
 */
export async function queueServiceMessage(
  tx: Db,
  message: {
    kind: Tables['service_messages']['kind'];
    subscriberId: number;
    newsletters: readonly string[];
    zone: string | null;
    expiresAt: number;
    withheld: boolean;
  },
  now: number,
): Promise<void> {
  const { subscriberId } = message;
  await tx
    .insertInto('service_messages')
    .values({
      kind: message.kind,
      subscriber_id: subscriberId,
      newsletters: JSON.stringify(message.newsletters),
      zone: message.zone,
      after_event: sql<number>`(select coalesce(max(id), 0) from consent_events where subscriber_id = ${subscriberId})`,
      state: message.withheld ? 'suppressed' : 'pending',
      reason: message.withheld ? WITHHELD : null,
      attempts: 0,
      due_at: now,
      expires_at: message.expiresAt,
      fence: 0,
      created_at: now,
      changed_at: now,
    })
    .execute();
}

/** The confirmation mail that a token stands for, or null. */
export async function findConfirmMessage(
  db: Db,
  { messageId, subscriberId }: ServiceMessageKey,
): Promise<ConfirmMessage | null> {
  const row = await db
    .selectFrom('service_messages')
    .select(['created_at', 'expires_at', 'newsletters', 'zone', 'after_event'])
    .where('id', '=', messageId)
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', 'confirm')
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    newsletters: readNewsletters(row),
    zone: row.zone,
    afterEvent: row.after_event ?? 0,
  };
}

/** The newsletters that a message is about. */
export function readNewsletters(row: Pick<Selectable<Tables['service_messages']>, 'newsletters'>): string[] {
  return JSON.parse(row.newsletters);
}

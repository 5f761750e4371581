/** Service messages: queued in the transaction that causes them, and submitted by delivery/queue/service-outbox.ts. */
import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../core/store/store.ts';
import type { Tables } from '../core/store/tables.ts';
import { SUPPRESSED_BY_OPERATOR } from './suppression.ts';
import type { ServiceMessageKey } from './tokens.ts';

/** A message that asks the recipient to confirm a request. */
export type ConfirmMessage = NonNullable<Awaited<ReturnType<typeof findConfirmMessage>>>;

export interface NewServiceMessage {
  kind: Tables['service_messages']['kind'];
  subscriberId: number;
  newsletters: readonly string[];
  zone: string | null;
  /** Canonical, by newsletter; those of other newsletters are ignored. */
  choices?: Readonly<Record<string, string | null>> | undefined;
  expiresAt: number;
  isSuppressed: boolean;
}

/** What a message asks for, as it is stored. */
export function contentColumns({ newsletters, zone, choices = {} }: NewServiceMessage) {
  const own = Object.entries(choices).filter(([id]) => newsletters.includes(id));
  return {
    newsletters: JSON.stringify(newsletters),
    zone,
    choices: own.length === 0 ? null : JSON.stringify(Object.fromEntries(own)),
  };
}

/**
 * Queues a message that is due immediately.
 * @param message.isSuppressed records the message without ever mailing it
 */
export async function queueServiceMessage(tx: Tx, message: NewServiceMessage, now: number): Promise<void> {
  const { subscriberId } = message;
  await tx
    .insertInto('service_messages')
    .values({
      kind: message.kind,
      subscriber_id: subscriberId,
      ...contentColumns(message),
      after_event: sql<number>`(select coalesce(max(id), 0) from consent_events where subscriber_id = ${subscriberId})`,
      state: message.isSuppressed ? 'suppressed' : 'pending',
      reason: message.isSuppressed ? SUPPRESSED_BY_OPERATOR : null,
      attempts: 0,
      due_at: now,
      expires_at: message.expiresAt,
      fence: 0,
      created_at: now,
      changed_at: now,
    })
    .execute();
}

/** Finds the message of a confirmation token. */
export async function findConfirmMessage(db: Db, { messageId, subscriberId }: ServiceMessageKey) {
  const row = await db
    .selectFrom('service_messages')
    .leftJoin('consent_events', 'consent_events.id', 'service_messages.after_event')
    .leftJoin('consent_texts', 'consent_texts.id', 'consent_events.consent_text')
    .select(['expires_at', 'newsletters', 'service_messages.zone', 'choices', 'after_event'])
    .select(['consent_texts.id as consentId', 'version', 'text'])
    .where('service_messages.id', '=', messageId)
    .where('service_messages.subscriber_id', '=', subscriberId)
    .where('kind', '=', 'confirm')
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    expiresAt: row.expires_at,
    newsletters: readNewsletters(row),
    zone: row.zone,
    choices: readChoices(row),
    /** Id of the subscriber's last consent event before the message was queued. */
    afterEvent: row.after_event ?? 0,
    /** The wording that the request was made with; null without one. */
    consent: row.consentId === null ? null : { id: row.consentId, version: row.version ?? '', text: row.text ?? '' },
  };
}

/** Ids of the newsletters that a message concerns. */
export function readNewsletters(row: Pick<Selectable<Tables['service_messages']>, 'newsletters'>): string[] {
  return JSON.parse(row.newsletters);
}

/** The requested choices of a message, canonical, by newsletter. */
export function readChoices({ choices }: { choices: string | null }): Record<string, string | null> {
  return choices === null ? {} : JSON.parse(choices);
}

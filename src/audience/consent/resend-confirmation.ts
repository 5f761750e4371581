/**
 * Sends the request to confirm once more, on behalf of an operator: the first message may have been lost. It is no new
 * request: nothing is recorded as consent, and the wording of the request remains the one that is confirmed.
 */
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { acquirePermits } from '../../core/store/rate-limits.ts';
import { type Db, type InTransaction, inTransaction } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { queueServiceMessage, readChoices } from '../service-messages.ts';
import { isLiftedByOptIn } from '../suppression.ts';
import { lockSubscriber, subscriptionStates } from './changes.ts';
import { limitsOfSignup, type SignupLimits } from './signup-limits.ts';

export type ResendResult =
  | { kind: 'queued'; newsletters: string[] }
  /** No subscription waits for its confirmation. */
  | { kind: 'nothing-open' }
  /** Only an operator lifts this suppression. */
  | { kind: 'suppressed'; reason: SuppressionReason }
  /** The limits of the form: of the mailbox, of its domain, or of all. */
  | { kind: 'limited'; scope: 'address' | 'domain' | 'all'; retryAt: number }
  | { kind: 'unknown' };

/**
 * Queues a message with a new link for all unconfirmed subscriptions. Mail to the mailbox counts towards the limits of
 * the form, so that nobody is mailed more by operators and strangers together.
 * @param options.confirmMs lifetime of the link
 * @param onCommit awaited in the transaction, last, if a message was queued
 */
export async function resendConfirmation(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  options: SignupLimits & { confirmMs: number },
  now: number,
  onCommit?: InTransaction,
): Promise<ResendResult> {
  const known = await db
    .selectFrom('subscribers')
    .select(['email_key', 'suppressed_reason'])
    .where('id', '=', subscriberId)
    .executeTakeFirst();
  if (known === undefined) return { kind: 'unknown' };
  const reason = known.suppressed_reason;
  if (reason !== null && !isLiftedByOptIn(reason)) return { kind: 'suppressed', reason };
  if ((await unconfirmedOf(db, subscriberId)).length === 0) return { kind: 'nothing-open' };
  const permits = await acquirePermits(db, limitsOfSignup(secrets, known.email_key, options), now);
  if (permits.kind === 'refused') return { kind: 'limited', scope: permits.limit.scope, retryAt: permits.retryAt };
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return { kind: 'unknown' };
    const newsletters = await unconfirmedOf(tx, subscriberId);
    if (newsletters.length === 0) return { kind: 'nothing-open' };
    const message = {
      kind: 'confirm' as const,
      subscriberId,
      newsletters,
      ...(await requestedSettings(tx, subscriberId)),
      expiresAt: now + options.confirmMs,
      isSuppressed: subscriber.suppressed_reason === 'operator',
    };
    await queueServiceMessage(tx, message, now);
    await onCommit?.(tx);
    return { kind: 'queued', newsletters };
  });
}

async function unconfirmedOf(db: Db, subscriberId: number): Promise<string[]> {
  const states = await subscriptionStates(db, subscriberId);
  return [...states].filter(([, state]) => state === 'unconfirmed').map(([newsletter]) => newsletter);
}

/** The zone and the choices that the messages would have set: of each newsletter, the last one that has a choice. */
async function requestedSettings(db: Db, subscriberId: number) {
  const messages = await db
    .selectFrom('service_messages')
    .select(['zone', 'choices'])
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', 'confirm')
    .orderBy('id')
    .execute();
  return { zone: messages.at(-1)?.zone ?? null, choices: Object.assign({}, ...messages.map(readChoices)) };
}

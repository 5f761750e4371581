/**
 * Service messages that were refused since one was accepted, shared by all processes. There are few, so each success
 * deletes them.
 */
import { sql } from 'kysely';
import type { Tx } from '../../core/store/store.ts';
import { recipientDomain } from './recipient-domain.ts';
import type { ClaimedServiceMessage } from './service-outbox.ts';

/** Notes the refusal of a message, in the transaction of its outcome. */
export async function noteServiceRefusal(
  tx: Tx,
  { id, subscriberId, email, fence }: ClaimedServiceMessage,
  now: number,
): Promise<void> {
  const row = { subscriber_id: subscriberId, domain: recipientDomain(email), fence, at: now };
  await tx
    .insertInto('service_refusals')
    .values({ message_id: id, ...row })
    .onConflict((conflict) => conflict.column('message_id').doUpdateSet(row))
    .execute();
}

/** Deletes all refusals, because a message was accepted. */
export async function endServiceRefusals(tx: Tx): Promise<void> {
  await tx.deleteFrom('service_refusals').execute();
}

/** The domains of the recipients that were refused, one for each recipient. */
export async function readServiceRefusals(tx: Tx): Promise<string[]> {
  const rows = await tx.selectFrom('service_refusals').select(['subscriber_id', 'domain']).distinct().execute();
  return rows.map(({ domain }) => domain);
}

/**
 * Takes all refusals back: the messages are due again, and the attempt is not counted.
 * @param reason shown for all of them, so it must not contain an address
 * @returns the numbers of those that had failed, and of those that were to be retried
 */
export async function takeBackServiceRefusals(
  tx: Tx,
  reason: string,
  now: number,
): Promise<{ failed: number; deferred: number }> {
  const takeBack = async (state: 'failed' | 'pending'): Promise<number> => {
    const { numUpdatedRows } = await tx
      .updateTable('service_messages')
      .from('service_refusals')
      .set({ state: 'pending', attempts: sql<number>`attempts - 1`, due_at: now, reason, changed_at: now })
      .whereRef('service_messages.id', '=', 'service_refusals.message_id')
      .whereRef('service_messages.fence', '=', 'service_refusals.fence')
      .where('service_messages.state', '=', state)
      .executeTakeFirstOrThrow();
    return Number(numUpdatedRows);
  };
  const deferred = await takeBack('pending');
  const failed = await takeBack('failed');
  await endServiceRefusals(tx);
  return { failed, deferred };
}

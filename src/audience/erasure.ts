/**
 * The right to erasure (GDPR article 17). What remains is a keyed hash of the address, so that importing an old list
 * does not add the person again, and anonymous rows that count in an edition's totals (see docs/law.md).
 *
 * Not erased: mail that was submitted, files written by a file transport, log files, backups, and import and export
 * files.
 */
import { sql } from 'kysely';
import { blankReasons } from '../accounts/audit.ts';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import { removeDeletedText } from '../core/store/deleted-text.ts';
import { OPEN_DELIVERY_STATES } from '../core/store/delivery-states.ts';
import { revokedLease } from '../core/store/lease.ts';
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import type { SuppressionReason } from '../core/store/tables/subscriber-tables.ts';
import { changesRateKey, linkRateKeys } from './account-links.ts';
import { lockSubscriber, type SubscriberRow } from './consent/changes.ts';
import { addressRateKeys } from './consent/signup-limits.ts';
import {
  deleteSuppressions,
  findSuppression,
  hashesOfAddress,
  insertSuppression,
  isLiftedByOptIn,
  subscriberSubject,
  suppressionSubject,
} from './suppression.ts';

const ERASED = 'erased';

/**
 * Erases a subscriber and, unless `db` is a transaction, what the files of the store keep of its address. Only a new
 * opt-in can add the address again; a suppression by the operator or a complaint remains.
 * @param onCommit awaited in the transaction, last, unless there is no such subscriber
 * @returns false if there is no such subscriber
 */
export async function eraseSubscriber(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  now: number,
  onCommit?: InTransaction,
): Promise<boolean> {
  const isErased = await inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return false;
    await replaceByHash(tx, secrets, subscriber, (reason) => !isLiftedByOptIn(reason), now);
    await onCommit?.(tx);
    return true;
  });
  if (isErased) await removeDeletedText(db);
  return isErased;
}

/**
 * Deletes a locked subscriber. What remains is the hash of the address on the suppression list.
 * @param isKept whether the reason of an earlier suppression remains; another one becomes `erased`
 */
export async function replaceByHash(
  tx: Tx,
  secrets: SigningSecrets,
  subscriber: SubscriberRow,
  isKept: (reason: SuppressionReason) => boolean,
  now: number,
): Promise<void> {
  const subscriberId = subscriber.id;
  const hashes = hashesOfAddress(secrets, subscriber.email_key);
  // The row still has the reason if the list was hashed with a secret that is lost.
  const before = (await findSuppression(tx, secrets, subscriber.email_key))?.reason ?? subscriber.suppressed_reason;
  await deleteSuppressions(tx, hashes);
  const reason = before !== null && isKept(before) ? before : ERASED;
  await insertSuppression(tx, hashes[0] as string, reason, now);
  const { email_key: emailKey } = subscriber;
  const ofAddress = [...addressRateKeys(secrets, emailKey), ...linkRateKeys(secrets, emailKey)];
  const rateKeys = [...ofAddress, changesRateKey(subscriberId)];
  await tx.deleteFrom('rate_limits').where('key', 'in', rateKeys).execute();
  // Counted as an end, for the growth of the newsletter, before the row goes.
  await tx
    .updateTable('subscriptions')
    .set({ state: 'unsubscribed', changed_at: now })
    .where('subscriber_id', '=', subscriberId)
    .where('state', '=', 'confirmed')
    .execute();
  await redactDeliveries(tx, subscriberId, now);
  await tx.updateTable('bounces').set({ detail: null }).where('subscriber_id', '=', subscriberId).execute();
  await tx
    .deleteFrom('edition_refusals')
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriberId)
    .execute();
  await blankReasons(tx, [subscriberSubject(subscriberId), ...hashes.map(suppressionSubject)]);
  await tx.deleteFrom('service_messages').where('subscriber_id', '=', subscriberId).execute();
  // Cascades to subscriptions and consent_events.
  await tx.deleteFrom('subscribers').where('id', '=', subscriberId).execute();
}

/**
 * Deletes replies and reasons, which can quote the address, and which copies were mailed; ends open deliveries. The
 * raised fence prevents a worker that holds a claim from starting to submit, and from recording the server's reply.
 */
async function redactDeliveries(tx: Tx, subscriberId: number, now: number): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set({ reply: null, copy_id: null })
    .set({ reason: sql<string | null>`case when reason is null then null else ${ERASED} end` })
    // By edition: an index by subscriber would cost every edition more than these few lookups.
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriberId)
    .where('state', 'not in', OPEN_DELIVERY_STATES)
    .where((e) => e.or([e('reply', 'is not', null), e('reason', 'is not', null), e('copy_id', 'is not', null)]))
    .execute();
  await tx
    .updateTable('deliveries')
    .set({
      state: 'suppressed',
      reason: sql<string>`case state when 'submitting' then 'erased while it was being submitted' else 'erased' end`,
      ...{ reply: null, copy_id: null },
      ...revokedLease('deliveries'),
      changed_at: now,
    })
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriberId)
    .where('state', 'in', OPEN_DELIVERY_STATES)
    .execute();
}

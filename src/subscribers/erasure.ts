/**
 * The right to be forgotten (GDPR article 17). What is left of a person is a keyed hash of the address, so that an old list that is
 * imported again does not bring them back, and rows without a name that count in an edition's totals.
 *
 * Not ours to erase: what was mailed, what a file transport wrote to disk, log files, backups, and files of an import or export.
 */
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';
import { addressRateKey } from './consent/consent.ts';
import { inTransaction, lockSubscriber } from './consent/consent-ledger.ts';
import { findSuppression, hashesOfAddress, listHash, unlistHashes } from './suppression.ts';
import type { SigningSecrets } from './tokens/secret.ts';

const ERASED = 'erased';

/**
 * Erases a subscriber. The address comes back only by a fresh opt-in; one that the operator has suppressed stays so.
 * @returns false where there is no such subscriber
 */
export async function eraseSubscriber(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  now: number,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return false;
    const hashes = hashesOfAddress(secrets, subscriber.email_key);
    const before = await findSuppression(tx, secrets, subscriber.email_key);
    await unlistHashes(tx, hashes);
    await listHash(tx, hashes[0] as string, before?.reason === 'operator' ? 'operator' : ERASED, now);
    await tx.deleteFrom('rate_limits').where('key', 'in', hashes.map(addressRateKey)).execute();
    await scrubDeliveries(tx, subscriberId, now);
    await tx.updateTable('bounces').set({ detail: null }).where('subscriber_id', '=', subscriberId).execute();
    await tx.deleteFrom('service_messages').where('subscriber_id', '=', subscriberId).execute();
    // Takes subscriptions and consent_events along.
    await tx.deleteFrom('subscribers').where('id', '=', subscriberId).execute();
    return true;
  });
}

/**
 * Replies and reasons quote the address. What is still open ends here, and the raised fence keeps it so: a worker that holds the row
 * can neither begin to submit it nor, where it is on the wire, record the server's reply afterwards.
 */
async function scrubDeliveries(tx: Db, subscriberId: number, now: number): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set({ reply: null, reason: sql<string | null>`case when reason is null then null else ${ERASED} end` })
    // By edition: an index by subscriber would cost every edition more than these few look-ups.
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriberId)
    .where('state', 'not in', ['pending', 'submitting'])
    .where((e) => e.or([e('reply', 'is not', null), e('reason', 'is not', null)]))
    .execute();
  await tx
    .updateTable('deliveries')
    .set({
      state: 'suppressed',
      reason: sql<string>`case state when 'submitting' then 'erased while it was being submitted' else 'erased' end`,
      reply: null,
      lease_until: null,
      fence: sql<number>`fence + 1`,
      changed_at: now,
    })
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriberId)
    .where('state', 'in', ['pending', 'submitting'])
    .execute();
}

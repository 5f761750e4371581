/**
 * The suppression list: addresses that are not mailed, as keyed hashes (HMAC-SHA-256), so that the list outlives its subscribers
 * without holding anybody's address. While a subscriber's address is on it, the subscriber's row says so too: that is what deliveries
 * look at.
 *
 * A suppression is of the address: subscriptions stay as they are, and consent that was never withdrawn stands again when it is
 * lifted. A complaint is more than that, an unsubscribe in other words, so it ends all subscriptions, and what comes back once it is
 * lifted is only what is asked for anew. A fresh opt-in lifts a suppression, but for a complaint and the operator's word: those only the
 * operator lifts.
 */
import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';
import type { SuppressionReason } from '../store/tables.ts';
import { parseAddress } from './address.ts';
import {
  changeSubscriptions,
  holdAddress,
  inTransaction,
  lockSubscriber,
  noteConsent,
  type Origin,
} from './consent/consent-ledger.ts';
import { deriveKey } from './tokens/keys.ts';
import type { SigningSecrets } from './tokens/secret.ts';

// SQLite takes at most 32,766 parameters a statement.
const HASHES_A_QUERY = 5_000;

/**
 * What asks for a fresh opt-in goes to a suppressed address too, for that may lift the suppression: a mailbox that bounced can be mended.
 * Not where a person wanted no more mail, by a complaint or by the operator's hand: anyone can type another's address into a form,
 * and writing again to somebody who has complained is what gets a sender blocked.
 */
const BY_A_PERSON: SuppressionReason[] = ['complaint', 'operator'];

/**
 * Whether a mail that asks to confirm is sent to an address that is suppressed for that reason. Asked by the outbox that sends such mail
 * and by the page that promises it, so that the page promises none that never comes.
 * @returns false where only the operator can lift the suppression
 */
export function isAskedToConfirm(reason: SuppressionReason): boolean {
  return !BY_A_PERSON.includes(reason);
}

/**
 * What the suppression list holds in place of an address: 64 hexadecimal digits.
 * @param emailKey the key that `parseAddress` gives
 */
export function hashAddress(secret: string, emailKey: string): string {
  return createHmac('sha256', deriveKey(secret, 'hash addresses')).update(emailKey).digest('hex');
}

/** The hashes of an address under the current secret and all previous ones of a rotation. */
export function hashesOfAddress(secrets: SigningSecrets, emailKey: string): string[] {
  return secrets.map((secret) => hashAddress(secret, emailKey));
}

/** Those of the addresses' keys that are on the list, whichever secret they were hashed with. */
export async function findSuppressed(
  db: Db,
  secrets: SigningSecrets,
  emailKeys: readonly string[],
): Promise<Set<string>> {
  const keys = new Map(emailKeys.flatMap((key) => hashesOfAddress(secrets, key).map((hash) => [hash, key] as const)));
  const hashes = [...keys.keys()];
  const found = new Set<string>();
  for (let from = 0; from < hashes.length; from += HASHES_A_QUERY) {
    const rows = await db
      .selectFrom('suppressions')
      .select('address_hash')
      .where('address_hash', 'in', hashes.slice(from, from + HASHES_A_QUERY))
      .execute();
    for (const row of rows) found.add(keys.get(row.address_hash) as string);
  }
  return found;
}

/** Whether that address is on the list. */
export async function isSuppressed(db: Db, secrets: SigningSecrets, emailKey: string): Promise<boolean> {
  return (await findSuppression(db, secrets, emailKey)) !== null;
}

/** Why and since when (epoch milliseconds) an address is on the list, or null. */
export async function findSuppression(
  db: Db,
  secrets: SigningSecrets,
  emailKey: string,
): Promise<{ reason: SuppressionReason; at: number } | null> {
  const rows = await db
    .selectFrom('suppressions')
    .select(['reason', 'at'])
    .where('address_hash', 'in', hashesOfAddress(secrets, emailKey))
    .orderBy('at')
    .orderBy('address_hash')
    .execute();
  return rows.find((row) => row.reason === 'operator') ?? rows[0] ?? null;
}

/**
 * Puts a subscriber's address on the list. The first reason stands, but for the operator's.
 * @returns `already` where it was on it, for whatever reason
 */
export async function suppressAddress(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  reason: SuppressionReason,
  origin: Origin,
  now: number,
): Promise<'suppressed' | 'already' | 'unknown'> {
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return 'unknown';
    if (reason === 'complaint') await changeSubscriptions(tx, subscriberId, 'all', 'unsubscribed', origin, now);
    const before = subscriber.suppressed_reason;
    if (before !== null && (reason !== 'operator' || before === 'operator')) return 'already';
    await listHash(tx, hashAddress(secrets[0], subscriber.email_key), reason, now);
    await tx
      .updateTable('subscribers')
      .set({ suppressed_reason: reason, suppressed_at: now })
      .where('id', '=', subscriberId)
      .execute();
    await noteConsent(tx, subscriberId, [{ change: 'suppressed', detail: reason }], origin, now);
    if (reason === 'operator') await withholdServiceMessages(tx, subscriberId, now);
    return before === null ? 'suppressed' : 'already';
  });
}

/**
 * Takes a subscriber's address off the list, whichever secret it was hashed with.
 * @returns false where it was not on it
 */
export async function liftSuppression(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  origin: Origin,
  now: number,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return false;
    const unlisted = await unlistHashes(tx, hashesOfAddress(secrets, subscriber.email_key));
    if (!unlisted && subscriber.suppressed_reason === null) return false;
    await tx
      .updateTable('subscribers')
      .set({ suppressed_reason: null, suppressed_at: null })
      .where('id', '=', subscriberId)
      .execute();
    const detail = subscriber.suppressed_reason;
    await noteConsent(tx, subscriberId, [{ change: 'unsuppressed', detail }], origin, now);
    return true;
  });
}

/** On the operator's word: never mail that address, whether it is a subscriber's or not. */
export async function suppressByOperator(
  db: Db,
  secrets: SigningSecrets,
  email: string,
  now: number,
): Promise<{ kind: 'suppressed' | 'already' } | { kind: 'refused'; reason: string }> {
  const address = parseAddress(email);
  if (address.kind === 'refused') return { kind: 'refused', reason: `${email}: ${address.reason}` };
  return inTransaction(db, async (tx) => {
    const { subscriber, isNew } = await holdAddress(tx, address, null, now);
    const before = await findSuppression(tx, secrets, address.key);
    await suppressAddress(tx, secrets, subscriber.id, 'operator', { channel: 'operator' }, now);
    if (isNew) await tx.deleteFrom('subscribers').where('id', '=', subscriber.id).execute();
    return { kind: before?.reason === 'operator' ? 'already' : 'suppressed' };
  });
}

/** On the operator's word: that address may be mailed again, whatever it was suppressed for. Subscribes it to nothing. */
export async function unsuppressByOperator(
  db: Db,
  secrets: SigningSecrets,
  email: string,
  now: number,
): Promise<{ kind: 'lifted' | 'already' } | { kind: 'refused'; reason: string }> {
  const address = parseAddress(email);
  if (address.kind === 'refused') return { kind: 'refused', reason: `${email}: ${address.reason}` };
  return inTransaction(db, async (tx) => {
    const { subscriber, isNew } = await holdAddress(tx, address, null, now);
    const lifted = await liftSuppression(tx, secrets, subscriber.id, { channel: 'operator' }, now);
    if (isNew) await tx.deleteFrom('subscribers').where('id', '=', subscriber.id).execute();
    return { kind: lifted ? 'lifted' : 'already' };
  });
}

/** Puts a hash on the list. Within a transaction that sees to the subscriber's row. */
export async function listHash(tx: Db, hash: string, reason: SuppressionReason, now: number): Promise<void> {
  await tx
    .insertInto('suppressions')
    .values({ address_hash: hash, reason, at: now })
    .onConflict((conflict) => conflict.column('address_hash').doUpdateSet({ reason, at: now }))
    .execute();
}

/** Takes hashes off the list. @returns whether any was on it */
export async function unlistHashes(tx: Db, hashes: string[]): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('suppressions')
    .where('address_hash', 'in', hashes)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Confirmations that were queued before the operator's word do not go either; the fence stops one that is claimed. */
async function withholdServiceMessages(tx: Db, subscriberId: number, now: number): Promise<void> {
  await tx
    .updateTable('service_messages')
    .set({
      state: 'suppressed',
      reason: WITHHELD,
      lease_until: null,
      fence: sql<number>`fence + 1`,
      changed_at: now,
    })
    .where('subscriber_id', '=', subscriberId)
    .where('state', '=', 'pending')
    .execute();
}

/** Why a service message is not mailed. */
export const WITHHELD = 'the operator has suppressed the address';

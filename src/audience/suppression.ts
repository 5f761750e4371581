/**
 * The suppression list: keyed hashes (HMAC-SHA-256) of addresses that are never mailed. Hashes outlive their
 * subscribers without storing addresses. While an address is on the list, its subscriber's row has the reason too;
 * deliveries check only the row.
 *
 * A suppression concerns the address: subscriptions do not change, and are mailed again when it is lifted. A complaint
 * also ends all subscriptions, as an unsubscription would: after it is lifted, only new requests count. A new opt-in
 * lifts a suppression, except one by a complaint or the operator: only the operator lifts those.
 */
import { createHmac } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { revokedLease } from '../core/store/lease.ts';
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import type { SuppressionReason } from '../core/store/tables/subscriber-tables.ts';
import { parseAddress } from '../lib/address.ts';
import { chunks } from '../lib/chunks.ts';
import {
  type ConsentChannel,
  changeSubscriptions,
  lockOrInsertSubscriber,
  lockSubscriber,
  recordConsent,
  type SubscriberRow,
} from './consent/changes.ts';
import { findLeft } from './consent/left.ts';

/** SQLite accepts at most 32,766 parameters per statement. */
const HASHES_PER_QUERY = 5_000;

/**
 * Whether a new opt-in lifts the suppression, so that confirmation requests are mailed to the address: a mailbox that
 * bounced can work again. Not after a complaint or by the operator: anyone can enter another person's address into a
 * form, and mailing somebody who has complained gets a sender blocked.
 * @returns false if only the operator can lift the suppression
 */
export function isLiftedByOptIn(reason: SuppressionReason): boolean {
  return reason !== 'complaint' && reason !== 'operator';
}

/**
 * The hash of an address on the suppression list: 64 hexadecimal digits.
 * @param emailKey see `parseAddress`
 */
export function hashAddress(secret: string, emailKey: string): string {
  return createHmac('sha256', deriveKey(secret, 'hash addresses')).update(emailKey).digest('hex');
}

/** The hashes of an address with the current secret and the previous ones of a rotation. */
export function hashesOfAddress(secrets: SigningSecrets, emailKey: string): string[] {
  return secrets.map((secret) => hashAddress(secret, emailKey));
}

/** Returns the keys of addresses that are on the list, hashed with any of the secrets, with the reasons. */
export async function findSuppressed(
  db: Db,
  secrets: SigningSecrets,
  emailKeys: readonly string[],
): Promise<Map<string, SuppressionReason>> {
  const keys = new Map(emailKeys.flatMap((key) => hashesOfAddress(secrets, key).map((hash) => [hash, key] as const)));
  const hashes = [...keys.keys()];
  const found = new Map<string, SuppressionReason>();
  for (const part of chunks(hashes, HASHES_PER_QUERY)) {
    const rows = await db
      .selectFrom('suppressions')
      .select(['address_hash', 'reason'])
      .where('address_hash', 'in', part)
      .execute();
    for (const row of rows) found.set(keys.get(row.address_hash) as string, row.reason);
  }
  return found;
}

/** Reason and instant (epoch milliseconds) of an address's suppression, or null. */
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
 * Puts a subscriber's address on the list. The first reason remains, unless a new opt-in lifts it and not the new one,
 * or the new one is `operator`: a mailbox that bounced and then complained must no longer get requests to confirm.
 * @returns `already` if it was on the list for any reason
 */
export async function suppressAddress(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  reason: SuppressionReason,
  via: ConsentChannel,
  now: number,
): Promise<'suppressed' | 'already' | 'unknown'> {
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return 'unknown';
    if (reason === 'complaint') await changeSubscriptions(tx, subscriberId, 'all', 'unsubscribed', via, now);
    const before = subscriber.suppressed_reason;
    if (before !== null && !isStronger(reason, before)) return 'already';
    await insertSuppression(tx, hashAddress(secrets[0], subscriber.email_key), reason, now);
    await tx
      .updateTable('subscribers')
      .set({ suppressed_reason: reason, suppressed_at: now, held_by: null })
      .where('id', '=', subscriberId)
      .execute();
    await recordConsent(tx, subscriberId, [{ change: 'suppressed', detail: reason }], via, now);
    if (reason === 'operator') await suppressServiceMessages(tx, subscriberId, now);
    return before === null ? 'suppressed' : 'already';
  });
}

function isStronger(reason: SuppressionReason, before: SuppressionReason): boolean {
  if (reason === 'operator') return before !== 'operator';
  return !isLiftedByOptIn(reason) && isLiftedByOptIn(before);
}

/**
 * Removes a subscriber's address from the list, hashed with any of the secrets.
 * @returns false if it was not on the list
 */
export async function liftSuppression(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  via: ConsentChannel,
  now: number,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return false;
    const unlisted = await deleteSuppressions(tx, hashesOfAddress(secrets, subscriber.email_key));
    if (!unlisted && subscriber.suppressed_reason === null && subscriber.held_by === null) return false;
    await tx
      .updateTable('subscribers')
      .set({ suppressed_reason: null, suppressed_at: null, held_by: null })
      .where('id', '=', subscriberId)
      .execute();
    const detail = subscriber.suppressed_reason;
    await recordConsent(tx, subscriberId, [{ change: 'unsuppressed', detail }], via, now);
    return true;
  });
}

type OperatorResult<Kind> = { kind: Kind } | { kind: 'refused'; reason: string };

interface OperatorAct {
  /** Person or program that acted; recorded as the source of the consent event. */
  source?: string;
  /** Awaited in the transaction, last, if something has changed. */
  onCommit?: InTransaction;
}

/** Suppresses an address on behalf of the operator, with or without a subscriber. */
export function suppressByOperator(
  db: Db,
  secrets: SigningSecrets,
  email: string,
  now: number,
  { source, onCommit }: OperatorAct = {},
): Promise<OperatorResult<'suppressed' | 'already'>> {
  return changeAddress(db, email, now, onCommit, async (tx, subscriber) => {
    const before = await findSuppression(tx, secrets, subscriber.email_key);
    await suppressAddress(tx, secrets, subscriber.id, 'operator', operatorVia(source), now);
    return before?.reason === 'operator' ? 'already' : 'suppressed';
  });
}

/**
 * Lifts a suppression of any reason on behalf of the operator, and lets imports add a subscriber who had left every
 * newsletter. Does not subscribe the address.
 */
export function unsuppressByOperator(
  db: Db,
  secrets: SigningSecrets,
  email: string,
  now: number,
  { source, onCommit }: OperatorAct = {},
): Promise<OperatorResult<'lifted' | 'already'>> {
  return changeAddress(db, email, now, onCommit, async (tx, { id }) => {
    const via = operatorVia(source);
    const hasLeft = (await findLeft(tx, [id])).has(id);
    if (await liftSuppression(tx, secrets, id, via, now)) return 'lifted';
    if (!hasLeft) return 'already';
    await recordConsent(tx, id, [{ change: 'unsuppressed', detail: 'imports may add the address' }], via, now);
    return 'lifted';
  });
}

function operatorVia(source: string | undefined): ConsentChannel {
  return { channel: 'operator', source: source ?? null };
}

async function changeAddress<Kind extends string>(
  db: Db,
  email: string,
  now: number,
  onCommit: InTransaction | undefined,
  change: (tx: Tx, subscriber: SubscriberRow) => Promise<Kind>,
): Promise<OperatorResult<Kind>> {
  const address = parseAddress(email);
  if (address.kind === 'invalid') return { kind: 'refused', reason: `${email}: ${address.reason}` };
  return inTransaction(db, async (tx) => {
    const { subscriber, isNew } = await lockOrInsertSubscriber(tx, address, null, now);
    const kind = await change(tx, subscriber);
    if (isNew) await tx.deleteFrom('subscribers').where('id', '=', subscriber.id).execute();
    if (kind !== 'already') await onCommit?.(tx);
    return { kind };
  });
}

/** Adds a hash to the list. The caller updates the subscriber's row. */
export async function insertSuppression(tx: Tx, hash: string, reason: SuppressionReason, now: number): Promise<void> {
  await tx
    .insertInto('suppressions')
    .values({ address_hash: hash, reason, at: now })
    .onConflict((conflict) => conflict.column('address_hash').doUpdateSet({ reason, at: now }))
    .execute();
}

/** Removes hashes from the list. @returns whether one of them was on it */
export async function deleteSuppressions(tx: Tx, hashes: string[]): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('suppressions')
    .where('address_hash', 'in', hashes)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Confirmation requests that are already queued must not be mailed either; the fence stops one that is claimed. */
async function suppressServiceMessages(tx: Tx, subscriberId: number, now: number): Promise<void> {
  await tx
    .updateTable('service_messages')
    .set({
      state: 'suppressed',
      reason: SUPPRESSED_BY_OPERATOR,
      ...revokedLease('service_messages'),
      changed_at: now,
    })
    .where('subscriber_id', '=', subscriberId)
    .where('state', '=', 'pending')
    .execute();
}

/** The reason of a suppressed service message. */
export const SUPPRESSED_BY_OPERATOR = 'the operator has suppressed the address';

/** Name of a subscriber in the audit log. */
export function subscriberSubject(id: number): string {
  return `subscriber/${id}`;
}

/** Name of an address without a subscriber in the audit log. @param hash as `hashAddress` */
export function suppressionSubject(hash: string): string {
  return `suppression/${hash.slice(0, 12)}`;
}

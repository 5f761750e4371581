/**
 * Keys of unsubscribe links that outlive the signing secret. A link must work for as long as somebody may read its
 * email, also after the secret was lost or replaced, so the store keeps a key derived from each secret for unsubscribe
 * tokens alone. Read access to the store is enough to end subscriptions with it, but to forge nothing else: the secret,
 * and the keys of other tokens, cannot be derived from it.
 */
import { fingerprintOf, type SigningSecrets } from '../core/config/signing-secrets.ts';
import type { Db } from '../core/store/store.ts';
import { DAY } from '../lib/time.ts';
import { isUnsubscribeToken, readUnsubscribeToken, type SubscriptionKey, unsubscribeKeyOf } from './tokens.ts';

/** For how long a key is kept after its last use. Laws ask for 30 days; people find old emails. */
export const UNSUBSCRIBE_KEY_LIFETIME = 400 * DAY;

/**
 * Keeps the key of the current secret, and that it is in use. Call it before signing.
 * @param now epoch milliseconds; written once a day at most
 */
export async function keepUnsubscribeKey(db: Db, [current]: SigningSecrets, now: number): Promise<void> {
  const fingerprint = fingerprintOf(current);
  const kept = await db
    .selectFrom('unsubscribe_keys')
    .select('used_at')
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (kept !== undefined && kept.used_at > now - DAY) return;
  await db
    .insertInto('unsubscribe_keys')
    .values({ fingerprint, key: unsubscribeKeyOf(current), used_at: now })
    .onConflict((conflict) =>
      conflict.column('fingerprint').doUpdateSet({ used_at: now }).where('unsubscribe_keys.used_at', '<', now),
    )
    .execute();
}

/** The keys that are kept, the last used first. */
export async function listUnsubscribeKeys(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('unsubscribe_keys')
    .select('key')
    .orderBy('used_at', 'desc')
    .orderBy('fingerprint')
    .execute();
  return rows.map(({ key }) => key);
}

/** Reads the token of an unsubscribe link, with the secrets or with a key that is kept. Null if it is invalid. */
export async function readKeptUnsubscribeToken(
  db: Db,
  secrets: SigningSecrets,
  token: string,
): Promise<SubscriptionKey | null> {
  const key = readUnsubscribeToken(secrets, token);
  if (key !== null || !isUnsubscribeToken(token)) return key;
  return readUnsubscribeToken(secrets, token, await listUnsubscribeKeys(db));
}

/** Deletes keys that have not been used for long. @returns number of deleted keys */
export async function deleteOldUnsubscribeKeys(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('unsubscribe_keys')
    .where('used_at', '<', now - UNSUBSCRIBE_KEY_LIFETIME)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

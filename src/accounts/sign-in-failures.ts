/**
 * Failed sign-ins, counted for each address of an account together with each address of a client: guessing the
 * password of an account does not lock its owner out. A row has only a keyed hash of the two, since people type
 * passwords into the field of the address. All processes share the rows.
 */
import { createHmac } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { type Db, inTransaction, lockName } from '../core/store/store.ts';
import { addressBlock } from '../lib/cidr.ts';
import { CLOCK_DIFFERENCE } from '../lib/clock-watch.ts';
import { MINUTE } from '../lib/time.ts';
import { emailKey } from './account.ts';

/** Failures in a period after which no password is checked. */
export const FAILURE_LIMIT = { count: 5, period: 15 * MINUTE };

/**
 * @param typed what was typed as address, any text
 * @param client the client's IP address; null if it is unknown
 */
export function failureKey(secrets: SigningSecrets, typed: string, client: string | null): string {
  return keyedHash(secrets, [emailKey(typed), client === null ? null : addressBlock(client)]);
}

/** The key of the rate limit of a client, whatever address it types. */
export function signInRateKey(secrets: SigningSecrets, client: string): string {
  return `sign-in ${keyedHash(secrets, [addressBlock(client)])}`;
}

function keyedHash(secrets: SigningSecrets, subject: (string | null)[]): string {
  const key = deriveKey(secrets[0], 'hash sign-ins');
  return createHmac('sha256', key).update(JSON.stringify(subject)).digest('base64url');
}

export type SignInAttempt =
  | { kind: 'admitted'; id: number }
  /** Epoch milliseconds from which one more attempt is admitted. */
  | { kind: 'refused'; retryAt: number };

/**
 * Admits one attempt, and counts it as failed until `deleteSignInFailures` or `withdrawAttempt`: otherwise many at once
 * would all be admitted.
 */
export async function beginAttempt(db: Db, key: string, now: number): Promise<SignInAttempt> {
  return inTransaction(db, async (tx) => {
    await lockName(tx, `sign-in ${key}`);
    const recent = await tx
      .selectFrom('sign_in_failures')
      .select('at')
      .where('key', '=', key)
      .where('at', '>', now - FAILURE_LIMIT.period)
      // Those of a clock that was set back since would count for as much longer.
      .where('at', '<=', now + CLOCK_DIFFERENCE)
      .orderBy('at', 'desc')
      .limit(FAILURE_LIMIT.count)
      .execute();
    const oldest = recent[FAILURE_LIMIT.count - 1];
    if (oldest !== undefined) return { kind: 'refused', retryAt: oldest.at + FAILURE_LIMIT.period };
    const { id } = await tx
      .insertInto('sign_in_failures')
      .values({ key, at: now })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { kind: 'admitted', id };
  });
}

/** Takes back an attempt whose password was not checked. */
export async function withdrawAttempt(db: Db, id: number): Promise<void> {
  await db.deleteFrom('sign_in_failures').where('id', '=', id).execute();
}

/** Deletes the failures of a key, after the right password. */
export async function deleteSignInFailures(db: Db, key: string): Promise<void> {
  await db.deleteFrom('sign_in_failures').where('key', '=', key).execute();
}

/** Number of failures that count at an instant. */
export async function countFailures(db: Db, now: number): Promise<number> {
  const { count } = await db
    .selectFrom('sign_in_failures')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('at', '>', now - FAILURE_LIMIT.period)
    .executeTakeFirstOrThrow();
  return Number(count);
}

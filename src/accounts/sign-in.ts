/**
 * Failed sign-ins, counted for each address of an account together with each address of a client: guessing the
 * password of an account does not lock its owner out. A row has only a keyed hash of the two, since people type
 * passwords into the field of the address. All processes share the rows.
 */
import { createHmac } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { acquirePermit } from '../core/store/rate-limits.ts';
import { type Db, inTransaction, lockName, type Tx } from '../core/store/store.ts';
import { addressBlock } from '../lib/cidr.ts';
import { CLOCK_DIFFERENCE } from '../lib/clock-watch.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import { emailKey, type SignedInAccount, toSignedInAccount } from './account.ts';
import { accountSubject, auditAct } from './audit.ts';
import { hashPassword, isOutdatedHash, passwordHasHash } from './passwords.ts';
import { makeSignInStep } from './second-factor.ts';
import { beginSession } from './sessions.ts';

/** Failures in a period after which no password is checked. */
export const FAILURE_LIMIT = { count: 5, period: 15 * MINUTE };

/**
 * @param typed what was typed as address, any text
 * @param client the client's IP address; null if it is unknown
 */
function failureKey(secrets: SigningSecrets, typed: string, client: string | null): string {
  return keyedHash(secrets, [emailKey(typed), client === null ? null : addressBlock(client)]);
}

function keyedHash(secrets: SigningSecrets, subject: (string | null)[]): string {
  const key = deriveKey(secrets[0], 'hash sign-ins');
  return createHmac('sha256', key).update(JSON.stringify(subject)).digest('base64url');
}

type SignInAttempt =
  | { kind: 'admitted'; id: number }
  /** Epoch milliseconds from which one more attempt is admitted. */
  | { kind: 'refused'; retryAt: number };

/**
 * Admits one attempt, and counts it as failed until `deleteSignInFailures` or `withdrawAttempt`: otherwise many at once
 * would all be admitted.
 */
async function beginAttempt(db: Db, key: string, now: number): Promise<SignInAttempt> {
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
async function withdrawAttempt(db: Db, id: number): Promise<void> {
  await db.deleteFrom('sign_in_failures').where('id', '=', id).execute();
}

/** Deletes the failures of a key, after the right password. */
async function deleteSignInFailures(db: Db, key: string): Promise<void> {
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

export interface Credentials {
  /** The text that was typed, which may be no address. */
  email: string;
  password: string;
  /** The client's IP address; null if it is unknown. */
  client: string | null;
}

export type SignInRefusal =
  /** `accountId` is for the log only: null if there is no such account. */
  | { kind: 'wrong'; accountId: number | null }
  /** No password is checked before `retryAt`, epoch milliseconds. */
  | { kind: 'too-many'; retryAt: number }
  /** Too many passwords are being checked: try again in a few seconds. */
  | { kind: 'busy' };

export type SignIn =
  | { kind: 'signed-in'; token: string; account: SignedInAccount }
  /** The password is right. `finishSignIn` takes the code, with this signed text. */
  | { kind: 'second-factor'; step: string }
  | SignInRefusal;
/** An office behind one address signs in within minutes; who types one address after the other waits. */
const CLIENT_LIMIT = { everyMs: 20 * SECOND, burst: 30 };

export interface SignInStore {
  db: Db;
  secrets: SigningSecrets;
}

/** Checks a password, and begins a session. The session's token is for the browser's cookie. */
export async function signIn(store: SignInStore, credentials: Credentials, now: number): Promise<SignIn> {
  const { client } = credentials;
  if (client !== null) {
    const key = `sign-in ${keyedHash(store.secrets, [addressBlock(client)])}`;
    const permit = await acquirePermit(store.db, key, CLIENT_LIMIT, now);
    if (permit.kind === 'refused') return { kind: 'too-many', retryAt: permit.retryAt };
  }
  const checked = await checkPassword(store, credentials, now);
  if (checked.kind !== 'right') return checked;
  const { account, hash, key } = checked;
  // Null also if the process has no time for it: a later sign-in does it.
  const newHash = isOutdatedHash(hash) ? await hashPassword(credentials.password) : null;
  return inTransaction(store.db, async (tx) => {
    // The password may have been changed, or the account disabled, since it was read.
    if (!(await stillHas(tx, account.id, hash))) return { kind: 'wrong', accountId: account.id };
    if (newHash !== null) {
      await tx.updateTable('accounts').set({ password: newHash }).where('id', '=', account.id).execute();
    }
    await deleteSignInFailures(tx, key);
    if (account.hasSecondFactor) {
      return { kind: 'second-factor', step: makeSignInStep(store.secrets, account.id, newHash ?? hash, now) };
    }
    const token = await beginSession(tx, account.id, now);
    await auditAct({ ...account, client }, now, { act: 'account.sign-in', subject: accountSubject(account.id) })(tx);
    return { kind: 'signed-in', token, account };
  });
}

/** Whether the password is the account's. A wrong one counts as a failed sign-in. */
export async function confirmPassword(
  store: SignInStore,
  { email, id }: Pick<SignedInAccount, 'id' | 'email'>,
  { password, client }: Pick<Credentials, 'password' | 'client'>,
  now: number,
): Promise<{ kind: 'confirmed' } | SignInRefusal> {
  const checked = await checkPassword(store, { email, password, client }, now);
  if (checked.kind !== 'right') return checked;
  if (checked.account.id !== id) return { kind: 'wrong', accountId: id };
  await deleteSignInFailures(store.db, checked.key);
  return { kind: 'confirmed' };
}

interface RightPassword {
  kind: 'right';
  account: SignedInAccount;
  /** The stored hash that was compared. */
  hash: string;
  /** Key of the failures before it. */
  key: string;
}

async function checkPassword(
  { db, secrets }: SignInStore,
  { email, password, client }: Credentials,
  now: number,
): Promise<RightPassword | SignInRefusal> {
  const key = failureKey(secrets, email, client);
  const attempt = await beginAttempt(db, key, now);
  if (attempt.kind === 'refused') return { kind: 'too-many', retryAt: attempt.retryAt };
  const row = await db.selectFrom('accounts').selectAll().where('email_key', '=', emailKey(email)).executeTakeFirst();
  const isRight = await passwordHasHash(password, row?.password ?? null);
  if (isRight === null) {
    await withdrawAttempt(db, attempt.id);
    return { kind: 'busy' };
  }
  if (row === undefined || !isRight || row.disabled_at !== null) return { kind: 'wrong', accountId: row?.id ?? null };
  return { kind: 'right', account: toSignedInAccount(row), hash: row.password, key };
}

async function stillHas(tx: Tx, id: number, hash: string): Promise<boolean> {
  // As an update, so that it waits for a concurrent change on PostgreSQL.
  const { numUpdatedRows } = await tx
    .updateTable('accounts')
    .set({ password: hash })
    .where('id', '=', id)
    .where('password', '=', hash)
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

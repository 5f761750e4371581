/**
 * Sign-ins, and how guesses are slowed. All processes share the rows of attempts.
 *
 * Strangers share one allowance for each account, whatever their addresses, and each address has its own part of it. A
 * browser in which the account has signed in before has an allowance of its own, which strangers cannot use up. Rows
 * have only keyed hashes, since people type passwords into the field of the address.
 */
import { createHmac } from 'node:crypto';
import { decryptSecret, encryptSecret } from '../core/config/encrypt-secret.ts';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { acquirePermit } from '../core/store/rate-limits.ts';
import { type Db, inTransaction, lockName, type Tx } from '../core/store/store.ts';
import { addressBlock } from '../lib/cidr.ts';
import { sha256 } from '../lib/sha256.ts';
import { CLOCK_DIFFERENCE, MINUTE, SECOND } from '../lib/time.ts';
import { emailKey, lockAccountRow, type SignedInAccount, toSignedInAccount } from './account.ts';
import { accountSubject, auditAct } from './audit.ts';
import { findKnownBrowser } from './known-browsers.ts';
import { hashPassword, isOutdatedHash, passwordHasHash, queuePasswordCheck } from './passwords.ts';
import { useCode } from './second-factor.ts';
import { type Failure, recordFailure } from './security-log.ts';
import { beginSession } from './sessions.ts';

/** Failures in a period after which no password is checked: of a stranger's address or a known browser. */
export const FAILURE_LIMIT = { count: 5, period: 15 * MINUTE };
/** Limit of all strangers for one account: at most 500 guesses a day. */
const ACCOUNT_LIMIT = { everyMs: 3 * MINUTE, burst: 20 };
/** An office behind one address signs in within minutes. Slows down clients that try many accounts. */
const CLIENT_LIMIT = { everyMs: 20 * SECOND, burst: 30 };
/** Limit of codes, for an account or a known browser: the guesses of a day find a code once in 1,000 days. */
const CODE_LIMIT = { everyMs: 5 * MINUTE, burst: 10 };
/** From the password to the code. */
const STEP_LIFETIME = 5 * MINUTE;

function keyedHash(secrets: SigningSecrets, subject: (string | null)[]): string {
  const key = deriveKey(secrets[0], 'hash sign-ins');
  return createHmac('sha256', key).update(JSON.stringify(subject)).digest('base64url');
}

/** Anyone, at an IP address if it is known; or a browser of the account, by an id that nobody else can take. */
type Guesser = { kind: 'stranger'; client: string | null } | { kind: 'known'; id: string };

type SignInAttempt =
  | { kind: 'admitted'; id: number; key: string }
  /** Epoch milliseconds from which one more attempt is admitted. */
  | { kind: 'refused'; retryAt: number };

/** @param typed what was typed as address, any text: it need not be an account's */
async function admitGuess({ db, secrets }: SignInStore, typed: string, by: Guesser, now: number) {
  if (by.kind === 'known') return beginAttempt(db, keyedHash(secrets, ['known', by.id]), now);
  const block = by.client === null ? null : addressBlock(by.client);
  if (block !== null) {
    const permit = await acquirePermit(db, `sign-in ${keyedHash(secrets, [block])}`, CLIENT_LIMIT, now);
    if (permit.kind === 'refused') return permit;
  }
  const attempt = await beginAttempt(db, keyedHash(secrets, ['stranger', emailKey(typed), block]), now);
  if (attempt.kind === 'refused') return attempt;
  const key = `sign-in account ${keyedHash(secrets, [emailKey(typed)])}`;
  const permit = await acquirePermit(db, key, ACCOUNT_LIMIT, now);
  if (permit.kind === 'granted') return attempt;
  await db.deleteFrom('sign_in_failures').where('id', '=', attempt.id).execute();
  return permit;
}

/**
 * Admits one attempt, and counts it as failed until `deleteSignInFailures`: otherwise many at once would all be
 * admitted.
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
    return { kind: 'admitted', id, key };
  });
}

/** Deletes the failures of a key, after the right password and code. */
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
  /** Tokens of known browsers, as the client sent them. */
  browsers: readonly string[];
}

export type SignInRefusal =
  /** `accountId` is for the log only: null if there is no such account. */
  | { kind: 'wrong'; accountId: number | null }
  /** No password is checked before `retryAt`, epoch milliseconds. `accountId` as above. */
  | { kind: 'too-many'; retryAt: number; accountId: number | null }
  /** Too many passwords are being checked: try again in a few seconds. */
  | { kind: 'busy' };

export type SignIn =
  | { kind: 'signed-in'; token: string; account: SignedInAccount }
  /** The password is right. `finishSignIn` takes the code, with this encrypted text. */
  | { kind: 'second-factor'; step: string }
  /** The password is needed again. */
  | { kind: 'expired' }
  | SignInRefusal;

export interface SignInStore {
  db: Db;
  secrets: SigningSecrets;
}

/** One entry in the security log for an account and a client in that time, however many attempts are refused. */
const REFUSAL_ENTRIES = { everyMs: 5 * MINUTE, burst: 1 };

/** Records that no password or code was checked: there were too many. Parameters as `recordFailure`. */
export async function recordRefusal({ db, secrets }: SignInStore, failure: Failure, now: number): Promise<void> {
  const { act, accountId, client } = failure;
  const subject = [act, `${accountId}`, client === null ? null : addressBlock(client)];
  const permit = await acquirePermit(db, `refused ${keyedHash(secrets, subject)}`, REFUSAL_ENTRIES, now);
  if (permit.kind === 'granted') await recordFailure(db, failure, now);
}

/** Checks a password, and begins a session. The session's token is for the browser's cookie. */
export async function signIn(store: SignInStore, credentials: Credentials, now: number): Promise<SignIn> {
  const { email, client, browsers } = credentials;
  const browser = findKnownBrowser(store.secrets, browsers, email, now);
  const by: Guesser = browser === null ? { kind: 'stranger', client } : { kind: 'known', id: browser };
  const checked = await checkPassword(store, credentials, by, now);
  if (checked.kind !== 'right') return checked;
  const { account, hash, key } = checked;
  // Null also if the process has no time for it: a later sign-in does it.
  const newHash = isOutdatedHash(hash) ? await hashPassword(credentials.password) : null;
  return inTransaction(store.db, async (tx) => {
    // The password may have been changed, or the account disabled, since it was read.
    const row = await lockAccountRow(tx, account.id);
    if (row?.disabled_at !== null || row.password !== hash) return { kind: 'wrong', accountId: account.id };
    if (newHash !== null) {
      await tx.updateTable('accounts').set({ password: newHash }).where('id', '=', account.id).execute();
    }
    if (!account.hasSecondFactor) return complete(tx, account, { key, client }, now);
    // The right password alone gives no guesses back. With another password, the text is worthless.
    const codes = `second factor ${by.kind === 'known' ? key : account.id}`;
    const step = JSON.stringify([now + STEP_LIFETIME, account.id, sha256(newHash ?? hash), key, codes]);
    return { kind: 'second-factor', step: encryptSecret('seal second factors', store.secrets, step, 'sign-in') };
  });
}

/**
 * Checks the code after the password, and begins a session.
 * @param step as `signIn` made it @param client IP address
 * @throws SecretError as `useCode`
 */
export async function finishSignIn(
  { db, secrets }: SignInStore,
  { step, code, client }: { step: string; code: string; client: string | null },
  now: number,
): Promise<SignIn> {
  const decrypted = decryptSecret('seal second factors', secrets, step, 'sign-in') ?? '[0]';
  const [expiresAt, accountId, hash, key, codes] = JSON.parse(decrypted);
  if (now >= expiresAt) return { kind: 'expired' };
  const permit = await acquirePermit(db, codes, CODE_LIMIT, now);
  if (permit.kind === 'refused') return { kind: 'too-many', retryAt: permit.retryAt, accountId };
  return inTransaction(db, async (tx) => {
    const row = await lockAccountRow(tx, accountId);
    if (row?.disabled_at !== null || sha256(row.password) !== hash) return { kind: 'expired' };
    const used = await useCode(tx, secrets, row, code, now);
    if (used === null) return { kind: 'wrong', accountId };
    return complete(tx, toSignedInAccount(row), { key, client, with: used }, now);
  });
}

async function complete(
  tx: Tx,
  account: SignedInAccount,
  { key, client, ...detail }: { key: string; client: string | null; with?: string },
  now: number,
): Promise<SignIn> {
  await deleteSignInFailures(tx, key);
  const act = { act: 'account.sign-in', subject: accountSubject(account.id), detail };
  await auditAct({ ...account, client }, now, act)(tx);
  return { kind: 'signed-in', token: await beginSession(tx, account.id, now), account };
}

/** Whether the password is that of an account that has signed in. All its sessions share one allowance. */
export async function confirmPassword(
  store: SignInStore,
  { email, id }: Pick<SignedInAccount, 'id' | 'email'>,
  password: string,
  now: number,
): Promise<{ kind: 'confirmed' } | SignInRefusal> {
  const checked = await checkPassword(store, { email, password }, { kind: 'known', id: `account ${id}` }, now);
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
  store: SignInStore,
  { email, password }: Pick<Credentials, 'email' | 'password'>,
  by: Guesser,
  now: number,
): Promise<RightPassword | SignInRefusal> {
  const checked = await queuePasswordCheck(by.kind, async (): Promise<RightPassword | SignInRefusal> => {
    const attempt = await admitGuess(store, email, by, now);
    const query = store.db.selectFrom('accounts').selectAll().where('email_key', '=', emailKey(email));
    const row = await query.executeTakeFirst();
    if (attempt.kind === 'refused') return { kind: 'too-many', retryAt: attempt.retryAt, accountId: row?.id ?? null };
    const isRight = await passwordHasHash(password, row?.password ?? null);
    if (row === undefined || !isRight || row.disabled_at !== null) return { kind: 'wrong', accountId: row?.id ?? null };
    return { kind: 'right', account: toSignedInAccount(row), hash: row.password, key: attempt.key };
  });
  return checked ?? { kind: 'busy' };
}

/**
 * The second factor: codes of an authenticator app (TOTP, RFC 6238), each of which counts once, and recovery codes. The
 * app's secret is encrypted in the store.
 */
import { Secret, TOTP } from 'otpauth';
import { decryptSecret, encryptSecret } from '../core/config/encrypt-secret.ts';
import { SecretError, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { acquirePermit } from '../core/store/rate-limits.ts';
import { type Db, inTransaction } from '../core/store/store.ts';
import { sha256 } from '../lib/sha256.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import { type AccountRow, lockAccountRow, type SignedInAccount, toSignedInAccount } from './account.ts';
import { type AuditActor, accountSubject, auditAct } from './audit.ts';
import { AccountError } from './change-account.ts';
import { beginSession, endSessions } from './sessions.ts';

const PURPOSE = 'seal second factors';
/** The default of authenticator apps. */
const STEP = 30 * SECOND;
/** RFC 4226 §4: 160 bits, 32 characters of base32. */
const SECRET = { bytes: 20, pattern: /^[A-Z2-7]{32}$/ };
/** Of 80 bits, so that nobody finds one from its hash. */
const RECOVERY_CODES = { count: 10, bytes: 10 };
/** Each guess succeeds at 3 in 1,000,000: with the right password, those of a day at 1 in 1,000. */
const CODE_LIMIT = { everyMs: 5 * MINUTE, burst: 10 };
/** From the password to the code. */
const SIGN_IN_LIFETIME = 5 * MINUTE;
/** Longer than any code, with blanks. */
const TYPED_LIMIT = 60;

interface FactorStore {
  db: Db;
  secrets: SigningSecrets;
}

/** A new secret in base32, or the one that a form has. */
export function factorSecret(typed: string | null): string {
  return typed !== null && SECRET.pattern.test(typed) ? typed : new Secret({ size: SECRET.bytes }).base32;
}

/** What a QR code holds: `otpauth://totp/…`. @param issuer name of the publication */
export function factorUri(secret: string, label: string, issuer: string): string {
  return new TOTP({ issuer, label, secret }).toString();
}

/**
 * Stores a secret once the app shows its codes. Other sessions end: they were begun without it.
 * @param secret as `factorSecret` made it, from the form @param token of the session that goes on
 * @returns the recovery codes, to be shown once; null for a wrong code
 * @throws AccountError if the account was disabled meanwhile, or has a second factor
 */
export async function setUpSecondFactor(
  { db, secrets }: FactorStore,
  account: Pick<SignedInAccount, 'id' | 'name'>,
  { secret, code, token }: { secret: string; code: string; token: string },
  now: number,
): Promise<string[] | null> {
  const step = SECRET.pattern.test(secret) ? stepOfCode(secret, normaliseCode(code), now) : null;
  if (step === null) return null;
  const codes = Array.from({ length: RECOVERY_CODES.count }, newRecoveryCode);
  await inTransaction(db, async (tx) => {
    const row = await lockAccountRow(tx, account.id);
    if (row?.disabled_at !== null) throw new AccountError('The account is disabled.');
    if (row.second_factor !== null) throw new AccountError('The account has a second factor: switch it off first.');
    const columns = {
      second_factor: encryptSecret(PURPOSE, secrets, secret, accountSubject(account.id)),
      ...{ second_factor_step: step, recovery_codes: JSON.stringify(codes.map((one) => sha256(normaliseCode(one)))) },
    };
    await tx.updateTable('accounts').set(columns).where('id', '=', account.id).execute();
    await endSessions(tx, account.id, token);
    await auditAct(account, now, { act: 'account.second-factor-on', subject: accountSubject(account.id) })(tx);
  });
  return codes;
}

/**
 * Takes the second factor from an account, and ends its sessions.
 * @param token of a session of the owner that goes on
 * @throws AccountError if it has none
 */
export async function resetSecondFactor(
  db: Db,
  actor: AuditActor,
  id: number,
  now: number,
  token: string | null = null,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const row = await lockAccountRow(tx, id);
    if (!row?.second_factor) throw new AccountError('The account has no second factor.');
    const none = { second_factor: null, second_factor_step: null, recovery_codes: null };
    await tx.updateTable('accounts').set(none).where('id', '=', id).execute();
    await endSessions(tx, id, token);
    const act = `account.second-factor-${token === null ? 'reset' : 'off'}`;
    await auditAct(actor, now, { act, subject: accountSubject(id), detail: { name: row.name } })(tx);
  });
}

/** Number of recovery codes that are left. */
export async function countRecoveryCodes(db: Db, id: number): Promise<number> {
  const row = await db.selectFrom('accounts').select('recovery_codes').where('id', '=', id).executeTakeFirst();
  return JSON.parse(row?.recovery_codes ?? '[]').length;
}

/** Who gave the right password, between the two steps. */
interface SignInStep {
  id: number;
  /** Of the password: with another one, the step is worthless. */
  hash: string;
  /** Of the failures that the sign-in deletes. */
  key: string;
  /** Whether the browser is known: strangers who have the password do not use up its guesses of codes. */
  isKnown: boolean;
}

export function makeSignInStep(secrets: SigningSecrets, { id, hash, key, isKnown }: SignInStep, now: number): string {
  const step = [id, sha256(hash), now + SIGN_IN_LIFETIME, key, isKnown];
  return encryptSecret(PURPOSE, secrets, JSON.stringify(step), 'sign-in');
}

export type SecondStep =
  | { kind: 'signed-in'; token: string; account: SignedInAccount }
  | { kind: 'wrong-code'; accountId: number }
  | { kind: 'too-many'; accountId: number; retryAt: number }
  /** The password is needed again. */
  | { kind: 'expired' };

/**
 * Checks the code after the password, and begins a session.
 * @param step as `signIn` made it @param client IP address
 * @throws SecretError if the app's secret was encrypted under a signing secret that is not known
 */
export async function finishSignIn(
  { db, secrets }: FactorStore,
  { step, code, client }: { step: string; code: string; client: string | null },
  now: number,
): Promise<SecondStep> {
  const signed = decryptSecret(PURPOSE, secrets, step, 'sign-in') ?? '[0]';
  const [accountId, hash, expiresAt, key, isKnown] = JSON.parse(signed);
  const isOf = (row: AccountRow | undefined): row is AccountRow =>
    row?.disabled_at === null && sha256(row.password) === hash && now < expiresAt;
  const found = await db.selectFrom('accounts').selectAll().where('id', '=', accountId).executeTakeFirst();
  if (!isOf(found)) return { kind: 'expired' };
  const permit = await acquirePermit(db, `second factor ${isKnown ? key : accountId}`, CODE_LIMIT, now);
  if (permit.kind === 'refused') return { kind: 'too-many', accountId, retryAt: permit.retryAt };
  return inTransaction(db, async (tx) => {
    const row = await lockAccountRow(tx, accountId);
    if (!isOf(row)) return { kind: 'expired' };
    const used = useCode(secrets, row, normaliseCode(code), now);
    if (used === null) return { kind: 'wrong-code', accountId };
    await tx.updateTable('accounts').set(used).where('id', '=', accountId).execute();
    await tx.deleteFrom('sign_in_failures').where('key', '=', key).execute();
    const account = toSignedInAccount(row);
    const detail = { with: 'recovery_codes' in used ? 'recovery code' : 'code' };
    await auditAct({ ...account, client }, now, { act: 'account.sign-in', subject: accountSubject(row.id), detail })(
      tx,
    );
    return { kind: 'signed-in', token: await beginSession(tx, accountId, now), account };
  });
}

/** The columns that change so that the code counts once; null for a wrong one. */
function useCode(secrets: SigningSecrets, row: AccountRow, code: string, now: number) {
  const hashes: string[] = JSON.parse(row.recovery_codes ?? '[]');
  const others = hashes.filter((hash) => hash !== sha256(code));
  if (others.length < hashes.length) return { recovery_codes: JSON.stringify(others) };
  const secret = decryptSecret(PURPOSE, secrets, row.second_factor ?? '', accountSubject(row.id));
  if (secret === null) {
    throw new SecretError(
      `the second factor of account ${row.id} was encrypted under another signing secret: put that one into ` +
        'DAYWIRE_SECRET_PREVIOUS, or reset the second factor',
    );
  }
  const step = stepOfCode(secret, code, now);
  if (step === null || step <= (row.second_factor_step ?? 0)) return null;
  // Encrypted again, under the current signing secret.
  const second_factor = encryptSecret(PURPOSE, secrets, secret, accountSubject(row.id));
  return { second_factor, second_factor_step: step };
}

/** The 30 seconds (since 1970) whose code it is: the current ones, or those right before or after. */
function stepOfCode(secret: string, code: string, now: number): number | null {
  const delta = new TOTP({ secret }).validate({ token: code, timestamp: now, window: 1 });
  return delta === null ? null : Math.floor(now / STEP) + delta;
}

/** `k3jq-p2vw-7mtc-xaed`. */
function newRecoveryCode(): string {
  const { base32 } = new Secret({ size: RECOVERY_CODES.bytes });
  return base32.toLowerCase().replace(/.{4}(?=.)/g, '$&-');
}

function normaliseCode(typed: string): string {
  return typed.slice(0, TYPED_LIMIT).toLowerCase().replace(/[\s-]/g, '');
}

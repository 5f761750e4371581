/**
 * The second factor: codes of an authenticator app (TOTP, RFC 6238), each of which counts once, and recovery codes. The
 * app's secret is encrypted in the store.
 */
import { Secret, TOTP } from 'otpauth';
import { decryptSecret, encryptSecret } from '../core/config/encrypt-secret.ts';
import { SecretError, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { type Db, inTransaction, type Tx } from '../core/store/store.ts';
import { sha256 } from '../lib/sha256.ts';
import { SECOND } from '../lib/time.ts';
import { type AccountRow, lockAccountRow, type SignedInAccount } from './account.ts';
import { type AuditActor, accountSubject, auditAct } from './audit.ts';
import { AccountError } from './change-account.ts';
import { endSessions } from './sessions.ts';

const PURPOSE = 'seal second factors';
/** The default of authenticator apps. */
const STEP = 30 * SECOND;
/** RFC 4226 §4: 160 bits, 32 characters of base32. */
const SECRET = { bytes: 20, pattern: /^[A-Z2-7]{32}$/ };
/** Ten bytes are 80 bits: nobody finds a code from its hash. */
const RECOVERY_CODES = { count: 10, bytes: 10 };
/** Longer than any code, with blanks. */
const TYPED_LIMIT = 60;

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
  { db, secrets }: { db: Db; secrets: SigningSecrets },
  account: Pick<SignedInAccount, 'id' | 'name'>,
  { secret, code, token }: { secret: string; code: string; token: string },
  now: number,
): Promise<string[] | null> {
  const step = SECRET.pattern.test(secret) ? stepOfCode(secret, normaliseCode(code), now) : null;
  if (step === null) return null;
  // `k3jq-p2vw-7mtc-xaed`.
  const newCode = () => new Secret({ size: RECOVERY_CODES.bytes }).base32.toLowerCase().replace(/.{4}(?=.)/g, '$&-');
  const codes = Array.from({ length: RECOVERY_CODES.count }, newCode);
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
export async function resetSecondFactor(db: Db, actor: AuditActor, id: number, now: number, token?: string | null) {
  await inTransaction(db, async (tx) => {
    const row = await lockAccountRow(tx, id);
    if (!row?.second_factor) throw new AccountError('The account has no second factor.');
    const none = { second_factor: null, second_factor_step: null, recovery_codes: null };
    await tx.updateTable('accounts').set(none).where('id', '=', id).execute();
    await endSessions(tx, id, token);
    const act = `account.second-factor-${token ? 'off' : 'reset'}`;
    await auditAct(actor, now, { act, subject: accountSubject(id), detail: { name: row.name } })(tx);
  });
}

/**
 * Uses a code of the app or a recovery code, which counts once.
 * @param row locked @returns which of them it was; null for a wrong one
 * @throws SecretError if the app's secret was encrypted under a signing secret that is not known
 */
export async function useCode(tx: Tx, secrets: SigningSecrets, row: AccountRow, typed: string, now: number) {
  const code = normaliseCode(typed);
  const update = tx.updateTable('accounts').where('id', '=', row.id);
  const hashes: string[] = JSON.parse(row.recovery_codes ?? '[]');
  const others = hashes.filter((hash) => hash !== sha256(code));
  if (others.length < hashes.length) {
    await update.set({ recovery_codes: JSON.stringify(others) }).execute();
    return 'recovery code';
  }
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
  await update.set({ second_factor, second_factor_step: step }).execute();
  return 'code';
}

/** The 30 seconds (since 1970) whose code it is: the current ones, or those right before or after. */
function stepOfCode(secret: string, code: string, now: number): number | null {
  const delta = new TOTP({ secret }).validate({ token: code, timestamp: now, window: 1 });
  return delta === null ? null : Math.floor(now / STEP) + delta;
}

function normaliseCode(typed: string): string {
  return typed.slice(0, TYPED_LIMIT).toLowerCase().replace(/[\s-]/g, '');
}

/**
 * Browsers in which an account has signed in before. Each has a signed token for that account, and keeps it when the
 * session ends. The token opens nothing: it only separates the browser's sign-ins from those of strangers.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { CLOCK_DIFFERENCE, DAY } from '../lib/time.ts';
import { emailKey } from './account.ts';

export const BROWSER_LIFETIME = 365 * DAY;
/** Accounts that a browser is known for; colleagues share computers. */
const MAX_TOKENS = 5;
/** Base36 of the instant, the browser's id, the signature. */
const TOKEN = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** The tokens that a browser has after a sign-in. @param before those that it sent @param email of the account */
export function issueBrowserToken(
  secrets: SigningSecrets,
  before: readonly string[],
  email: string,
  now: number,
): string[] {
  const [at, id] = [now.toString(36), randomBytes(16).toString('base64url')];
  const others = before.filter((token) => TOKEN.test(token) && findKnownBrowser(secrets, [token], email, now) === null);
  return [`${at}.${id}.${sign(secrets[0], email, at, id).toString('base64url')}`, ...others].slice(0, MAX_TOKENS);
}

/** The id of a browser that is known for an account. @param tokens any texts @param typed any text as address */
export function findKnownBrowser(
  secrets: SigningSecrets,
  tokens: readonly string[],
  typed: string,
  now: number,
): string | null {
  for (const token of tokens.slice(0, MAX_TOKENS)) {
    const [, at = '', id = '', signature = ''] = TOKEN.exec(token) ?? [];
    const age = now - Number.parseInt(at, 36);
    if (!(age >= -CLOCK_DIFFERENCE && age < BROWSER_LIFETIME)) continue;
    const given = Buffer.from(signature, 'base64url');
    if (secrets.some((secret) => timingSafeEqual(given, sign(secret, typed, at, id)))) return id;
  }
  return null;
}

function sign(secret: string, email: string, at: string, id: string): Buffer {
  const content = JSON.stringify([emailKey(email), at, id]);
  return createHmac('sha256', deriveKey(secret, 'known browsers')).update(content).digest();
}

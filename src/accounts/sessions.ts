/** Sessions of the desk. The browser keeps a random token, the store its hash. */
import { randomBytes } from 'node:crypto';
import type { Db, Tx } from '../core/store/store.ts';
import { sha256 } from '../lib/sha256.ts';
import { CLOCK_DIFFERENCE, DAY, HOUR, MINUTE } from '../lib/time.ts';
import { type SignedInAccount, toSignedInAccount } from './account.ts';

/** How long a session lasts, and how long without a request. */
export const SESSION_LIFETIME = 7 * DAY;
export const SESSION_IDLE = 12 * HOUR;
/** How often the last request is written. */
const SEEN_EVERY = MINUTE;

/** Edge and Opera name Chrome, too, and Chrome names Safari. */
const BROWSERS = ['Edg=Edge', 'OPR=Opera', 'Firefox', 'FxiOS=Firefox', 'Chrome', 'CriOS=Chrome', 'Safari'];
const SYSTEMS = ['Android', 'iPhone', 'iPad', 'Windows', 'CrOS=ChromeOS', 'Mac OS=macOS', 'Linux'];

/** `Firefox on Windows`. @param userAgent header of the request */
export function browserName(userAgent: string): string {
  const named = (known: string[]) => known.map((one) => one.split('=')).find(([part = '']) => userAgent.includes(part));
  return `${named(BROWSERS)?.at(-1) ?? 'unknown browser'} on ${named(SYSTEMS)?.at(-1) ?? 'unknown system'}`;
}

/** Begins a session. @returns the token for the browser's cookie */
export async function beginSession(tx: Tx, accountId: number, now: number): Promise<string> {
  const { token, hash } = newSecretToken();
  const row = { token_hash: hash, account_id: accountId, created_at: now, seen_at: now };
  await tx.insertInto('account_sessions').values(row).execute();
  return token;
}

/**
 * Finds who sent a request, and notes that the session is in use.
 * @param token of the cookie, as the browser sent it
 * @param use by which browser, from where; null for what an open page requests by itself: a browser left alone is idle
 * @returns null without a session, or if it has ended
 */
export async function findSession(
  db: Db,
  token: string,
  now: number,
  use: { client?: string | null; browser?: string } | null = {},
): Promise<SignedInAccount | null> {
  const hash = hashOfToken(token);
  if (hash === null) return null;
  const row = await db
    .selectFrom('account_sessions as session')
    .innerJoin('accounts', 'accounts.id', 'session.account_id')
    .selectAll('accounts')
    .select(['session.created_at as begun_at', 'session.seen_at', 'session.browser'])
    .where('session.token_hash', '=', hash)
    .where('accounts.disabled_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined || hasEnded(row.begun_at, row.seen_at, now)) return null;
  const isFirst = row.browser === null && use?.browser !== undefined;
  if (use !== null && (isFirst || now - row.seen_at >= SEEN_EVERY)) {
    await db
      .updateTable('account_sessions')
      .set({ seen_at: now, ...use })
      .where('token_hash', '=', hash)
      .where('seen_at', '<=', now)
      .execute();
  }
  return toSignedInAccount(row);
}

/** A session of a clock that was set back since has ended: it would last as much longer. */
function hasEnded(begunAt: number, seenAt: number, now: number): boolean {
  const isLater = begunAt > now + CLOCK_DIFFERENCE;
  return isLater || now - begunAt >= SESSION_LIFETIME || now - seenAt >= SESSION_IDLE;
}

/** Ends the session of a token, if there is one. */
export async function endSession(db: Db, token: string): Promise<void> {
  const hash = hashOfToken(token);
  if (hash !== null) await db.deleteFrom('account_sessions').where('token_hash', '=', hash).execute();
}

/**
 * Ends the sessions of an account.
 * @param except the token of one that goes on @param only the id of the one to end
 * @returns their number
 */
export async function endSessions(db: Db, accountId: number, except?: string | null, only?: string | null) {
  const kept = hashOfToken(except ?? '');
  const { numDeletedRows } = await db
    .deleteFrom('account_sessions')
    .where('account_id', '=', accountId)
    .$if(kept !== null, (q) => q.where('token_hash', '<>', kept as string))
    .$if(typeof only === 'string', (q) => q.where('token_hash', '=', only as string))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/**
 * The sessions of an account, last used first. Nobody signs in with their ids, which are for `endSessions`.
 * @param current token of the one that asks
 */
export async function listSessions(db: Db, accountId: number, now: number, current: string) {
  const rows = await db
    .selectFrom('account_sessions')
    .select(['token_hash as id', 'created_at as begunAt', 'seen_at as seenAt', 'client', 'browser'])
    .where('account_id', '=', accountId)
    .orderBy('seen_at', 'desc')
    .orderBy('token_hash')
    .execute();
  return rows
    .filter(({ begunAt, seenAt }) => !hasEnded(begunAt, seenAt, now))
    .map((row) => ({ ...row, browser: row.browser ?? '', isCurrent: row.id === hashOfToken(current) }));
}

const BYTES = 32;
const PATTERN = /^[A-Za-z0-9_-]{43}$/;

export interface SecretToken {
  /** 43 characters of base64url. */
  token: string;
  /** What the store holds: SHA-256, hex. */
  hash: string;
}

export function newSecretToken(): SecretToken {
  const token = randomBytes(BYTES).toString('base64url');
  return { token, hash: sha256(token) };
}

/** The hash of a token as a client sent it; null if it has not the form of one. */
export function hashOfToken(token: string): string | null {
  return PATTERN.test(token) ? sha256(token) : null;
}

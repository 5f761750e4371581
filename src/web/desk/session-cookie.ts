/**
 * The cookies that hold a session's token, and those of the accounts that the browser is known for. Their prefix makes
 * browsers refuse one that another host of the domain set.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { BROWSER_LIFETIME, issueBrowserToken } from '../../accounts/known-browsers.ts';
import { endSession, SESSION_LIFETIME } from '../../accounts/sessions.ts';
import { SECOND } from '../../lib/time.ts';
import type { DeskRequest } from './desk-request.ts';

const NAME = 'daywire-desk';
const BROWSER_NAME = 'daywire-browser';
/** Between tokens. */
const SEPARATOR = '~';

/** Puts a new session into the browser, which is then known. The previous session of the browser ends. */
export async function replaceSession({ c, desk, at }: DeskRequest, token: string, email: string): Promise<void> {
  const before = sessionTokenOf(c);
  if (before !== null) await endSession(desk.app.store.db, before);
  setSessionCookie(c, token);
  const browsers = issueBrowserToken(await desk.app.keys.signingSecrets(), browserTokensOf(c), email, at);
  set(c, BROWSER_NAME, browsers.join(SEPARATOR), BROWSER_LIFETIME);
}

/** The tokens of a known browser, as it sent them: any texts. */
export function browserTokensOf(c: Context): string[] {
  return getCookie(c, BROWSER_NAME, 'host')?.split(SEPARATOR) ?? [];
}

export function setSessionCookie(c: Context, token: string): void {
  set(c, NAME, token, SESSION_LIFETIME);
}

function set(c: Context, name: string, value: string, lifetime: number): void {
  const maxAge = lifetime / SECOND;
  setCookie(c, name, value, { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax', maxAge });
}

/** The token as the browser sent it; null without one. */
export function sessionTokenOf(c: Context): string | null {
  return getCookie(c, NAME, 'host') ?? null;
}

export function deleteSessionCookie(c: Context): void {
  deleteCookie(c, NAME, { prefix: 'host', path: '/', secure: true });
}

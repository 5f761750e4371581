/**
 * The cookie that holds a session's token. Its prefix makes browsers refuse one that another host of the domain set.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { endSession, SESSION_LIFETIME } from '../../accounts/sessions.ts';
import { SECOND } from '../../lib/time.ts';
import type { DeskRequest } from './desk-request.ts';

const NAME = 'daywire-desk';

/** Puts a new session into the browser. The previous session of the browser ends. */
export async function replaceSession({ c, desk }: DeskRequest, token: string): Promise<void> {
  const before = sessionTokenOf(c);
  if (before !== null) await endSession(desk.app.store.db, before);
  setSessionCookie(c, token);
}

export function setSessionCookie(c: Context, token: string): void {
  setCookie(c, NAME, token, {
    ...{ prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax', maxAge: SESSION_LIFETIME / SECOND },
  });
}

/** The token as the browser sent it; null without one. */
export function sessionTokenOf(c: Context): string | null {
  return getCookie(c, NAME, 'host') ?? null;
}

export function deleteSessionCookie(c: Context): void {
  deleteCookie(c, NAME, { prefix: 'host', path: '/', secure: true });
}

/**
 * The cookie that holds the token of a session. `__Host-` (RFC 6265bis §4.1.3.2): no other host can set it, and
 * browsers send it to this host only, over https or to localhost.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { SESSION_LIFETIME } from '../../accounts/sessions.ts';
import { SECOND } from '../../lib/time.ts';

const NAME = 'daywire-desk';
const HOST_COOKIE = { prefix: 'host', path: '/', secure: true } as const;

/** The token of the request, as the browser sent it; null if there is none. */
export function sessionTokenOf(c: Context): string | null {
  return getCookie(c, NAME, 'host') ?? null;
}

/** Lax: a link in a message opens the desk as signed in. Forms of other sites are refused; see request-origin.ts. */
export function setSessionCookie(c: Context, token: string): void {
  setCookie(c, NAME, token, {
    ...HOST_COOKIE,
    ...{ httpOnly: true, sameSite: 'Lax', maxAge: SESSION_LIFETIME / SECOND },
  });
}

export function clearSessionCookie(c: Context): void {
  deleteCookie(c, NAME, HOST_COOKIE);
}

/**
 * The outcome of an act, shown once on the next page. It travels in a cookie that a session's browser alone has, and
 * the page that shows it removes it: nothing of it is stored.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { shortenToUnits } from '../../lib/text/shorten.ts';

const COOKIE = 'daywire-notice';
/** Seconds. */
const MAX_AGE = 60;
/** Characters. A cookie holds 4096 bytes, and encoding may treble them. */
const MAX_TEXT = 600;

const NOTICE = z.object({
  kind: z.enum(['done', 'problem']),
  text: z.string(),
  /** The id of the unsaved text that has been saved; see templates/desk/unsaved.js. */
  saved: z.string().optional(),
  /** The id of the part of the page that shows it; default: the top of the page. */
  place: z.string().optional(),
  /** The form of a button that takes the act back. */
  undo: z
    .object({
      action: z.string().startsWith('/'),
      label: z.string().optional(),
      fields: z.record(z.string(), z.string()),
    })
    .optional(),
});
export type Notice = z.infer<typeof NOTICE>;

export function setNotice(c: Context, { text, ...notice }: Notice): void {
  const value = JSON.stringify({ ...notice, text: shortenToUnits(text, MAX_TEXT) });
  setCookie(c, COOKIE, Buffer.from(value).toString('base64url'), {
    ...{ prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Strict', maxAge: MAX_AGE },
  });
}

/** The id that the browser gave the text of a form, until it is saved. */
export function unsavedTextOf(form: URLSearchParams): string | undefined {
  const id = form.get('unsaved') ?? '';
  return /^[a-z0-9]{1,20}$/.test(id) ? id : undefined;
}

/** The notice of the request, which is removed from the browser. */
export function takeNotice(c: Context): Notice | null {
  const value = getCookie(c, COOKIE, 'host');
  if (value === undefined) return null;
  deleteCookie(c, COOKIE, { prefix: 'host', path: '/', secure: true });
  try {
    return NOTICE.parse(JSON.parse(Buffer.from(value, 'base64url').toString()));
  } catch {
    return null;
  }
}

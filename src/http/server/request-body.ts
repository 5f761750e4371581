/**
 * Forms that pages post.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { respondError } from './errors.ts';
import type { WebContext } from './web-context.ts';

/** Bytes; far more than any form of the site holds. */
export const FORM_LIMIT = 16 * 1024;

/** Responds with 413 to a body that is longer than any form of the site. */
export function limitForm(web: WebContext): MiddlewareHandler {
  const text = { title: 'Form too long', message: 'The request is longer than any form of this site.' };
  return bodyLimit({ maxSize: FORM_LIMIT, onError: (c) => respondError(web, c, 413, text) });
}

/** The fields of a posted form (`application/x-www-form-urlencoded`); null for any other type. */
export async function readForm(c: Context): Promise<URLSearchParams | null> {
  const type = (c.req.header('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/x-www-form-urlencoded' ? new URLSearchParams(await c.req.text()) : null;
}

/** 415, for a request that `readForm` cannot read; 400, for one that lacks the fields of the form. */
export async function respondNoForm(web: WebContext, c: Context, status: 400 | 415 = 415): Promise<Response> {
  const message = 'The request is not a form of this site. Nothing has changed: please reload the page and try again.';
  return respondError(web, c, status, { title: 'Form not recognised', message });
}

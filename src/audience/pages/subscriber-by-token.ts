/**
 * Pages that a preferences link leads to.
 */
import type { Context, Handler } from 'hono';
import { renderPage } from '../../web/pages/page.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { isPreferencesLinkOpen } from '../account-links.ts';
import { type Preferences, readPreferences } from '../preferences.ts';
import { readPreferencesToken } from '../tokens.ts';

/**
 * Calls `handle` with the subscriber that the token in `:token` is for. Responds with 404 to an invalid token, and with
 * 410 to one that has expired or was revoked, or that of a deleted subscriber.
 */
export function withSubscriberByToken(
  web: WebContext,
  handle: (c: Context, subscriber: Preferences) => Promise<Response>,
): Handler {
  return async (c) => {
    const key = readPreferencesToken(web.secrets, c.req.param('token') ?? '');
    if (key === null) return respondNotFound(web, c);
    const now = web.clock();
    if (now >= key.expiresAt) return respondLinkOver(web, c);
    const subscriber = await readPreferences(web.store.db, key.subscriberId);
    if (subscriber === null) return respondErased(web, c, 410);
    return isPreferencesLinkOpen(key, subscriber.tokenVersion, now) ? handle(c, subscriber) : respondLinkOver(web, c);
  };
}

/** The page that offers to mail a new link. */
function respondLinkOver(web: WebContext, c: Context): Promise<Response> {
  return respondAboutLinks(web, c, { kind: 'over', title: 'This link has expired', status: 410 });
}

/** A page about links. @param page.kind which texts `links.liquid` shows */
export async function respondAboutLinks(
  web: WebContext,
  c: Context,
  { kind, title, status }: { kind: string; title: string; status: 200 | 410 },
): Promise<Response> {
  const data = { title, kind, token: c.req.param('token') };
  return c.html(await renderPage(web, 'links', { title, description: title, path: null }, data), status);
}

/** The page that says that a subscriber's data has been deleted. */
export async function respondErased(web: WebContext, c: Context, status: 200 | 410): Promise<Response> {
  const title = 'Your data has been deleted';
  const head = { title, description: title, path: null };
  return c.html(await renderPage(web, 'erase', head, { title, kind: 'erased', email: '' }), status);
}

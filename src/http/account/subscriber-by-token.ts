/**
 * Pages that a preferences link leads to.
 */
import type { Context, Handler } from 'hono';
import { type Preferences, readPreferences } from '../../subscribers/preferences.ts';
import { readPreferencesToken } from '../../subscribers/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { respondNotFound } from '../server/errors.ts';
import type { WebContext } from '../server/web-context.ts';

/**
 * Calls `handle` with the subscriber that the token in `:token` is for. Responds with 404 to an invalid token, and with
 * 410 to that of a deleted subscriber.
 */
export function withSubscriber(
  web: WebContext,
  handle: (c: Context, subscriber: Preferences) => Promise<Response>,
): Handler {
  return async (c) => {
    const subscriberId = readPreferencesToken(web.secrets, c.req.param('token') ?? '');
    if (subscriberId === null) return respondNotFound(web, c);
    const subscriber = await readPreferences(web.store.db, subscriberId);
    return subscriber === null ? respondErased(web, c, 410) : handle(c, subscriber);
  };
}

/** The page that says that a subscriber's data has been deleted. */
export async function respondErased(web: WebContext, c: Context, status: 200 | 410): Promise<Response> {
  const title = 'Your data has been deleted';
  const head = { title, description: title, path: null };
  return c.html(await renderPage(web, 'erase', head, { title, kind: 'erased', email: '', token: '' }), status);
}

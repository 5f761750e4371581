/**
 * Whose page it is: the subscriber that a preferences link was made for.
 */
import type { Context } from 'hono';
import { type Preferences, readPreferences } from '../../subscribers/preferences.ts';
import { readPreferencesToken } from '../../subscribers/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { respondNotFound } from '../server/errors.ts';
import type { RequestHandler } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';

/**
 * Answers `:token` with what `act` makes for its subscriber; a token that was not made here as any unknown address; the token of
 * one who was erased by saying so.
 */
export function withReader(
  web: WebContext,
  act: (c: Context, reader: Preferences) => Promise<Response>,
): RequestHandler {
  return async (c) => {
    const subscriberId = readPreferencesToken(web.secrets, c.req.param('token') ?? '');
    if (subscriberId === null) return respondNotFound(web, c);
    const reader = await readPreferences(web.store.db, subscriberId);
    return reader === null ? answerErased(web, c, 410) : act(c, reader);
  };
}

/** Says that nothing is stored of whoever had this link. */
export async function answerErased(web: WebContext, c: Context, status: 200 | 410): Promise<Response> {
  const title = 'You are forgotten';
  const head = { title, description: title, path: null };
  return c.html(await renderPage(web, 'erase', head, { title, kind: 'erased', email: '', token: '' }), status);
}

/**
 * Whose page it is: the subscriber that a preferences link was made for.
 */
import type { Context } from 'hono';
import { type Preferences, readPreferences } from '../../subscribers/preferences.ts';
import { readPreferencesToken } from '../../subscribers/tokens/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { answerNotFound } from '../server/error-pages.ts';
import type { Answer } from '../server/routes.ts';
import type { Site } from '../server/site.ts';

/**
 * Answers `:token` with what `act` makes for its subscriber; a token that was not made here as any unknown address; the token of
 * one who was erased by saying so.
 */
export function withReader(site: Site, act: (c: Context, reader: Preferences) => Promise<Response>): Answer {
  return async (c) => {
    const subscriberId = readPreferencesToken(site.secrets, c.req.param('token') ?? '');
    if (subscriberId === null) return answerNotFound(site, c);
    const reader = await readPreferences(site.store.db, subscriberId);
    return reader === null ? answerErased(site, c, 410) : act(c, reader);
  };
}

/** Says that nothing is stored of whoever had this link. */
export async function answerErased(site: Site, c: Context, status: 200 | 410): Promise<Response> {
  const title = 'You are forgotten';
  const head = { title, description: title, path: null };
  return c.html(await renderPage(site, 'erase', head, { title, kind: 'erased', email: '', token: '' }), status);
}

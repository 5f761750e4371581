/**
 * Requests for links, which go to the subscriber's address only, and the end of all earlier ones.
 */
import type { Context, Handler } from 'hono';
import { respondNotFound } from '../../web/server/errors.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { requestLink, revokeLinksOf } from '../account-links.ts';
import { type LinkAct, readPreferencesToken } from '../tokens.ts';
import { respondAboutLinks, withSubscriberByToken } from './subscriber-by-token.ts';

/** POST of `/preferences/:token/link`. Also for a token that has expired or was revoked. */
export function handlePreferencesLinkRequest(web: WebContext): Handler {
  return async (c) => {
    const key = readPreferencesToken(web.secrets, c.req.param('token') ?? '');
    if (key === null) return respondNotFound(web, c);
    await requestLink(web.store.db, web.secrets, key.subscriberId, 'preferences', web.clock());
    return respondSent(web, c, 'preferences');
  };
}

/** POST of `/preferences/:token/export` and `/preferences/:token/erase`. */
export function handleActLinkRequest(web: WebContext, act: LinkAct): Handler {
  return withSubscriberByToken(web, async (c, { subscriberId }) => {
    await requestLink(web.store.db, web.secrets, subscriberId, act, web.clock());
    return respondSent(web, c, act);
  });
}

/** The same page whether a message is mailed, withheld from a suppressed address, or one of too many. */
function respondSent(web: WebContext, c: Context, link: 'preferences' | LinkAct): Promise<Response> {
  return respondAboutLinks(web, c, { kind: `${link}-sent`, title: 'Check your inbox', status: 200 });
}

/** POST of `/preferences/:token/revoke`. */
export function handleRevocation(web: WebContext): Handler {
  return withSubscriberByToken(web, async (c, { subscriberId }) => {
    await revokeLinksOf(web.store.db, subscriberId, web.clock());
    return respondAboutLinks(web, c, { kind: 'revoked', title: 'Your links have ended', status: 200 });
  });
}

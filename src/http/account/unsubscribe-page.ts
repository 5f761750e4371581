/**
 * The page behind an email's unsubscribe link. GET shows a button, since link scanners follow every link; POST unsubscribes,
 * whether the reader pressed it or a mail program asked in one click (RFC 8058).
 */
import type { Context } from 'hono';
import { findSubscription, unsubscribe } from '../../subscribers/subscriptions.ts';
import { preferencesToken, readUnsubscribeToken, type SubscriptionKey } from '../../subscribers/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import { respondNotFound } from '../server/errors.ts';
import { FORM_LIMIT, readBody } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';

/** Answers `/unsubscribe/:token`. Nothing but a token that was made here gets more than the page for unknown addresses. */
export function answerUnsubscribe(web: WebContext): Answers {
  const { db } = web.store;
  return {
    get: (c) =>
      withToken(web, c, async (key) => {
        const subscription = await findSubscription(db, key);
        return subscription === null || subscription.state === 'unsubscribed' ? 'unsubscribed' : 'asked';
      }),
    // The token is all that is needed, and a mail program follows no redirect (RFC 8058 §3.1).
    post: (c) =>
      withToken(web, c, async (key) => {
        const channel = (await isOneClick(c)) ? 'one-click' : 'unsubscribe-page';
        const source = clientAddress(c, web.config.server.trustedProxies);
        await unsubscribe(db, key, { channel, source }, web.clock());
        return 'unsubscribed';
      }),
  };
}

/** Whether a mail program asks, by its `List-Unsubscribe=One-Click` in whichever kind of form (RFC 8058 §3.2). */
async function isOneClick(c: Context): Promise<boolean> {
  const body = (await readBody(c, FORM_LIMIT))?.toString('latin1') ?? '';
  return body.includes('List-Unsubscribe') && body.includes('One-Click');
}

async function withToken(
  web: WebContext,
  c: Context,
  act: (key: SubscriptionKey) => Promise<'asked' | 'unsubscribed'>,
): Promise<Response> {
  const key = readUnsubscribeToken(web.secrets, c.req.param('token') ?? '');
  if (key === null) return respondNotFound(web, c);
  const state = await act(key);
  const newsletter = web.view.newsletters.find(({ id }) => id === key.newsletter) ?? null;
  const name = newsletter?.title ?? 'this newsletter';
  const title = state === 'asked' ? `Unsubscribe from ${name}` : 'You are unsubscribed';
  const head = { title, description: title, path: null };
  // The same message held both links: who has the one has the other.
  const isKnown = (await findSubscription(web.store.db, key)) !== null;
  const preferences = isKnown ? preferencesToken(web.secrets, key.subscriberId) : null;
  return c.html(await renderPage(web, 'unsubscribe', head, { title, name, state, preferences }));
}

/**
 * The page behind the unsubscribe link of an email. POST unsubscribes, whether it comes from the button or from a mail
 * program in one click (RFC 8058). GET shows the button, since link scanners open every link.
 */
import type { Context, Handler, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { findSubscription, unsubscribe } from '../../subscribers/subscriptions.ts';
import { readUnsubscribeToken, type SubscriptionKey } from '../../subscribers/tokens.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import { respondNotFound } from '../server/errors.ts';
import { FORM_LIMIT } from '../server/request-body.ts';
import type { WebContext } from '../server/web-context.ts';
import { isSignupOpen } from './subscribe-form.ts';

/** GET of `/unsubscribe/:token`. */
export function serveUnsubscribePage(web: WebContext): Handler {
  return (c) =>
    withToken(web, c, async (key) => {
      const subscription = await findSubscription(web.store.db, key);
      return subscription === null || subscription.state === 'unsubscribed' ? 'unsubscribed' : 'asked';
    });
}

/** POST of `/unsubscribe/:token`. It needs nothing but the token, and redirects nowhere (RFC 8058 §3.1). */
export function handleUnsubscribe(web: WebContext): Handler {
  return async (c) => {
    // `List-Unsubscribe=One-Click`, in either kind of form (RFC 8058 §3.2).
    const body = await c.req.text();
    const isOneClick = body.includes('List-Unsubscribe') && body.includes('One-Click');
    return unsubscribeBy(web, c, isOneClick ? 'one-click' : 'unsubscribe-page');
  };
}

/** Unsubscribes, too, if the body is longer than it should be, without reading it. */
export function limitUnsubscribe(web: WebContext): MiddlewareHandler {
  return bodyLimit({ maxSize: FORM_LIMIT, onError: (c) => unsubscribeBy(web, c, 'unsubscribe-page') });
}

async function unsubscribeBy(
  web: WebContext,
  c: Context,
  channel: 'one-click' | 'unsubscribe-page',
): Promise<Response> {
  return withToken(web, c, async (key) => {
    await unsubscribe(web.store.db, key, { channel, source: clientAddress(web, c) }, web.clock());
    return 'unsubscribed';
  });
}

async function withToken(
  web: WebContext,
  c: Context,
  act: (key: SubscriptionKey) => Promise<'asked' | 'unsubscribed'>,
): Promise<Response> {
  const key = readUnsubscribeToken(web.secrets, c.req.param('token') ?? '');
  if (key === null) return respondNotFound(web, c);
  const kind = await act(key);
  const newsletter = web.view.newsletters.find(({ id }) => id === key.newsletter);
  const name = newsletter?.title ?? 'this newsletter';
  const title = kind === 'asked' ? `Unsubscribe from ${name}` : 'You are unsubscribed';
  const head = { title, description: title, path: null };
  // The link works for ever, so the page shows and opens nothing else.
  const data = { title, name, kind, canSubscribe: isSignupOpen(web) };
  return c.html(await renderPage(web, 'unsubscribe', head, data));
}

/**
 * The page behind an email's unsubscribe link. GET shows a button, since link scanners follow every link; POST unsubscribes,
 * whether the reader pressed it or a mail program asked in one click (RFC 8058).
 */
import type { Context } from 'hono';
import { findSubscription, unsubscribe } from '../subscribers/subscriptions.ts';
import { readUnsubscribeToken, type SubscriptionKey } from '../subscribers/tokens.ts';
import { answerNotFound } from './error-pages.ts';
import { renderPage } from './page.ts';
import type { Answers } from './routes.ts';
import type { Site } from './site.ts';

/** Answers `/unsubscribe/:token`. Nothing but a token that was made here gets more than the page for unknown addresses. */
export function answerUnsubscribe(site: Site): Answers {
  const { db } = site.store;
  return {
    get: (c) =>
      withToken(site, c, async (key) => {
        const subscription = await findSubscription(db, key);
        return subscription === null || subscription.state === 'unsubscribed' ? 'unsubscribed' : 'asked';
      }),
    // The body is not looked at: the token is all that is needed, and a mail program follows no redirect (RFC 8058 §3.1).
    post: (c) =>
      withToken(site, c, async (key) => {
        await unsubscribe(db, key, site.clock());
        return 'unsubscribed';
      }),
  };
}

async function withToken(
  site: Site,
  c: Context,
  act: (key: SubscriptionKey) => Promise<'asked' | 'unsubscribed'>,
): Promise<Response> {
  // The address is a capability: no cache keeps it, no referrer tells it, no search engine lists it.
  c.header('Referrer-Policy', 'no-referrer');
  c.header('X-Robots-Tag', 'noindex');
  c.header('Cache-Control', 'no-store');
  const key = readUnsubscribeToken(site.secret, c.req.param('token') ?? '');
  if (key === null) return answerNotFound(site, c);
  const is = await act(key);
  const newsletter = site.view.newsletters.find(({ id }) => id === key.newsletter) ?? null;
  const name = newsletter?.title ?? 'this newsletter';
  const title = is === 'asked' ? `Unsubscribe from ${name}` : 'You are unsubscribed';
  const head = { title, description: title, path: null };
  return c.html(await renderPage(site, 'unsubscribe', head, { title, name, is }));
}

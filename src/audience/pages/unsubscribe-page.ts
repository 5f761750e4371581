/**
 * The page behind the unsubscribe link of an email. POST unsubscribes, whether it comes from the button or from a mail
 * program in one click (RFC 8058). GET shows the button, since link scanners open every link.
 */
import type { Context, Handler, MiddlewareHandler } from 'hono';
import { renderPage } from '../../web/pages/page.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import { isForeign, respondForeignForm } from '../../web/server/form-origin.ts';
import { FORM_LIMIT, limitBody } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { findSubscriptionState, unsubscribe } from '../subscriptions.ts';
import type { SubscriptionKey } from '../tokens.ts';
import { readKeptUnsubscribeToken } from '../unsubscribe-keys.ts';
import { mailPreferencesLink } from './account-pages.ts';
import { isSignupOpen, newsletterChoices } from './subscribe-form.ts';

/** GET of `/unsubscribe/:token`. */
export function serveUnsubscribePage(web: WebContext): Handler {
  return (c) =>
    withToken(web, c, async (key) => {
      const state = await findSubscriptionState(web.store.db, key);
      return state === null || state === 'unsubscribed' ? 'unsubscribed' : 'asked';
    });
}

/**
 * POST of `/unsubscribe/:token`: unsubscribes if the body says so, as a mail program's one click (RFC 8058) or as the
 * form of the page. Mails a link to the preferences if the body asks for it. Anything else gets the page with the
 * button and 400, and changes nothing. Redirects nowhere (RFC 8058 §3.1).
 */
export function handleUnsubscribe(web: WebContext): Handler {
  return async (c) => {
    const fields = await readFields(c);
    const channel = channelOf(fields);
    if (channel === null && fields.get('preferences') !== 'mail') return respondNotAsked(web, c);
    // Webmail posts one click from its own site. The token alone is the permission.
    if (channel !== 'one-click' && isForeign(web, c, { acceptsNull: true })) return respondForeignForm(web, c);
    if (channel === null) return mailLink(web, c);
    return withToken(web, c, async (key) => {
      await unsubscribe(web.store.db, key, { channel, source: clientAddress(web, c) }, web.clock());
      return 'unsubscribed';
    });
  };
}

/**
 * An unsubscribe link never expires, so it opens no preferences itself: a person with an old email gets nothing, and
 * the subscriber a link.
 */
async function mailLink(web: WebContext, c: Context): Promise<Response> {
  const key = await readKeptUnsubscribeToken(web.store.db, web.secrets, c.req.param('token') ?? '');
  return key === null ? respondNotFound(web, c) : mailPreferencesLink(web, c, key.subscriberId);
}

/** Does not read a body that is longer than it should be. */
export function limitUnsubscribe(web: WebContext): MiddlewareHandler {
  return limitBody({ maxSize: FORM_LIMIT, onError: (c) => respondNotAsked(web, c) });
}

/** In either kind of form (RFC 8058 §3.2). Some mail programs send the fields without their type. */
async function readFields(c: Context): Promise<Pick<URLSearchParams, 'get'>> {
  const type = c.req.header('Content-Type')?.toLowerCase() ?? '';
  if (!type.startsWith('multipart/form-data')) return new URLSearchParams(await c.req.text());
  const fields = new URLSearchParams();
  try {
    for (const [name, value] of await c.req.formData()) if (typeof value === 'string') fields.append(name, value);
  } catch {
    // Not what its type says.
  }
  return fields;
}

function channelOf(fields: Pick<URLSearchParams, 'get'>): 'one-click' | 'unsubscribe-page' | null {
  // Some mail programs end the body with a line break.
  if (fields.get('List-Unsubscribe')?.trim() === 'One-Click') return 'one-click';
  return fields.get('unsubscribe') === 'yes' ? 'unsubscribe-page' : null;
}

function respondNotAsked(web: WebContext, c: Context): Promise<Response> {
  return withToken(web, c, async () => 'asked', 400);
}

async function withToken(
  web: WebContext,
  c: Context,
  act: (key: SubscriptionKey) => Promise<'asked' | 'unsubscribed'>,
  status: 200 | 400 = 200,
): Promise<Response> {
  const key = await readKeptUnsubscribeToken(web.store.db, web.secrets, c.req.param('token') ?? '');
  if (key === null) return respondNotFound(web, c);
  const kind = await act(key);
  const newsletter = newsletterChoices(web, []).find(({ id }) => id === key.newsletter);
  const named = { known: newsletter === undefined ? 'no' : 'yes', newsletter: newsletter?.title ?? '' };
  const title = kind === 'asked' ? web.locale.text('unsubscribe.title', named) : web.locale.text('unsubscribe.done');
  const head = { title, description: title, path: null };
  // The link works for ever, so the page shows and opens nothing else: a link to the preferences is mailed.
  const data = { ...named, language: newsletter?.language ?? web.view.language, kind, canSubscribe: isSignupOpen(web) };
  return c.html(await renderPage(web, 'unsubscribe', head, data), status);
}

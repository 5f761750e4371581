/**
 * The page behind the unsubscribe link of an email. POST unsubscribes, whether it comes from the button or from a mail
 * program in one click (RFC 8058). GET shows the button, since link scanners open every link.
 */
import type { Context, Handler, MiddlewareHandler } from 'hono';
import { wallClock } from '../../lib/time.ts';
import { renderPage } from '../../web/pages/page.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import { isForeign, respondForeignForm } from '../../web/server/form-origin.ts';
import { FORM_LIMIT, limitBody } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import type { ConsentChannel } from '../consent/changes.ts';
import { changePreferences, changeToWeekly, readPreferences } from '../preferences.ts';
import { endSubscriptions, findSubscriptionState } from '../subscriptions.ts';
import type { SubscriptionKey } from '../tokens.ts';
import { readKeptUnsubscribeToken } from '../unsubscribe-keys.ts';
import { mailPreferencesLink } from './account-pages.ts';
import { isSignupOpen, type NewsletterChoice, newsletterChoices, weekliesOf } from './subscribe-form.ts';

/** What the page says, and the message that is its title. */
const TITLES = {
  asked: 'unsubscribe.title',
  unsubscribed: 'unsubscribe.done',
  weekly: 'unsubscribe.weeklyTitle',
  pause: 'unsubscribe.pausedTitle',
} as const;

type PageKind = keyof typeof TITLES;

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
 * form of the page; or does what the other forms of the page ask for, which is less mail or a link to the preferences.
 * Anything else gets the page with the button and 400, and changes nothing. Redirects nowhere (RFC 8058 §3.1).
 */
export function handleUnsubscribe(web: WebContext): Handler {
  return async (c) => {
    const act = actOf(await readFields(c));
    if (act === null) return respondNotAsked(web, c);
    // Webmail posts one click from its own site. The token alone is the permission.
    if (act !== 'one-click' && isForeign(web, c, { acceptsNull: true })) return respondForeignForm(web, c);
    if (act === 'preferences') return mailLink(web, c);
    return withToken(web, c, (key) => perform(web, key, act, clientAddress(web, c)));
  };
}

/** How long a pause of the page is. */
const PAUSE_DAYS = 30;

/** Names of the fields that ask for them. */
const ACTS = ['unsubscribe', 'weekly', 'pause'] as const;
type Act = (typeof ACTS)[number] | 'one-click';

/** @returns what the page says. It does not depend on the state of the subscription, which the page must not tell. */
async function perform(web: WebContext, key: SubscriptionKey, act: Act, source: string | null): Promise<PageKind> {
  const now = web.clock();
  const via = { channel: act === 'one-click' ? act : ('unsubscribe-page' as const), source };
  if (act === 'weekly') {
    const { weekly } = pairOf(web, key.newsletter);
    if (weekly === null) return 'asked';
    await changeToWeekly(web.store.db, key, weekly.id, via, now);
  } else if (act === 'pause') await pause(web, key, via, now);
  else await endSubscriptions(web.store.db, key.subscriberId, [key.newsletter], via, now);
  return act === 'weekly' || act === 'pause' ? act : 'unsubscribed';
}

/**
 * Pauses everything, as the preferences do, unless a pause is that long: it is recorded once a day at most. Changes
 * nothing unless the subscription is confirmed: the link of a newsletter that was left has nothing to do with others.
 */
async function pause({ store, view }: WebContext, key: SubscriptionKey, via: ConsentChannel, now: number) {
  const subscriber = await readPreferences(store.db, key.subscriberId);
  if (subscriber === null || (await findSubscriptionState(store.db, key)) !== 'confirmed') return;
  const today = wallClock(now, subscriber.zone ?? view.zone).startOfDay();
  const pausedUntil = today.add({ days: PAUSE_DAYS }).startOfDay().epochMilliseconds;
  if ((subscriber.pausedUntil ?? 0) >= pausedUntil) return;
  await changePreferences(store.db, subscriber.id, { pausedUntil }, via, now);
}

/** `other`: to which subscribers of a newsletter can have been moved. */
function pairOf(web: WebContext, newsletter: string): Record<'weekly' | 'other', NewsletterChoice | null> {
  const pair = weekliesOf(web).find((ids) => ids.includes(newsletter));
  const other = newsletterChoices(web, []).find(({ id }) => id !== newsletter && pair?.includes(id)) ?? null;
  return { weekly: pair?.[0] === newsletter ? other : null, other };
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

function actOf(fields: Pick<URLSearchParams, 'get'>): Act | 'preferences' | null {
  // Some mail programs end the body with a line break.
  if (fields.get('List-Unsubscribe')?.trim() === 'One-Click') return 'one-click';
  return ACTS.find((act) => fields.get(act) === 'yes') ?? (fields.get('preferences') === 'mail' ? 'preferences' : null);
}

function respondNotAsked(web: WebContext, c: Context): Promise<Response> {
  return withToken(web, c, async () => 'asked', 400);
}

async function withToken(
  web: WebContext,
  c: Context,
  act: (key: SubscriptionKey) => Promise<PageKind>,
  status: 200 | 400 = 200,
): Promise<Response> {
  const key = await readKeptUnsubscribeToken(web.store.db, web.secrets, c.req.param('token') ?? '');
  if (key === null) return respondNotFound(web, c);
  const kind = await act(key);
  const newsletter = newsletterChoices(web, []).find(({ id }) => id === key.newsletter);
  const named = { known: newsletter === undefined ? 'no' : 'yes', newsletter: newsletter?.title ?? '' };
  const pair = pairOf(web, key.newsletter);
  const title = web.locale.text(TITLES[kind], kind === 'weekly' ? { newsletter: pair.weekly?.title ?? '' } : named);
  const head = { title, description: title, path: null };
  // The link works for ever, so the page shows and opens nothing else: a link to the preferences is mailed.
  const data = {
    ...{ ...named, language: newsletter?.language ?? web.view.language, kind, canSubscribe: isSignupOpen(web) },
    ...{ ...pair, days: PAUSE_DAYS },
    hasChoices: web.config.newsletters.some(({ choices }) => choices !== undefined),
  };
  return c.html(await renderPage(web, 'unsubscribe', head, data), status);
}

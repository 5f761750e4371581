/**
 * Accepts the form to subscribe. The response is the same for a new, a known and a suppressed address: the email that
 * follows says the rest.
 */
import type { Context, Handler } from 'hono';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { acquirePermits, type KeyedLimit } from '../../core/store/rate-limits.ts';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { renderPage } from '../../web/pages/page.ts';
import { clientAddress, clientKey, widerClientKey } from '../../web/server/client-address.ts';
import { respondError } from '../../web/server/errors.ts';
import { readForm, respondNoForm } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import type { ConsentText } from '../consent/consent-text.ts';
import { requestSubscription } from '../consent/opt-in.ts';
import { CONFIRM_WITHIN_HOURS, raiseSignupAlert, signupOptions } from '../consent/signup-limits.ts';
import { renderNewsletters } from './newsletters-page.ts';
import {
  isSignupOpen,
  isTrapped,
  newsletterChoices,
  readSubscribeForm,
  type SubscribeErrors,
  type SubscribeFields,
  shownConsent,
  subscribeView,
} from './subscribe-form.ts';

/** GET of `/subscribe`: redirects to the page with the form. */
export function redirectToForm(web: WebContext): Handler {
  return (c) => (isSignupOpen(web) ? c.redirect(`${web.base}/newsletters`, 303) : respondClosed(web, c));
}

/** POST of `/subscribe`. */
export function handleSubscribe(web: WebContext): Handler {
  return async (c) => {
    if (!isSignupOpen(web)) return respondClosed(web, c);
    const posted = await readForm(c);
    if (posted === null) return respondNoForm(web, c);
    const { fields, errors } = readSubscribeForm(web, posted);
    if (errors !== null) return respondWithErrors(web, c, fields, errors);
    // Do not tell the program that it was recognised.
    if (isTrapped(posted)) return respondCheckInbox(web, c, fields);
    return subscribe(web, c, fields, await shownConsent(web, posted));
  };
}

async function subscribe(
  web: WebContext,
  c: Context,
  fields: SubscribeFields,
  consent: ConsentText | null,
): Promise<Response> {
  const { config, secrets } = web;
  const { db } = web.store;
  const now = web.clock();
  const source = clientAddress(web, c);
  const rate = await acquirePermits(db, limitsOfClient(secrets, source), now);
  if (rate.kind === 'refused') return respondTooMany(web, c, 'signup.tooMany.network', rate.retryAt - now);
  const { email, newsletters, zone } = fields;
  const requested = await requestSubscription(
    db,
    secrets,
    { email, newsletters, ...(zone === '' ? {} : { zone }) },
    { channel: 'form', source, consent },
    signupOptions(config.signup),
    now,
  );
  if (requested.kind === 'limited') {
    if (requested.scope === 'all') await raiseSignupAlert(db, config.signup.perHour, now);
    const message = requested.scope === 'all' ? 'signup.tooMany.all' : 'signup.tooMany.provider';
    return respondTooMany(web, c, message, requested.retryAt - now);
  }
  if (requested.kind === 'refused') throw new Error(`the form accepted a request that is invalid: ${requested.reason}`);
  return respondCheckInbox(web, c, fields);
}

/** Families and small offices share an address. */
const PER_CLIENT_PER_HOUR = 10;
/** A client with IPv6 can send each request from another /64 of its /48. */
const WIDER_FACTOR = 4;

function limitsOfClient(secrets: SigningSecrets, address: string | null): KeyedLimit[] {
  const wider = PER_CLIENT_PER_HOUR * WIDER_FACTOR;
  return [
    { key: clientKey(secrets, address), everyMs: HOUR / PER_CLIENT_PER_HOUR, burst: PER_CLIENT_PER_HOUR },
    { key: widerClientKey(secrets, address), everyMs: Math.ceil(HOUR / wider), burst: wider },
  ];
}

/** 422 (RFC 9110 §15.5.21): the form as it was filled in, with the errors beside their fields. */
async function respondWithErrors(
  web: WebContext,
  c: Context,
  fields: SubscribeFields,
  errors: SubscribeErrors,
): Promise<Response> {
  const html = await renderNewsletters(web, await subscribeView(web, fields, errors), true);
  return c.html(html, 422, { 'Cache-Control': 'no-store' });
}

/** No redirect: the page shows the address, so that people notice a typo, and no URL may contain an address. */
async function respondCheckInbox(
  web: WebContext,
  c: Context,
  { email, newsletters }: SubscribeFields,
): Promise<Response> {
  const chosen = newsletterChoices(web, newsletters).filter(({ checked }) => checked);
  const titles = chosen.map(({ title, language }) => web.locale.value(title, language));
  const { locale } = web;
  const title = locale.text('signup.inbox.title');
  const head = { title, description: locale.text('signup.inbox.description'), path: null };
  const data = { email, titles, hours: CONFIRM_WITHIN_HOURS };
  return c.html(await renderPage(web, 'check-inbox', head, data), 200, { 'Cache-Control': 'no-store' });
}

/** @param message name of a message, with `minutes` */
async function respondTooMany(web: WebContext, c: Context, message: string, waitMs: number): Promise<Response> {
  const minutes = Math.max(1, Math.ceil(waitMs / MINUTE));
  c.header('Retry-After', String(Math.max(1, Math.ceil(waitMs / SECOND))));
  const { locale } = web;
  const title = locale.text('signup.tooMany.title');
  return respondError(web, c, 429, { title, message: locale.text(message, { minutes }) });
}

async function respondClosed(web: WebContext, c: Context): Promise<Response> {
  const { locale } = web;
  const message = locale.text('signup.closed.text');
  return respondError(web, c, 404, { title: locale.text('signup.closed.title'), message });
}

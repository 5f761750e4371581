/** Accepts the form to subscribe, and answers with pages. */
import type { Context, Handler } from 'hono';
import { renderPage } from '../../web/pages/page.ts';
import { respondError } from '../../web/server/errors.ts';
import { respondNoForm } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { CONFIRM_WITHIN_HOURS } from '../consent/signup-limits.ts';
import { renderNewsletters } from './newsletters-page.ts';
import { type SignupResult, signUp } from './sign-up.ts';
import {
  chosenTitles,
  isSignupOpen,
  type SubscribeErrors,
  type SubscribeFields,
  subscribeView,
} from './subscribe-form.ts';

/** GET of `/subscribe`: redirects to the page with the form. */
export function redirectToForm(web: WebContext): Handler {
  return (c) => (isSignupOpen(web) ? c.redirect(`${web.base}/newsletters`, 303) : respondClosed(web, c));
}

/** POST of `/subscribe`. */
export function handleSubscribe(web: WebContext): Handler {
  return async (c) => respondSignup(web, c, await signUp(web, c, 'html'));
}

/** The page that follows a sign-up. @param result its errors are in HTML */
export function respondSignup(web: WebContext, c: Context, result: SignupResult): Promise<Response> {
  if (result.kind === 'check-inbox') return respondCheckInbox(web, c, result.fields);
  if (result.kind === 'invalid') return respondWithErrors(web, c, result.fields, result.errors);
  if (result.kind === 'closed') return respondClosed(web, c);
  if (result.kind === 'no-form') return respondNoForm(web, c);
  c.header('Retry-After', result.retryAfter);
  return respondError(web, c, 429, { title: web.locale.text('signup.tooMany.title'), message: result.message });
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
async function respondCheckInbox(web: WebContext, c: Context, fields: SubscribeFields): Promise<Response> {
  const { locale } = web;
  const titles = chosenTitles(web, fields).map(({ title, language }) => locale.value(title, language));
  const title = locale.text('signup.inbox.title');
  const head = { title, description: locale.text('signup.inbox.description'), path: null };
  const data = { email: fields.email, titles, hours: CONFIRM_WITHIN_HOURS };
  return c.html(await renderPage(web, 'check-inbox', head, data), 200, { 'Cache-Control': 'no-store' });
}

async function respondClosed(web: WebContext, c: Context): Promise<Response> {
  const { locale } = web;
  const message = locale.text('signup.closed.text');
  return respondError(web, c, 404, { title: locale.text('signup.closed.title'), message });
}

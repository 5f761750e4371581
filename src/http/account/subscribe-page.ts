/**
 * What the form to subscribe leads to. Whatever address was given, known, new or suppressed, the answer is the same: a mail to it
 * says the rest.
 */
import type { Context } from 'hono';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { takeRate } from '../../store/rate-limits.ts';
import { requestSubscription } from '../../subscribers/consent/opt-in.ts';
import { renderNewsletters } from '../pages/newsletters-page.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress, clientKey } from '../server/client-address.ts';
import { respondError } from '../server/errors.ts';
import { readForm } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import {
  isSubscribingOpen,
  isTrapped,
  readSubscribeForm,
  type SubscribeErrors,
  type SubscribeFields,
  subscribeView,
} from './subscribe-form.ts';

/** Answers `/subscribe`: POST takes the form, GET leads to it. */
export function answerSubscribe(web: WebContext): Answers {
  if (!isSubscribingOpen(web)) return { get: (c) => answerClosed(web, c), post: (c) => answerClosed(web, c) };
  return {
    get: (c) => c.redirect(`${web.base}/newsletters`, 303),
    post: (c) => takeForm(web, c),
  };
}

async function takeForm(web: WebContext, c: Context): Promise<Response> {
  // Another site's page could have its visitors' browsers ask for mail to strangers (Fetch Metadata, W3C).
  if (c.req.header('Sec-Fetch-Site') === 'cross-site') {
    const message = `The form was sent from another web. Please subscribe at ${web.view.url}/newsletters.`;
    return respondError(web, c, 403, { title: 'Not from here', message });
  }
  const posted = await readForm(c);
  if (posted.kind === 'refused') {
    return respondError(web, c, posted.status, { title: 'Not understood', message: posted.message });
  }
  const { fields, errors } = readSubscribeForm(web, posted.fields);
  if (errors !== null) return answerAgain(web, c, fields, errors);
  if (isTrapped(posted.fields)) return answerAsked(web, c, fields);
  return request(web, c, fields);
}

async function request(web: WebContext, c: Context, fields: SubscribeFields): Promise<Response> {
  const { config, secrets } = web;
  const { db } = web.store;
  const { confirmWithinHours, perIpPerHour, perAddressPerDay } = config.signup;
  const now = web.clock();
  const source = clientAddress(c, config.server.trustedProxies);
  const limit = { everyMs: Math.ceil(HOUR / perIpPerHour), burst: perIpPerHour };
  const rate = await takeRate(db, clientKey(secrets, source), limit, now);
  if (rate.kind === 'refused') return answerTooMany(web, c, rate.retryAt - now);
  const { email, newsletters, zone } = fields;
  const asked = await requestSubscription(
    db,
    secrets,
    { email, newsletters, ...(zone === '' ? {} : { zone }) },
    { channel: 'form', source },
    { confirmMs: confirmWithinHours * HOUR, perAddressPerDay },
    now,
  );
  if (asked.kind === 'refused') {
    return answerAgain(web, c, fields, { email: asked.reason, newsletters: null, zone: null });
  }
  return answerAsked(web, c, fields);
}

/** 422 (RFC 9110 §15.5.21): the form, as it was filled in, with what is wrong beside each field. */
async function answerAgain(
  web: WebContext,
  c: Context,
  fields: SubscribeFields,
  errors: SubscribeErrors,
): Promise<Response> {
  const html = await renderNewsletters(web, await subscribeView(web, fields, errors), true);
  return c.html(html, 422, { 'Cache-Control': 'no-store' });
}

/** No redirect: the page shows the address, so that a slip of the fingers is seen, and no address may stand in a URL. */
async function answerAsked(web: WebContext, c: Context, { email, newsletters }: SubscribeFields): Promise<Response> {
  const titles = web.view.newsletters.filter(({ id }) => newsletters.includes(id)).map(({ title }) => title);
  const head = { title: 'Check your inbox', description: 'A link to confirm is on its way.', path: null };
  const data = { email, titles, hours: web.config.signup.confirmWithinHours };
  return c.html(await renderPage(web, 'asked', head, data), 200, { 'Cache-Control': 'no-store' });
}

async function answerTooMany(web: WebContext, c: Context, wait: number): Promise<Response> {
  const minutes = Math.max(1, Math.ceil(wait / MINUTE));
  c.header('Retry-After', String(Math.max(1, Math.ceil(wait / SECOND))));
  return respondError(web, c, 429, {
    title: 'Too many at once',
    message: `Many requests to subscribe came from your network. Please try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
  });
}

async function answerClosed(web: WebContext, c: Context): Promise<Response> {
  return respondError(web, c, 404, {
    title: 'Subscribing is closed',
    message: 'New readers are not taken at the moment. Whoever gets a newsletter goes on getting it.',
  });
}

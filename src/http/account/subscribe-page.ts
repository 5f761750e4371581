/**
 * What the form to subscribe leads to. Whatever address was given, known, new or suppressed, the answer is the same: a mail to it
 * says the rest.
 */
import type { Context } from 'hono';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { takeRate } from '../../store/rate-limits.ts';
import { requestSubscription } from '../../subscribers/consent/consent.ts';
import { renderNewsletters } from '../pages/newsletters-page.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress, clientKey } from '../server/client-address.ts';
import { answerError } from '../server/error-pages.ts';
import { readForm } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import {
  isSubscribingOpen,
  isTrapped,
  readSubscribeForm,
  type SubscribeErrors,
  type SubscribeFields,
  subscribeView,
} from './subscribe-form.ts';

/** Answers `/subscribe`: POST takes the form, GET leads to it. */
export function answerSubscribe(site: Site): Answers {
  if (!isSubscribingOpen(site)) return { get: (c) => answerClosed(site, c), post: (c) => answerClosed(site, c) };
  return {
    get: (c) => c.redirect(`${site.base}/newsletters`, 303),
    post: (c) => takeForm(site, c),
  };
}

async function takeForm(site: Site, c: Context): Promise<Response> {
  // Another site's page could have its visitors' browsers ask for mail to strangers (Fetch Metadata, W3C).
  if (c.req.header('Sec-Fetch-Site') === 'cross-site') {
    const message = `The form was sent from another site. Please subscribe at ${site.view.url}/newsletters.`;
    return answerError(site, c, 403, { title: 'Not from here', message });
  }
  const posted = await readForm(c);
  if (posted.kind === 'refused') {
    return answerError(site, c, posted.status, { title: 'Not understood', message: posted.message });
  }
  const { fields, errors } = readSubscribeForm(site, posted.fields);
  if (errors !== null) return answerAgain(site, c, fields, errors);
  if (isTrapped(posted.fields)) return answerAsked(site, c, fields);
  return request(site, c, fields);
}

async function request(site: Site, c: Context, fields: SubscribeFields): Promise<Response> {
  const { config, secrets } = site;
  const { db } = site.store;
  const { confirmWithinHours, perIpPerHour, perAddressPerDay } = config.signup;
  const now = site.clock();
  const source = clientAddress(c, config.server.trustedProxies);
  const limit = { everyMs: Math.ceil(HOUR / perIpPerHour), burst: perIpPerHour };
  const rate = await takeRate(db, clientKey(secrets, source), limit, now);
  if (rate.kind === 'refused') return answerTooMany(site, c, rate.retryAt - now);
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
    return answerAgain(site, c, fields, { email: asked.reason, newsletters: null, zone: null });
  }
  return answerAsked(site, c, fields);
}

/** 422 (RFC 9110 §15.5.21): the form, as it was filled in, with what is wrong beside each field. */
async function answerAgain(
  site: Site,
  c: Context,
  fields: SubscribeFields,
  errors: SubscribeErrors,
): Promise<Response> {
  const html = await renderNewsletters(site, await subscribeView(site, fields, errors), true);
  return c.html(html, 422, { 'Cache-Control': 'no-store' });
}

/** No redirect: the page shows the address, so that a slip of the fingers is seen, and no address may stand in a URL. */
async function answerAsked(site: Site, c: Context, { email, newsletters }: SubscribeFields): Promise<Response> {
  const titles = site.view.newsletters.filter(({ id }) => newsletters.includes(id)).map(({ title }) => title);
  const head = { title: 'Check your inbox', description: 'A link to confirm is on its way.', path: null };
  const data = { email, titles, hours: site.config.signup.confirmWithinHours };
  return c.html(await renderPage(site, 'asked', head, data), 200, { 'Cache-Control': 'no-store' });
}

async function answerTooMany(site: Site, c: Context, wait: number): Promise<Response> {
  const minutes = Math.max(1, Math.ceil(wait / MINUTE));
  c.header('Retry-After', String(Math.max(1, Math.ceil(wait / SECOND))));
  return answerError(site, c, 429, {
    title: 'Too many at once',
    message: `Many requests to subscribe came from your network. Please try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
  });
}

async function answerClosed(site: Site, c: Context): Promise<Response> {
  return answerError(site, c, 404, {
    title: 'Subscribing is closed',
    message: 'New readers are not taken at the moment. Whoever gets a newsletter goes on getting it.',
  });
}

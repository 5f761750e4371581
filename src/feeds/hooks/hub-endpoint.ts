/** The endpoint of the embedded hub (WebSub §5.1). It accepts a request first and verifies it later. */

import type { Context, Handler } from 'hono';
import { encryptSecret } from '../../core/config/encrypt-secret.ts';
import { acquirePermit, type RateLimit } from '../../core/store/rate-limits.ts';
import { whyRefused } from '../../lib/guarded-fetch/guarded-socket.ts';
import { HOUR, SECOND } from '../../lib/time.ts';
import { clientAddress, clientKey } from '../../web/server/client-address.ts';
import { FORM_LIMIT, limitBody, readForm } from '../../web/server/request-body.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { hasDocument } from '../documents.ts';
import { openHubGuard } from '../hub/hub-context.ts';
import { countNewSubscription } from '../hub/quotas.ts';
import { type HubRequest, parseHubRequest, subscriptionKey } from '../hub/subscribe-request.ts';
import { hasSubscription } from '../hub/subscriptions.ts';
import { enqueueRequest } from '../hub/verify.ts';
import { topicPath } from '../topics.ts';

// An aggregator subscribes to dozens of feeds at once, and renews before its leases end. The second limit protects
// third parties, since each request makes us call the host that it names.
const PER_CLIENT: RateLimit = { everyMs: HOUR / 240, burst: 240 };
const PER_CALLBACK_HOST: RateLimit = { everyMs: HOUR / 2_400, burst: 2_400 };

const limitHubRequest = limitBody({
  maxSize: FORM_LIMIT,
  onError: (c) => respond(c, 413, 'The request is too long.'),
});

export const addHub: AddRoutes = (site, web) => {
  if (web.config.hub === 'self') site.post('/hub', limitHubRequest, handleHubRequest(web));
};

/** 202 if the request is accepted and will be verified, otherwise 4xx with a reason. */
function handleHubRequest(web: WebContext): Handler {
  const guard = openHubGuard();
  return async (c) => {
    const fields = await readForm(c);
    if (fields === null) {
      return respond(c, 415, 'The hub accepts application/x-www-form-urlencoded, with hub.mode and so on.');
    }
    const client = clientKey(web.secrets, clientAddress(web, c));
    const wait = await secondsToWait(web, `hub ${client}`, PER_CLIENT);
    if (wait > 0) return respondTooMany(c, wait, 'Too many requests from your network.');
    const read = parseHubRequest(fields, (address) => topicPath(web.config, address));
    if (read.kind === 'invalid') return respond(c, 400, read.reason);
    const refusal = whyRefused(new URL(read.request.callback), guard);
    if (refusal !== null) return respond(c, 400, `hub.callback is not allowed: ${refusal}.`);
    return accept(web, c, read.request);
  };
}

async function accept(web: WebContext, c: Context, request: HubRequest): Promise<Response> {
  const { db } = web.store;
  const { mode, topic, callback, secret } = request;
  // A subscriber may unsubscribe from a feed that no longer exists.
  if (mode === 'subscribe' && !(await hasDocument(db, topic))) return respond(c, 404, 'There is no feed at hub.topic.');
  // Existing subscribers can always renew or unsubscribe.
  const isSubscribed = await hasSubscription(db, subscriptionKey(request), web.clock());
  const host = `hub host ${new URL(callback).hostname}`;
  const wait = isSubscribed ? 0 : await secondsToWait(web, host, PER_CALLBACK_HOST);
  if (wait > 0) return respondTooMany(c, wait, 'Too many requests for this callback host.');
  if (mode === 'subscribe' && !isSubscribed) {
    const quota = await countNewSubscription(db, web.secrets, 'client', clientAddress(web, c), web.clock());
    if (quota > 0) return respondTooMany(c, quota, 'Too many new subscriptions from your network.');
  }
  const sealed =
    secret === null ? null : encryptSecret('seal hub secrets', web.secrets, secret, subscriptionKey(request));
  const client = clientKey(web.secrets, clientAddress(web, c));
  const admission = await enqueueRequest(db, request, { secret: sealed, client }, web.clock());
  if (admission.kind === 'refused') return respondTooMany(c, admission.retryAfterSeconds, admission.reason);
  return respond(c, 202, `The request to ${mode} is accepted. The hub now verifies it with the callback.`);
}

/** 0 if the rate limit grants the request. */
async function secondsToWait({ store, clock }: WebContext, key: string, rate: RateLimit): Promise<number> {
  const now = clock();
  const answer = await acquirePermit(store.db, key, rate, now);
  return answer.kind === 'granted' ? 0 : Math.max(1, Math.ceil((answer.retryAt - now) / SECOND));
}

function respond(c: Context, status: 202 | 400 | 404 | 413 | 415, text: string): Response {
  return c.text(`${text}\n`, status, { 'Cache-Control': 'no-store' });
}

function respondTooMany(c: Context, seconds: number, text: string): Response {
  const headers = { 'Cache-Control': 'no-store', 'Retry-After': String(seconds) };
  return c.text(`${text} Please try again in ${seconds} s.\n`, 429, headers);
}

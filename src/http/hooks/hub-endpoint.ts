/**
 * The embedded hub's door (WebSub §5.1): a subscriber asks, and is answered before anything is verified.
 */
import type { Context } from 'hono';
import { topicPath } from '../../feeds/topics.ts';
import { openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';
import { whyRefused } from '../../lib/guarded-fetch/guarded-request.ts';
import { HOUR, SECOND } from '../../lib/time.ts';
import { takeRate } from '../../store/rate-limits.ts';
import { encryptSecret } from '../../websub/encrypt-secret.ts';
import { type HubRequest, parseHubRequest, subscriptionKey } from '../../websub/subscribe-request.ts';
import { hasSubscription } from '../../websub/subscriptions.ts';
import { enqueueRequest } from '../../websub/verification-outbox.ts';
import { clientAddress, clientKey } from '../server/client-address.ts';
import { readForm } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';

// An aggregator asks for each of some dozens of feeds at once, and again before its leases end. The second limit protects a third party
// in whose name strangers ask: each request makes us call it.
const PER_CLIENT = { everyMs: HOUR / 240, burst: 240 };
const PER_CALLBACK_HOST = { everyMs: HOUR / 2_400, burst: 2_400 };

/** Answers POST of `/hub`: 202 where the request is taken, and will be verified; else 4xx with a sentence. */
export function answerHub(web: WebContext): Answers {
  const guard = openAddressGuard(web.config.hub?.allowPrivateNetworks ?? []);
  return {
    post: async (c) => {
      c.header('Cache-Control', 'no-store');
      const posted = await readForm(c);
      if (posted.kind === 'refused') {
        return say(
          c,
          posted.status,
          `${posted.message} A hub takes application/x-www-form-urlencoded, hub.mode and so on.`,
        );
      }
      const client = clientKey(web.secrets, clientAddress(c, web.config.server.trustedProxies));
      const wait = await secondsToWait(web, `hub ${client}`, PER_CLIENT);
      if (wait > 0) return sayLater(c, wait, 'Many requests came from your network.');
      const read = parseHubRequest(posted.fields, (address) => topicPath(web.config, address));
      if (read.kind === 'invalid') return say(c, 400, read.reason);
      const refusal = whyRefused(new URL(read.request.callback), guard);
      if (refusal !== null) return say(c, 400, `hub.callback may not be called: ${refusal}.`);
      return take(web, c, read.request);
    },
  };
}

async function take(web: WebContext, c: Context, request: HubRequest): Promise<Response> {
  const { db } = web.store;
  const { mode, topic, callback, secret } = request;
  // Whoever leaves may leave a feed that is gone.
  if (mode === 'subscribe' && !(await hasDocument(web, topic))) return say(c, 404, 'There is no feed at hub.topic.');
  // Nobody can use up the place of who is subscribed already.
  const isSubscribed = await hasSubscription(db, subscriptionKey(request), web.clock());
  const host = `hub host ${new URL(callback).hostname}`;
  const wait = isSubscribed ? 0 : await secondsToWait(web, host, PER_CALLBACK_HOST);
  if (wait > 0) return sayLater(c, wait, 'Many requests name this callback host.');
  const sealed = secret === null ? null : encryptSecret(web.secrets, secret, subscriptionKey(request));
  const admission = await enqueueRequest(db, request, sealed, web.clock());
  if (admission.kind === 'full') return sayLater(c, admission.retryAfterSeconds, 'The hub is full at the moment.');
  return say(c, 202, `The request to ${mode} is taken: the callback is asked now whether it wants this.`);
}

async function hasDocument({ store }: WebContext, path: string): Promise<boolean> {
  const row = await store.db.selectFrom('documents').select('path').where('path', '=', path).executeTakeFirst();
  return row !== undefined;
}

/** 0 where one more is granted. */
async function secondsToWait({ store, clock }: WebContext, key: string, rate: typeof PER_CLIENT): Promise<number> {
  const now = clock();
  const answer = await takeRate(store.db, key, rate, now);
  return answer.kind === 'granted' ? 0 : Math.max(1, Math.ceil((answer.retryAt - now) / SECOND));
}

function say(c: Context, status: 202 | 400 | 404 | 413 | 415, sentence: string): Response {
  return c.text(`${sentence}\n`, status);
}

function sayLater(c: Context, seconds: number, sentence: string): Response {
  return c.text(`${sentence} Please try again in ${seconds} s.\n`, 429, { 'Retry-After': String(seconds) });
}

/**
 * Content distribution (WebSub §7): the whole feed, as it is now, to a subscriber's callback.
 */
import { createHmac } from 'node:crypto';
import { findDocument } from '../feeds/documents.ts';
import { hubAddress, topicAddress } from '../feeds/topics.ts';
import { guardedRequest, type RequestLimits } from '../lib/guarded-fetch/guarded-request.ts';
import type { HubDeps } from './deps.ts';
import { openSecret } from './seal.ts';
import { type ClaimedSubscription, recordTelling, type Telling } from './subscriptions.ts';
import { withParameters } from './verify.ts';

/** Tells a subscriber, and records what came of it. */
export async function tellSubscriber(
  deps: HubDeps,
  claimed: ClaimedSubscription,
  limits: RequestLimits,
): Promise<void> {
  const { store, clock, log } = deps;
  const telling = await post(deps, claimed, limits);
  const outcome = await recordTelling(store.db, claimed, telling, clock());
  const { topic, host } = claimed;
  if (telling.kind === 'failed')
    log.warn({ topic, host, reason: telling.reason, outcome }, 'a subscriber could not be told');
  if (telling.kind === 'gone') log.info({ topic, host, reason: telling.reason }, 'a subscription has ended');
}

async function post(deps: HubDeps, claimed: ClaimedSubscription, limits: RequestLimits): Promise<Telling> {
  const { store, config, secrets, clock } = deps;
  const { key, topic, callback } = claimed;
  // Read after the claim: never older than the change that is owed.
  const document = await findDocument(store.db, topic);
  if (document === null) {
    const reason = 'there is no such feed any more';
    const denial = { 'hub.mode': 'denied', 'hub.topic': topicAddress(config, topic), 'hub.reason': reason };
    // §5.2; what it answers changes nothing.
    await guardedRequest({ url: withParameters(callback, denial), method: 'GET', headers: {} }, limits);
    return limits.signal?.aborted ? { kind: 'put-back' } : { kind: 'gone', reason };
  }
  const body = Buffer.from(document.body);
  const headers: Record<string, string> = {
    'Content-Type': document.mediaType,
    Link: `<${hubAddress(config)}>; rel="hub", <${topicAddress(config, topic)}>; rel="self"`,
  };
  if (claimed.secret !== null) {
    const secret = openSecret(secrets, claimed.secret, key);
    // Unsigned it would be taken for a forgery.
    if (secret === null) return { kind: 'failed', reason: 'its secret was sealed under a signing secret that is gone' };
    headers['X-Hub-Signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  }
  const began = clock();
  const answer = await guardedRequest({ url: callback, method: 'POST', headers, body }, limits);
  if (answer.kind === 'refused') return { kind: 'failed', reason: answer.reason };
  if (answer.kind === 'failed') return limits.signal?.aborted ? { kind: 'put-back' } : answer;
  if (answer.status === 410) return { kind: 'gone', reason: 'its callback answered 410' };
  if (answer.status < 200 || answer.status > 299) return { kind: 'failed', reason: `it answered ${answer.status}` };
  return { kind: 'told', tookMs: clock() - began };
}

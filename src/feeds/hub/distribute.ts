/** Content distribution (WebSub §7): the whole feed, in its current version, to the callback of a subscriber. */

import { createHmac } from 'node:crypto';
import { decryptSecret } from '../../core/config/encrypt-secret.ts';
import { guardedRequest, type RequestLimits } from '../../lib/guarded-fetch/guarded-request.ts';
import { findDocument } from '../documents.ts';
import { hubAddress, topicAddress } from '../topics.ts';
import type { HubContext } from './hub-context.ts';
import { type ClaimedSubscription, type DistributionResult, recordDistribution } from './subscriptions.ts';
import { withParameters } from './verify.ts';

/** Delivers the topic to a subscriber and records the result. */
export async function distributeContent(
  context: HubContext,
  claimed: ClaimedSubscription,
  limits: RequestLimits,
): Promise<void> {
  const { store, clock, log } = context;
  const result = await postContent(context, claimed, limits);
  const outcome = await recordDistribution(store.db, claimed, result, clock());
  const { topic, host } = claimed;
  if (result.kind === 'failed') {
    log.warn({ topic, host, reason: result.reason, outcome }, 'delivery to a hub subscriber failed');
  }
  if (result.kind === 'ended') log.info({ topic, host, reason: result.reason }, 'hub subscription ended');
}

async function postContent(
  { store, config, secrets, clock }: HubContext,
  { key, topic, callback, secret }: ClaimedSubscription,
  limits: RequestLimits,
): Promise<DistributionResult> {
  // Read after the claim, so that it is never older than the pending change.
  const document = await findDocument(store.db, topic);
  if (document === null) {
    const reason = 'the feed no longer exists';
    const denial = { 'hub.mode': 'denied', 'hub.topic': topicAddress(config, topic), 'hub.reason': reason };
    // §5.2. The response does not matter.
    await guardedRequest({ url: withParameters(callback, denial), method: 'GET', headers: {} }, limits);
    return limits.signal?.aborted ? { kind: 'aborted' } : { kind: 'ended', reason };
  }
  const { body } = document;
  const headers: Record<string, string> = {
    'Content-Type': document.mediaType,
    Link: `<${hubAddress(config)}>; rel="hub", <${topicAddress(config, topic)}>; rel="self"`,
  };
  if (secret !== null) {
    const decrypted = decryptSecret('seal hub secrets', secrets, secret, key);
    // The subscriber would take unsigned content for a forgery.
    if (decrypted === null)
      return { kind: 'failed', reason: 'its secret was encrypted under a signing secret that is gone' };
    headers['X-Hub-Signature'] = `sha256=${createHmac('sha256', decrypted).update(body).digest('hex')}`;
  }
  const began = clock();
  const response = await guardedRequest({ url: callback, method: 'POST', headers, body }, limits);
  if (response.kind === 'refused') return { kind: 'failed', reason: response.reason };
  if (response.kind === 'failed') return limits.signal?.aborted ? { kind: 'aborted' } : response;
  const { status } = response;
  if (status === 410) return { kind: 'ended', reason: 'its callback answered 410' };
  if (status < 200 || status > 299) return { kind: 'failed', reason: `it answered ${status}` };
  return { kind: 'delivered', tookMs: clock() - began };
}

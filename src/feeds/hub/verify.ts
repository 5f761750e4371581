/**
 * Verification of intent (WebSub §5.3): the callback must confirm what was requested in its name.
 */
import { randomBytes } from 'node:crypto';
import { guardedRequest, type RequestLimits } from '../../lib/guarded-fetch/guarded-request.ts';
import { topicAddress } from '../topics.ts';
import type { HubContext } from './hub-context.ts';
import { countNewSubscription } from './quotas.ts';
import { hasSubscription } from './subscriptions.ts';
import { type ClaimedRequest, recordVerification, type VerificationResult } from './verification-outbox.ts';

const CHALLENGE_BYTES = 24;

/** Verifies a request, and records and logs the result. */
export async function verifyRequest(
  context: HubContext,
  claimed: ClaimedRequest,
  limits: RequestLimits,
): Promise<void> {
  const { store, clock, log } = context;
  const result = await askCallback(context, claimed, limits);
  const outcome = await recordVerification(store.db, claimed, result, clock());
  const { mode, topic, host } = claimed;
  const reason = 'reason' in result ? { reason: result.reason } : {};
  log.info({ mode, topic, host, ...reason }, `hub request: ${outcome}`);
}

async function askCallback(
  { store, config, secrets, clock }: HubContext,
  { key, callback, mode, topic, leaseSeconds }: ClaimedRequest,
  limits: RequestLimits,
): Promise<VerificationResult> {
  const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
  const url = withParameters(callback, {
    'hub.mode': mode,
    'hub.topic': topicAddress(config, topic),
    'hub.challenge': challenge,
    ...(mode === 'subscribe' ? { 'hub.lease_seconds': String(leaseSeconds) } : {}),
  });
  const response = await guardedRequest({ url, method: 'GET', headers: {} }, limits);
  if (response.kind === 'refused') return { kind: 'denied', reason: response.reason };
  if (response.kind === 'failed') return limits.signal?.aborted ? { kind: 'aborted' } : response;
  const { status, body, whole } = response;
  if (status < 200 || status > 299) return { kind: 'denied', reason: `it answered ${status}` };
  if (!whole || !body.equals(Buffer.from(challenge))) {
    return { kind: 'denied', reason: `it answered ${status} without the challenge` };
  }
  if (mode === 'subscribe' && !(await hasSubscription(store.db, key, clock()))) {
    const wait = await countNewSubscription(store.db, secrets, 'callback', response.address, clock());
    if (wait > 0) return { kind: 'denied', reason: 'its address has begun too many subscriptions' };
  }
  return { kind: 'confirmed' };
}

/** The callback with more parameters after its own, which §5.1 wants preserved. */
export function withParameters(callback: string, parameters: Record<string, string>): string {
  return `${callback}${callback.includes('?') ? '&' : '?'}${new URLSearchParams(parameters)}`;
}

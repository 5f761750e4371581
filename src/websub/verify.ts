/**
 * Verification of intent (WebSub §5.3): the callback itself must say that it wants what was asked in its name.
 */
import { randomBytes } from 'node:crypto';
import { topicAddress } from '../feeds/topics.ts';
import { guardedRequest, type RequestLimits } from '../lib/guarded-fetch/guarded-request.ts';
import type { HubDeps } from './deps.ts';
import { type ClaimedRequest, recordVerdict, type Verdict } from './verification-outbox.ts';

const CHALLENGE_BYTES = 24;

/** Asks the callback, records its verdict, and logs it. */
export async function verifyRequest(deps: HubDeps, claimed: ClaimedRequest, limits: RequestLimits): Promise<void> {
  const { store, clock, log } = deps;
  const verdict = await askCallback(deps, claimed, limits);
  const outcome = await recordVerdict(store.db, claimed, verdict, clock());
  const { mode, topic, host } = claimed;
  const reason = 'reason' in verdict ? { reason: verdict.reason } : {};
  log.info({ mode, topic, host, ...reason }, `a hub request: ${outcome}`);
}

async function askCallback(deps: HubDeps, claimed: ClaimedRequest, limits: RequestLimits): Promise<Verdict> {
  const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
  const url = verificationUrl(claimed, topicAddress(deps.config, claimed.topic), challenge);
  const answer = await guardedRequest({ url, method: 'GET', headers: {} }, limits);
  if (answer.kind === 'refused') return { kind: 'denied', reason: answer.reason };
  if (answer.kind === 'failed') return limits.signal?.aborted ? { kind: 'put-back' } : answer;
  const { status, body, whole } = answer;
  if (status < 200 || status > 299) return { kind: 'denied', reason: `it answered ${status}` };
  if (!whole || !body.equals(Buffer.from(challenge))) {
    return { kind: 'denied', reason: `it answered ${status} without the challenge` };
  }
  return { kind: 'confirmed' };
}

function verificationUrl({ callback, mode, leaseSeconds }: ClaimedRequest, topic: string, challenge: string): string {
  return withParameters(callback, {
    'hub.mode': mode,
    'hub.topic': topic,
    'hub.challenge': challenge,
    ...(mode === 'subscribe' ? { 'hub.lease_seconds': String(leaseSeconds) } : {}),
  });
}

/** The callback with our parameters behind its own (§5.1: they are kept as they are). */
export function withParameters(callback: string, parameters: Record<string, string>): string {
  return `${callback}${callback.includes('?') ? '&' : '?'}${new URLSearchParams(parameters)}`;
}

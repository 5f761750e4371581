/**
 * Pings another hub after a publish, with the parameters that hubs accept since PubSubHubbub 0.3 §6 (WebSub §6 leaves
 * them open).
 */

import { callUrl } from '../../lib/call-url.ts';
import { topicAddress } from '../topics.ts';
import type { HubContext } from './hub-context.ts';
import { type ClaimedPing, type PingResult, recordPing } from './ping-outbox.ts';

/** Pings the hub for one topic and records the result. */
export async function sendPing(
  { store, config, clock, log }: HubContext,
  url: string,
  claimed: ClaimedPing,
  signal: AbortSignal,
): Promise<void> {
  const { topic } = claimed;
  const result = await ping(url, topicAddress(config, topic), signal);
  await recordPing(store.db, claimed, result, clock());
  if (result.kind === 'failed') log.warn({ topic, reason: result.reason }, 'ping to the hub failed');
}

async function ping(url: string, topic: string, signal: AbortSignal): Promise<PingResult> {
  // hub.url is the older name, hub.topic the newer one.
  const form = new URLSearchParams({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic });
  const problem = await callUrl(url, { form, signal });
  if (problem === null) return { kind: 'delivered' };
  return signal.aborted ? { kind: 'aborted' } : { kind: 'failed', reason: problem };
}

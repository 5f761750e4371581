/**
 * Pings another hub after a publish, by the parameters that hubs accept since PubSubHubbub 0.3 §6 (WebSub §6 leaves them
 * open). The operator has chosen the hub, so private addresses are allowed.
 */
import { topicAddress } from '../feeds/topics.ts';
import { SECOND } from '../lib/time.ts';
import type { HubContext } from './hub-context.ts';
import { type ClaimedPing, type PingResult, recordPing } from './ping-outbox.ts';

const TIME_LIMIT = 10 * SECOND;

/** Pings the hub for one topic and records the result. */
export async function sendPing(
  { store, config, clock, log }: HubContext,
  url: string,
  claimed: ClaimedPing,
  signal: AbortSignal,
): Promise<void> {
  const { topic } = claimed;
  const result = await post(url, topicAddress(config, topic), signal);
  await recordPing(store.db, claimed, result, clock());
  if (result.kind === 'failed') log.warn({ topic, reason: result.reason }, 'ping to the hub failed');
}

async function post(url: string, topic: string, signal: AbortSignal): Promise<PingResult> {
  const timeout = AbortSignal.timeout(TIME_LIMIT);
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'user-agent': 'daywire' },
      // hub.url is the older name, hub.topic the newer one.
      body: new URLSearchParams({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic }),
      signal: AbortSignal.any([timeout, signal]),
    });
    await response.body?.cancel();
    return response.ok ? { kind: 'delivered' } : { kind: 'failed', reason: `it answered ${response.status}` };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${TIME_LIMIT / SECOND} s` };
    // The message may contain the address; the code is safe to repeat.
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    return { kind: 'failed', reason: typeof code === 'string' ? `no connection (${code})` : 'no connection' };
  }
}

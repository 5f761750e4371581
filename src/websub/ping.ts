/**
 * Tells another hub of a publish, in the words that hubs have understood since PubSubHubbub 0.3 §6 (WebSub §6 leaves them open). The hub is the
 * operator's choice: private addresses are his to name.
 */
import { topicAddress } from '../feeds/topics.ts';
import { SECOND } from '../lib/time.ts';
import type { HubDeps } from './deps.ts';
import { type ClaimedPing, type PingResult, recordPing } from './ping-outbox.ts';

const TIME_LIMIT = 10 * SECOND;

/** Tells the hub of one topic, and records what came of it. */
export async function pingHub(deps: HubDeps, url: string, claimed: ClaimedPing, signal: AbortSignal): Promise<void> {
  const { store, config, clock, log } = deps;
  const result = await post(url, topicAddress(config, claimed.topic), signal);
  await recordPing(store.db, claimed, result, clock());
  if (result.kind === 'failed') log.warn({ topic: claimed.topic, reason: result.reason }, 'the hub could not be told');
}

async function post(url: string, topic: string, signal: AbortSignal): Promise<PingResult> {
  const timeout = AbortSignal.timeout(TIME_LIMIT);
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'user-agent': 'daywire' },
      // hub.url by the older name, hub.topic by the newer.
      body: new URLSearchParams({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic }),
      signal: AbortSignal.any([timeout, signal]),
    });
    await response.body?.cancel();
    return response.ok ? { kind: 'delivered' } : { kind: 'failed', reason: `it answered ${response.status}` };
  } catch (error) {
    if (signal.aborted) return { kind: 'put-back' };
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${TIME_LIMIT / SECOND} s` };
    // The message may name the address: only the code is safe to repeat.
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    return { kind: 'failed', reason: typeof code === 'string' ? `no connection (${code})` : 'no connection' };
  }
}

/**
 * The hub: queues the changes of a publish, and delivers them, through the embedded hub to its subscribers or as pings
 * to the hub that is configured.
 */
import type { Config } from '../../core/config/config.ts';
import type { Tx } from '../../core/store/store.ts';
import { callUrl } from '../../lib/call-url.ts';
import { openResolver } from '../../lib/guarded-fetch/guarded-socket.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { DAY, SECOND } from '../../lib/time.ts';
import { type TaskQueue, WorkerPool } from '../../lib/worker-pool.ts';
import { isTopicPath, topicAddress } from '../topics.ts';
import { distributeContent } from './distribute.ts';
import type { HubContext } from './hub-context.ts';
import { openHubGuard } from './hub-guard.ts';
import {
  type ClaimedPing,
  claimPings,
  failPendingPings,
  type PingResult,
  queuePings,
  recordPing,
} from './ping-outbox.ts';
import { claimSubscriptions, deleteExpiredSubscriptions, queueDenials, queueDistribution } from './subscriptions.ts';
import { claimRequests, deleteOldRequests } from './verification-outbox.ts';
import { verifyRequest } from './verify.ts';

const EMBEDDED_LIMITS = { total: 20, perHost: 2 };
/** Verifications, and subscribers that are slow or keep failing, leave the other slots to the rest. */
const VERIFICATION_LIMIT = 5;
const SLOW_LIMIT = 5;
/** All pings go to one host. */
const PING_LIMIT = 8;
const TIME_LIMIT = 10 * SECOND;

/** Opens the configured hub; without one, the pool has no tasks. */
export function openHub(context: HubContext): WorkerPool {
  const { config, log } = context;
  const onError = (error: unknown): void => log.error({ error: errorLine(error) }, 'hub task failed');
  if (config.hub === undefined) return new WorkerPool([], { total: 0, perHost: 0 }, onError);
  return config.hub.url === 'self'
    ? new WorkerPool(embeddedQueues(context, config.hub), EMBEDDED_LIMITS, onError)
    : new WorkerPool([pingQueue(context, config.hub.url)], { total: PING_LIMIT, perHost: PING_LIMIT }, onError);
}

function embeddedQueues(context: HubContext, hub: NonNullable<Config['hub']>): TaskQueue[] {
  const { store, clock, resolve = openResolver(hub.allowPrivateNetworks.length > 0) } = context;
  const guard = openHubGuard(hub);
  const limits = (signal: AbortSignal) => ({ guard, resolve, timeLimitMs: TIME_LIMIT, signal });
  const distribution = (pace: 'fast' | 'slow', limit: number): TaskQueue => ({
    limit,
    claim: async (capacity) => {
      const claimed = await claimSubscriptions(store.db, { pace, capacity, now: clock() });
      return claimed.map((one) => ({
        host: one.host,
        run: (signal) => distributeContent(context, one, limits(signal)),
      }));
    },
  });
  const verification: TaskQueue = {
    limit: VERIFICATION_LIMIT,
    claim: async (capacity) => {
      const claimed = await claimRequests(store.db, { capacity, now: clock() });
      return claimed.map((one) => ({ host: one.host, run: (signal) => verifyRequest(context, one, limits(signal)) }));
    },
  };
  return [verification, distribution('fast', EMBEDDED_LIMITS.total), distribution('slow', SLOW_LIMIT)];
}

function pingQueue(context: HubContext, url: string): TaskQueue {
  const { host } = new URL(url);
  return {
    limit: PING_LIMIT,
    claim: async (capacity) => {
      const claimed = await claimPings(context.store.db, { capacity, host, now: context.clock() });
      return claimed.map((one) => ({ host, run: (signal) => sendPing(context, url, one, signal) }));
    },
  };
}

/**
 * Queues the delivery of changed documents, in the transaction that stores them: no hub can delay or undo a publish.
 * @param paths of documents, such as `latest.atom`; those that are no topics are ignored
 * @param at the instant of the publish, in whole seconds (epoch milliseconds)
 */
export async function queueHubNotifications(
  tx: Tx,
  config: Pick<Config, 'hub'>,
  paths: string[],
  at: number,
): Promise<void> {
  const topics = paths.filter(isTopicPath);
  if (config.hub === undefined || topics.length === 0) return;
  if (config.hub.url === 'self') await queueDistribution(tx, topics, at);
  else await queuePings(tx, topics, at);
}

/**
 * Queues denials for the subscribers of deleted feeds, and deletes expired subscriptions and what a hub that was
 * switched off left behind.
 * @returns the number of expired subscriptions
 */
export async function cleanHub({
  store,
  config,
  clock,
}: Pick<HubContext, 'store' | 'config' | 'clock'>): Promise<number> {
  const now = clock();
  const url = config.hub?.url;
  await deleteOldRequests(store.db, now - DAY);
  if (url === undefined || url === 'self') await failPendingPings(store.db, now, now);
  if (url === 'self') await queueDenials(store.db, now);
  return deleteExpiredSubscriptions(store.db, now);
}

/** Pings the hub for one topic and records the result. */
async function sendPing(
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

/** Sends the parameters that hubs accept since PubSubHubbub 0.3 §6 (WebSub §6 leaves them open). */
async function ping(url: string, topic: string, signal: AbortSignal): Promise<PingResult> {
  // hub.url is the older name, hub.topic the newer one.
  const form = new URLSearchParams({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic });
  const problem = await callUrl(url, { form, signal });
  if (problem === null) return { kind: 'delivered' };
  return signal.aborted ? { kind: 'aborted' } : { kind: 'failed', reason: problem };
}

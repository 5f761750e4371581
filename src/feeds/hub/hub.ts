/** The hub: notifies subscribers of changed feeds, through the embedded hub or through the one that is configured. */
import type { Config } from '../../core/config/config.ts';
import type { Tx } from '../../core/store/store.ts';
import { openResolver } from '../../lib/guarded-fetch/guarded-socket.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { DAY, SECOND } from '../../lib/time.ts';
import { type TaskQueue, WorkerPool } from '../../lib/worker-pool.ts';
import { isTopicPath } from '../topics.ts';
import { distributeContent } from './distribute.ts';
import { type HubContext, openHubGuard } from './hub-context.ts';
import { openPingQueue, PING_LIMIT, resolveHubAlert } from './pings.ts';
import { claimSubscriptions, deleteExpiredSubscriptions, queueDenials, queueDistribution } from './subscriptions.ts';
import { claimRequests, deleteOldRequests, verifyRequest } from './verify.ts';

const EMBEDDED_LIMITS = { total: 20, perHost: 2 };
/** Verifications, and subscribers that are slow or keep failing, leave the other slots to the rest. */
const VERIFICATION_LIMIT = 5;
const SLOW_LIMIT = 5;
const TIME_LIMIT = 10 * SECOND;

/**
 * Opens the configured hub; without one, the pool has no tasks.
 * @param since another hub is pinged about feeds that changed at this instant or later, epoch milliseconds
 */
export function openHub(context: HubContext, since: number): WorkerPool {
  const { config, log } = context;
  const onError = (error: unknown): void => log.error({ error: errorLine(error) }, 'hub task failed');
  if (config.hub === undefined) return new WorkerPool([], { total: 0, perHost: 0 }, onError);
  if (config.hub === 'self') return new WorkerPool(embeddedQueues(context), EMBEDDED_LIMITS, onError);
  const limits = { total: PING_LIMIT, perHost: PING_LIMIT };
  return new WorkerPool([openPingQueue(context, config.hub, since)], limits, onError);
}

function embeddedQueues(context: HubContext): TaskQueue[] {
  const { store, clock, resolve = openResolver(false), guard = openHubGuard() } = context;
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

/**
 * Queues the delivery of changed documents, in the transaction that stores them: no subscriber can delay or undo a
 * publish. Another hub gets no ping here; see pings.ts.
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
  if (config.hub === 'self' && topics.length > 0) await queueDistribution(tx, topics, at);
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
  const { hub } = config;
  await deleteOldRequests(store.db, now - DAY);
  if (hub === undefined || hub === 'self') await resolveHubAlert(store.db, now);
  if (hub === 'self') await queueDenials(store.db, now);
  return deleteExpiredSubscriptions(store.db, now);
}

/**
 * Pings to another hub, which then fetches the changed feeds and distributes them. What is to be pinged is kept in
 * memory: a ping that is lost with its process only delays readers until they poll. Where two processes run the
 * schedule, both ping, which hubs allow.
 */
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { Db } from '../../core/store/store.ts';
import { callUrl } from '../../lib/call-url.ts';
import { MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import type { TaskQueue } from '../../lib/worker-pool.ts';
import { listDocuments } from '../documents.ts';
import { readFeedVersion } from '../feed-version.ts';
import { isTopicPath, topicAddress } from '../topics.ts';
import type { HubContext } from './hub-context.ts';

/** All pings go to one host. */
export const PING_LIMIT = 8;
/** A hub that accepts nothing for this long raises an alert. */
const ALERT_AFTER = 10 * MINUTE;
const HUB_ALERT: AlertId = { kind: 'hub', subject: {} };

interface Ping {
  topic: string;
  failures: number;
  dueAt: number;
  isSending: boolean;
}

/**
 * Opens the queue of pings. A later change of a topic replaces its ping.
 * @param since topics that changed before this instant are not pinged, epoch milliseconds
 */
export function openPingQueue(context: HubContext, url: string, since: number): TaskQueue {
  const { store, config, clock, log } = context;
  const { host } = new URL(url);
  const pings = new Map<string, Ping>();
  const knownChanges = new Map<string, number>();
  let knownVersion = -1;
  let failingSince: number | null = null;

  async function addChanged(): Promise<void> {
    const { version } = await readFeedVersion(store.db);
    if (version === knownVersion) return;
    for (const { path: topic, modifiedAt } of await listDocuments(store.db)) {
      if (!isTopicPath(topic) || modifiedAt < since - (since % SECOND) || knownChanges.get(topic) === modifiedAt)
        continue;
      knownChanges.set(topic, modifiedAt);
      pings.set(topic, { topic, failures: 0, dueAt: clock(), isSending: false });
    }
    knownVersion = version;
  }

  async function send(ping: Ping, signal: AbortSignal): Promise<void> {
    ping.isSending = true;
    const problem = await callHub(url, topicAddress(config, ping.topic), signal);
    ping.isSending = false;
    if (problem !== null && signal.aborted) return;
    await recordHealth(problem);
    if (problem === null) {
      if (pings.get(ping.topic) === ping) pings.delete(ping.topic);
      return;
    }
    log.warn({ topic: ping.topic, reason: problem }, 'ping to the hub failed');
    ping.failures += 1;
    ping.dueAt = clock() + retryDelay(ping.failures);
  }

  async function recordHealth(problem: string | null): Promise<void> {
    if (problem === null) {
      // Also after a start: an earlier process may have raised it.
      if (failingSince !== 0) await resolveHubAlert(store.db, clock());
      failingSince = 0;
    } else if (!failingSince) failingSince = clock();
    else if (clock() - failingSince >= ALERT_AFTER) {
      const message = `The hub has accepted no ping since ${rfc3339(failingSince)}: ${problem}.`;
      await raiseAlert(store.db, { ...HUB_ALERT, message }, clock());
    }
  }

  return {
    limit: PING_LIMIT,
    async claim({ pick }) {
      await addChanged();
      const now = clock();
      const due = [...pings.values()].filter(({ dueAt, isSending }) => !isSending && dueAt <= now);
      return pick(due.map((ping) => ({ ping, host }))).map(({ ping }) => {
        return { host, run: (signal) => send(ping, signal) };
      });
    },
  };
}

export function resolveHubAlert(db: Db, now: number): Promise<void> {
  return resolveAlerts(db, [HUB_ALERT], now);
}

/**
 * Sends the parameters that hubs accept since PubSubHubbub 0.3 §6 (WebSub §6 leaves them open).
 * @returns what went wrong, or null
 */
function callHub(url: string, topic: string, signal: AbortSignal): Promise<string | null> {
  // hub.url is the older name, hub.topic the newer one.
  const form = new URLSearchParams({ 'hub.mode': 'publish', 'hub.url': topic, 'hub.topic': topic });
  return callUrl(url, { form, signal });
}

/** 5 s, 10 s, 20 s … 10 min. @param failures in a row */
function retryDelay(failures: number): number {
  return Math.min(5 * SECOND * 2 ** Math.min(failures - 1, 20), 10 * MINUTE);
}

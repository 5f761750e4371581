/**
 * Asks the servers of links whether something is there. They are other people's servers: few requests at once, with a
 * pause between those to one host, and no bodies.
 */
import { setTimeout } from 'node:timers/promises';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import type { FetchClient, FetchResult } from '../../lib/guarded-fetch/fetch-client.ts';
import { type LinkState, linkStateOf } from './link-cache.ts';

export interface LinkLookUpOptions {
  client: FetchClient;
  /** Between two requests to a host. Milliseconds. */
  pauseMs?: number;
}

const PAUSE = 150;
/** Links that are looked up at once: in all, and of one host. */
const AT_ONCE = 12;
const AT_ONCE_PER_HOST = 2;
/** After so many failures in a row a host is left alone. */
const MAX_FAILURES = 2;
const TOO_MANY_REQUESTS = 429;

/**
 * Looks up links until all are known or the signal is aborted. Never throws.
 * @returns by URL; links for which there was no time are missing
 */
export async function lookUpLinks(
  urls: readonly string[],
  { client, pauseMs = PAUSE }: LinkLookUpOptions,
  signal: AbortSignal,
): Promise<Map<string, LinkState>> {
  const states = new Map<string, LinkState>();
  let unknownHosts = 0;
  const limit = new ConcurrencyLimit(AT_ONCE);
  const hosts = Map.groupBy(new Set(urls), (url) => new URL(url).host);
  const lookUpHost = async (waiting: string[], host: HostHealth): Promise<void> => {
    for (let url = waiting.shift(); url !== undefined && !signal.aborted; url = waiting.shift()) {
      const one = url;
      const reason = host.leftAloneFor;
      if (reason !== null) {
        states.set(one, { kind: 'unchecked', reason });
        continue;
      }
      const result = await limit.run(() => (signal.aborted ? null : fetchStatus(one, client, signal)));
      // The result of a request that was stopped says nothing about the link.
      if (result === null || (signal.aborted && result.kind === 'failed')) return;
      host.record(result);
      if (result.kind === 'failed' && result.isUnknownHost) unknownHosts += 1;
      states.set(one, linkStateOf(result));
      if (waiting.length > 0) await setTimeout(pauseMs, undefined, { signal }).catch(() => {});
    }
  };
  await Promise.all(
    [...hosts.values()].flatMap((waiting) => {
      const host = new HostHealth();
      return Array.from({ length: AT_ONCE_PER_HOST }, () => lookUpHost(waiting, host));
    }),
  );
  // That a name does not exist is believed of a name server that knows another one.
  return unknownHosts === states.size ? new Map([...states.keys()].map((url) => [url, NO_NETWORK])) : states;
}

/** Some name servers answer that no name exists while the network is down. */
const NO_NETWORK: LinkState = { kind: 'unchecked', reason: 'no host has a name here: is the network down?' };

class HostHealth {
  /** Why no further link of the host is looked up, or null. */
  leftAloneFor: string | null = null;
  #failures = 0;

  record(result: FetchResult): void {
    this.#failures = result.kind === 'failed' && !result.isUnknownHost ? this.#failures + 1 : 0;
    if (result.kind === 'answered' && result.status === TOO_MANY_REQUESTS) {
      this.leftAloneFor = `its server asked for fewer requests (${TOO_MANY_REQUESTS})`;
    }
    if (this.#failures >= MAX_FAILURES) this.leftAloneFor = 'its server did not answer for other links';
  }
}

/** Many servers answer HEAD in another way than GET: only its success counts. */
async function fetchStatus(url: string, client: FetchClient, signal: AbortSignal): Promise<FetchResult> {
  const head = await client.fetch({ url, wants: 'status-by-head' }, signal);
  if (head.kind === 'refused' || signal.aborted) return head;
  const isFinal =
    head.kind === 'answered' ? head.status < 400 || head.status === TOO_MANY_REQUESTS : head.isUnknownHost === true;
  return isFinal ? head : client.fetch({ url, wants: 'status' }, signal);
}

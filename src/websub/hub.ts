/**
 * The hub at work: what is due is claimed and told, by the embedded hub to its subscribers or to the other hub that is configured.
 */

import { openAddressGuard } from '../lib/guarded-fetch/address-guard.ts';
import { openResolver } from '../lib/guarded-fetch/resolve.ts';
import { DAY, SECOND } from '../lib/time.ts';
import { reasonOf } from '../schedule/wording.ts';
import type { HubDeps } from './deps.ts';
import { tellSubscriber } from './distribute.ts';
import { pingHub } from './ping.ts';
import { abandonPings, claimPings } from './ping-outbox.ts';
import { type Lane, openPool, type Pool } from './pool.ts';
import { claimSubscriptions, forgetExpired, oweGoodbyes } from './subscriptions.ts';
import { claimRequests, forgetRequests } from './verification-outbox.ts';
import { verifyRequest } from './verify.ts';

const AT_ONCE = 20;
const PER_HOST = 2;
/** Strangers' requests, and subscribers that are slow or fail again and again, leave the other places to those that wait for news. */
const VERIFYING = 5;
const LAGGARDS = 5;
/** The other hub is one host, which has asked for all of them. */
const PINGS_AT_ONCE = 8;
const TIME_LIMIT = 10 * SECOND;

/** What the configuration asks for; where it has no hub, a pool that never has anything to do. */
export function openHub(deps: HubDeps): Pool {
  const { config, log } = deps;
  const onError = (error: unknown): void =>
    log.error({ error: reasonOf(error) }, 'what came of a telling was not recorded');
  if (config.hub === undefined) return openPool([], { most: 0, perHost: 0, onError });
  return config.hub.url === 'self'
    ? openPool(embeddedLanes(deps, config.hub.allowPrivateNetworks), { most: AT_ONCE, perHost: PER_HOST, onError })
    : openPool([pingLane(deps, config.hub.url)], { most: PINGS_AT_ONCE, perHost: PINGS_AT_ONCE, onError });
}

function embeddedLanes(deps: HubDeps, allowPrivateNetworks: string[]): Lane[] {
  const { store, clock, resolve = openResolver(allowPrivateNetworks.length > 0) } = deps;
  const guard = openAddressGuard(allowPrivateNetworks);
  const limits = (signal: AbortSignal) => ({ guard, resolve, timeLimitMs: TIME_LIMIT, signal });
  const distribution = (which: 'prompt' | 'laggard', most: number): Lane => ({
    most,
    claim: async (room) => {
      const claimed = await claimSubscriptions(store.db, { which, room, now: clock() });
      return claimed.map((one) => ({ host: one.host, run: (signal) => tellSubscriber(deps, one, limits(signal)) }));
    },
  });
  const verification: Lane = {
    most: VERIFYING,
    claim: async (room) => {
      const claimed = await claimRequests(store.db, { room, now: clock() });
      return claimed.map((one) => ({ host: one.host, run: (signal) => verifyRequest(deps, one, limits(signal)) }));
    },
  };
  return [verification, distribution('prompt', AT_ONCE), distribution('laggard', LAGGARDS)];
}

function pingLane(deps: HubDeps, url: string): Lane {
  const { host } = new URL(url);
  return {
    most: PINGS_AT_ONCE,
    claim: async (room) => {
      const claimed = await claimPings(deps.store.db, { room, host, now: deps.clock() });
      return claimed.map((one) => ({ host, run: (signal) => pingHub(deps, url, one, signal) }));
    },
  };
}

/** Tells subscribers of feeds that are gone, and forgets what is over: leases that have ended, and what a hub that was switched off has left. @returns how many subscriptions */
export async function keepHub({ store, config, clock }: Pick<HubDeps, 'store' | 'config' | 'clock'>): Promise<number> {
  const now = clock();
  const url = config.hub?.url;
  await forgetRequests(store.db, now - DAY);
  if (url === undefined || url === 'self') await abandonPings(store.db, now, now);
  if (url === 'self') await oweGoodbyes(store.db, now);
  return forgetExpired(store.db, now);
}

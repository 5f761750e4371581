/**
 * Reports forwarded headers from an address that is not a trusted proxy. If it is the operator's proxy, all its clients
 * count as one: the rate limits of one client then apply to all together.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { readMeta, UNTRUSTED_PROXY, writeMeta } from '../../core/store/meta.ts';
import type { Db } from '../../core/store/store.ts';
import { openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';
import { DAY } from '../../lib/time.ts';
import { peerAddress } from './client-address.ts';
import type { WebContext } from './web-context.ts';

export interface UntrustedProxy {
  /** Null for a public address: it may be a person's, which no log and no table contains. */
  address: string | null;
  /** Epoch milliseconds. */
  at: number;
  /** `server.trustedProxies` at that time. */
  trusted: string[];
}

/** While it happens, the store gets a new record once a day. */
const RECORD_EVERY = DAY;

const guard = openAddressGuard();

/** Logs the first such header of this process, and records it in the store for "daywire check". */
export function reportUntrustedProxy(web: WebContext): MiddlewareHandler {
  const { store, config, clock, isTrustedProxy, log } = web;
  let isLogged = false;
  let recordedAt = Number.NEGATIVE_INFINITY;
  const report = (peer: string, now: number): void => {
    recordedAt = now;
    const address = guard(peer, 443) === null ? null : peer;
    if (!isLogged) log?.warn({ address: address ?? 'public' }, describeUntrustedProxy({ address }));
    isLogged = true;
    const record: UntrustedProxy = { address, at: now, trusted: config.server.trustedProxies };
    // Not awaited: the response does not depend on it. It is tried again after a day.
    writeMeta(store.db, UNTRUSTED_PROXY, JSON.stringify(record)).catch((error: unknown) => {
      log?.debug({ error: String(error) }, 'untrusted proxy not recorded');
    });
  };
  // Not async: it is passed by every request.
  return (c, next) => {
    const now = clock();
    if (now - recordedAt >= RECORD_EVERY && hasForwardedHeader(c)) {
      const peer = peerAddress(c);
      if (peer !== null && !isTrustedProxy(peer)) report(peer, now);
    }
    return next();
  };
}

function hasForwardedHeader(c: Context): boolean {
  return c.req.header('X-Forwarded-For') !== undefined || c.req.header('Forwarded') !== undefined;
}

/** In words for an operator. */
export function describeUntrustedProxy({ address }: Pick<UntrustedProxy, 'address'>): string {
  const [from, range] =
    address === null
      ? ['a public address', 'its range']
      : [address, `"${address}/${address.includes(':') ? 128 : 32}"`];
  return (
    `requests with X-Forwarded-For came from ${from}, which is not in server.trustedProxies: if it is your proxy, ` +
    `all visitors behind it share the limits of one client; add ${range}`
  );
}

/** The record of the last week that was made under the same `server.trustedProxies`; otherwise null. */
export async function findUntrustedProxy(db: Db, trusted: string[], now: number): Promise<UntrustedProxy | null> {
  const text = await readMeta(db, UNTRUSTED_PROXY);
  const record = text === undefined ? null : (JSON.parse(text) as UntrustedProxy);
  if (record === null || now - record.at > 7 * DAY) return null;
  return JSON.stringify(record.trusted) === JSON.stringify(trusted) ? record : null;
}

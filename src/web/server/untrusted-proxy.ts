/**
 * Reports forwarded headers from an address that is not a trusted proxy. If it is the operator's proxy, all its clients
 * count as one: the rate limits of one client then apply to all together.
 */
import type { MiddlewareHandler } from 'hono';
import { openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';
import { peerAddress } from './client-address.ts';
import type { WebContext } from './web-context.ts';

const guard = openAddressGuard();

/** Logs the first such header of this process. A public address may be a person's, which no log contains. */
export function reportUntrustedProxy({ isTrustedProxy, log }: WebContext): MiddlewareHandler {
  let isReported = false;
  // Not async: it is passed by every request.
  return (c, next) => {
    const isForwarded = c.req.header('X-Forwarded-For') !== undefined || c.req.header('Forwarded') !== undefined;
    const peer = isForwarded && !isReported ? peerAddress(c) : null;
    if (peer !== null && !isTrustedProxy(peer)) {
      isReported = true;
      const isPublic = guard(peer, 443) === null;
      const [from, range] = isPublic
        ? ['a public address', 'its range']
        : [peer, `"${peer}/${peer.includes(':') ? 128 : 32}"`];
      log?.warn(
        { address: isPublic ? 'public' : peer },
        `requests with X-Forwarded-For came from ${from}, which is not in server.trustedProxies: if it is your ` +
          `proxy, all visitors behind it share the limits of one client; add ${range}`,
      );
    }
    return next();
  };
}

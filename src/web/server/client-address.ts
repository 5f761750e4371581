/** The address of the client, as far as it can be trusted, and the keys of its rate limits. */
import { createHmac } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { deriveKey, type SigningSecrets } from '../../core/config/signing-secrets.ts';
import { addressBlock, widerBlock } from '../../lib/cidr.ts';
import { openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';
import type { WebContext } from './web-context.ts';

/** The address of the client that sent the request; null if the request did not come through a socket. */
export function clientAddress({ isTrustedProxy }: Pick<WebContext, 'isTrustedProxy'>, c: Context): string | null {
  return forwardedAddress(peerAddress(c), c.req.header('X-Forwarded-For') ?? null, isTrustedProxy);
}

/** The address at the other end of the connection: the client's, or that of the last proxy. */
export function peerAddress(c: Context): string | null {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  const address = incoming?.socket.remoteAddress;
  return address === undefined ? null : plainAddress(address);
}

/**
 * The rightmost address that is not a trusted proxy's. Each proxy appends the address of its own client to
 * X-Forwarded-For. Entries left of an address that is not trusted are worth nothing: the client may have written them.
 * @param peer the address at the other end of the connection
 * @param forwarded the X-Forwarded-For header; several of them joined by commas
 * @returns an IPv4 or IPv6 address. If all are trusted, the leftmost; if an entry is no address, the one right of it
 */
export function forwardedAddress(
  peer: string | null,
  forwarded: string | null,
  isTrusted: (address: string) => boolean,
): string | null {
  let address = peer;
  for (const entry of forwarded?.split(',').reverse() ?? []) {
    if (address === null || !isTrusted(address)) return address;
    const before = plainAddress(entry);
    if (before === null) return address;
    address = before;
  }
  return address;
}

/** The key of a client's rate limit in the store: a keyed hash, so that the table holds no addresses. */
export function clientKey(secrets: SigningSecrets, address: string | null): string {
  return blockKey(secrets, address === null ? 'unknown' : addressBlock(address));
}

/** The key of the rate limit of all clients in the same `widerBlock`. */
export function widerClientKey(secrets: SigningSecrets, address: string | null): string {
  return blockKey(secrets, address === null ? 'all unknown' : widerBlock(address));
}

function blockKey(secrets: SigningSecrets, block: string): string {
  return `client ${createHmac('sha256', deriveKey(secrets[0], 'hash clients')).update(block).digest('base64url')}`;
}

/**
 * Strips white space, a port, brackets and a zone (RFC 4007). An IPv4-mapped address (RFC 4291 §2.5.5.2) becomes an
 * IPv4 address, and any other IPv6 address gets its canonical form (RFC 5952).
 */
function plainAddress(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  if (!isIPv6(bare)) return isIP(bare) === 0 ? null : bare;
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  return high === undefined || low === undefined ? canonical : `${dotted(high)}.${dotted(low)}`;
}

/** `192.0` for `c000`. */
function dotted(group: string): string {
  const bits = Number.parseInt(group, 16);
  return `${bits >> 8}.${bits & 0xff}`;
}

const guard = openAddressGuard();

/**
 * Logs the first forwarded header of this process from an address that is not a trusted proxy: the rate limits of one
 * client would apply to all clients of that proxy together. No log contains a public address, which may be a person's.
 */
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

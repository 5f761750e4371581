/**
 * The address of the client, as far as it can be trusted, and the keys of its rate limits.
 */
import { createHmac } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { deriveKey, type SigningSecrets } from '../../config/signing-secrets.ts';
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
 * The unit of rate limits: an IPv4 address as it is, an IPv6 address as its first 64 bits, `2001:db8:0:7`. A client
 * with IPv6 can choose any address of a /64 (RFC 6177).
 */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) return address;
  // The host of a URL has one spelling only, with at most one "::".
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const first = head.split(':').filter((group) => group !== '');
  const last = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<string>(zeros).fill('0'), ...last].slice(0, 4).join(':');
}

/**
 * The block in which a site can choose its addresses: the /48 of an IPv6 address (RFC 6177 §3), `2001:db8:0`, or the
 * /24 of an IPv4 address, `192.0.2`.
 */
export function widerBlock(address: string): string {
  return addressBlock(address)
    .split(/[.:]/)
    .slice(0, 3)
    .join(isIPv6(address) ? ':' : '.');
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

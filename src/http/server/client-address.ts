/**
 * Who asks: the client's address, as far as it can be trusted, and the key under which a client's requests are counted.
 */
import { createHmac } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import { deriveKey } from '../../config/signing-secrets.ts';

/** The address of the client that sent the request, or null where it came through no socket that has one. */
export function clientAddress(c: Context, trustedProxies: number): string | null {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  const socket = incoming?.socket.remoteAddress ?? null;
  return forwardedAddress(socket, c.req.header('X-Forwarded-For') ?? null, trustedProxies);
}

/**
 * The client's address behind `trustedProxies` reverse proxies. Each of them appends the address it was called from to
 * X-Forwarded-For, so the client is that many from the right; whatever stands further left, the client may have written itself.
 * @param socket the address that the connection comes from
 * @param forwarded the header, several of them joined by commas
 * @returns an IPv4 or IPv6 address; without proxies, or where the header holds none in that place, the socket's
 */
export function forwardedAddress(
  socket: string | null,
  forwarded: string | null,
  trustedProxies: number,
): string | null {
  const peer = socket === null ? null : plainAddress(socket);
  if (trustedProxies === 0 || forwarded === null) return peer;
  const listed = forwarded.split(',');
  // A list that is too short came past one of the proxies: the first entry is still by one that is trusted.
  return plainAddress(listed[Math.max(0, listed.length - trustedProxies)] as string) ?? peer;
}

/**
 * The key of a client's requests in `rate_limits`: who asked cannot be read in it. A client with IPv6 has a whole /64 to choose
 * addresses from (RFC 6177), so that is what counts.
 */
export function clientKey(secrets: SigningSecrets, address: string | null): string {
  const block = address === null ? 'unknown' : addressBlock(address);
  return `client ${createHmac('sha256', deriveKey(secrets[0], 'hash clients')).update(block).digest('base64url')}`;
}

/** An IPv4 address as it is, an IPv6 address as its first 64 bits, `2001:db8:0:7`. */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) return address;
  // A URL's host has one spelling only, with at most one "::".
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const first = head.split(':').filter((group) => group !== '');
  const last = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<string>(zeros).fill('0'), ...last].slice(0, 4).join(':');
}

/** Without what may stand around an address: white space, a port, brackets, a zone (RFC 4007), IPv4 written as IPv6. */
function plainAddress(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  return isIP(bare) === 0 ? null : bare;
}

/**
 * Blocks of IP addresses that one client can choose from.
 */
import { isIPv6 } from 'node:net';

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

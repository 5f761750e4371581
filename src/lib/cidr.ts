/** Ranges of IP addresses in CIDR notation: `10.1.0.0/16`, `fd00::/8` (RFC 4632, RFC 4291 §2.3). */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** @returns null where the text is not a range. Bits after the prefix are allowed, and ignored. */
export function parseCidr(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | null {
  const [, address = '', digits = ''] = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const prefix = Number(digits);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return null;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/**
 * Whether addresses are in one of the ranges.
 * @param ranges those that `parseCidr` reads; others are ignored
 */
export function openRanges(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parseCidr(range);
    if (parsed !== null) list.addSubnet(parsed.address, parsed.prefix, parsed.family);
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
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

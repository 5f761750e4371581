/**
 * Decides which IP addresses may be connected to for an untrusted URL: public ones, and private ranges that the
 * operator has allowed. Such a URL must not give access to the local network (SSRF).
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { parseCidr } from '../cidr.ts';

/** @returns why an address is refused, for a log; null where it is allowed */
export type AddressGuard = (address: string, port: number) => string | null;

// The IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), including the globally reachable blocks, where
// no subscriber is; and multicast.
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
];
/** Global unicast IPv6 (RFC 4291 §2.4): not loopback, local, multicast or reserved. */
const UNICAST = ['2000::/3'];
/** IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) and NAT64 (RFC 6052 §2.1): the last 32 bits are the IPv4 address. */
const EMBEDDING = ['::ffff:0:0/96', '64:ff9b::/96'];

const special = listOf(SPECIAL);
const unicast = listOf(UNICAST);
const embedding = listOf(EMBEDDING);

/** @param allowed CIDRs, from the configuration */
export function openAddressGuard(allowed: readonly string[]): AddressGuard {
  const own = listOf(allowed);
  return (given, port) => {
    // Without the zone of a link-local address (RFC 4007 §11).
    const address = embeddedIPv4(given.replace(/%.*$/s, ''));
    if (isIP(address) === 0) return 'it is not an IP address';
    if (isIn(own, address)) return null;
    if (isIn(special, address) || !(isIPv4(address) || isIn(unicast, address))) return 'its address is not public';
    // Other privileged ports belong to mail, databases and remote shells.
    if (port < 1024 && port !== 80 && port !== 443) return `its port ${port} is not a web port`;
    return null;
  };
}

function embeddedIPv4(address: string): string {
  if (isIP(address) !== 6 || !isIn(embedding, address)) return address;
  // The URL parser normalises it to end in two groups: ::ffff:7f00:1, or 64:ff9b::1 where the first is zero.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split(':');
  const [high = '', low = ''] = groups.slice(-2);
  const bits = [high, low].map((group) => Number.parseInt(group === '' ? '0' : group, 16));
  return bits.flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const cidr = parseCidr(range);
    if (cidr === null) throw new Error(`${range} is not a range of addresses`);
    list.addSubnet(cidr.address, cidr.prefix, cidr.family);
  }
  return list;
}

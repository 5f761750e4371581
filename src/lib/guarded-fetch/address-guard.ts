/**
 * Decides which IP addresses may be connected to for an untrusted URL: public ones, and private ranges that the
 * operator has allowed, but none of this machine's own. Such a URL must not give access to the local network (SSRF).
 */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Cidr, openRanges, parseCidr } from '../cidr.ts';

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
/** IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), and the well-known prefix of NAT64 (RFC 6052 §2.1). */
const EMBEDDING = ['::ffff:0:0/96', '64:ff9b::/96'];

const special = listOf(SPECIAL);
const unicast = listOf(UNICAST);

export interface GuardOptions {
  /** Ranges that the operator allows, with their ports: CIDRs. */
  allowed?: readonly string[];
  /** Prefixes of the operator's own NAT64 (RFC 6052 §2.2). */
  nat64Prefixes?: readonly string[];
  /** The addresses of this machine, which are refused also within an allowed range. Loopback is a range of its own. */
  ownAddresses?: () => readonly string[];
}

export function openAddressGuard(options: GuardOptions = {}): AddressGuard {
  const { allowed = [], nat64Prefixes = [], ownAddresses = () => [] } = options;
  const ranges = listOf(allowed);
  const embedded = embeddedBy([...EMBEDDING, ...nat64Prefixes]);
  return (given, port) => {
    // Without the zone of a link-local address (RFC 4007 §11).
    const bare = given.replace(/%.*$/s, '');
    if (isIP(bare) === 0) return 'it is not an IP address';
    const address = embedded(bare) ?? bare;
    const isAllowed = isIn(ranges, address);
    const isPublic = !isIn(special, address) && (isIPv4(address) || isIn(unicast, address));
    if (!isAllowed && !isPublic) return 'its address is not public';
    if (isIn(addressList(ownAddresses()), address)) return 'its address is one of this machine';
    // Other privileged ports belong to mail, databases and remote shells.
    if (port < 1024 && port !== 80 && port !== 443) return `its port ${port} is not a web port`;
    return null;
  };
}

/** The addresses of the network interfaces, public ones too, without loopback. Read each time: they may change. */
export function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => address.replace(/%.*$/s, '')),
  );
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

function addressList(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  return list;
}

/**
 * Allows public addresses, and private ones in the ranges that the operator allows. A public address of this machine is
 * allowed for the web ports only: the newsroom's site is often on the same machine, and its databases are too.
 * @param allow CIDRs
 */
export function openFetchGuard(allow: readonly string[]): AddressGuard {
  const isAllowed = openRanges(allow);
  const web = openAddressGuard({ allowed: allow });
  const others = openAddressGuard({ allowed: allow, ownAddresses: interfaceAddresses });
  return (address, port) => {
    const guard = port === 80 || port === 443 || isAllowed(address) ? web : others;
    return guard(address, port);
  };
}

/** The lengths of prefixes that RFC 6052 defines. */
const LENGTHS = [32, 40, 48, 56, 64, 96];
/** Bits 64 to 71 are not part of the embedded address. */
const RESERVED_BYTE = 8;

/** @returns null where the text is not an IPv6 prefix of one of the lengths that RFC 6052 defines */
export function parseNat64Prefix(text: string): Cidr | null {
  const prefix = parseCidr(text);
  return prefix !== null && prefix.family === 'ipv6' && LENGTHS.includes(prefix.prefix) ? prefix : null;
}

/** Finds the IPv4 address that an IPv6 address with one of the prefixes embeds; null for other addresses. */
export function embeddedBy(prefixes: readonly string[]): (address: string) => string | null {
  const known = prefixes.map((text) => {
    const prefix = parseNat64Prefix(text);
    if (prefix === null) throw new Error(`${text} is not a prefix of RFC 6052`);
    const list = new BlockList();
    list.addSubnet(prefix.address, prefix.prefix, 'ipv6');
    return { list, length: prefix.prefix };
  });
  return (address) => {
    if (!isIPv6(address)) return null;
    const found = known.find(({ list }) => list.check(address, 'ipv6'));
    return found === undefined ? null : embeddedAfter(bytesOf(address), found.length);
  };
}

function embeddedAfter(bytes: number[], length: number): string {
  const start = length / 8;
  const following = bytes.map((byte, index) => ({ byte, index })).slice(start);
  const embedded = following.filter(({ index }) => index !== RESERVED_BYTE || length === 96);
  return embedded
    .slice(0, 4)
    .map(({ byte }) => byte)
    .join('.');
}

function bytesOf(address: string): number[] {
  // The URL parser writes every address in one form: hexadecimal groups with at most one "::".
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groupsOf = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].flatMap((group) => {
    const bits = Number.parseInt(group, 16);
    return [bits >> 8, bits & 0xff];
  });
}

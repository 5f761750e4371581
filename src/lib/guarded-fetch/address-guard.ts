/**
 * Decides which IP addresses may be connected to for an untrusted URL: public ones, and private ranges that the
 * operator has allowed, but none of this machine's own. Such a URL must not give access to the local network (SSRF).
 */
import { isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { openRanges } from '../cidr.ts';

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
const isEmbedding = openRanges(['::ffff:0:0/96', '64:ff9b::/96']);

const isSpecial = openRanges(SPECIAL);
const isUnicast = openRanges(UNICAST);

export interface GuardOptions {
  /** Ranges that the operator allows, with their ports: CIDRs. */
  allowed?: readonly string[];
  /** The addresses of this machine, which are refused also within an allowed range. Loopback is a range of its own. */
  ownAddresses?: () => readonly string[];
}

export function openAddressGuard(options: GuardOptions = {}): AddressGuard {
  const { allowed = [], ownAddresses = () => [] } = options;
  const isAllowed = openRanges(allowed);
  return (given, port) => {
    // Without the zone of a link-local address (RFC 4007 §11).
    const bare = given.replace(/%.*$/s, '');
    if (isIP(bare) === 0) return 'it is not an IP address';
    const address = embeddedAddress(bare) ?? bare;
    const isPublic = !isSpecial(address) && (isIPv4(address) || isUnicast(address));
    if (!isPublic && !isAllowed(address)) return 'its address is not public';
    if (openRanges(ownAddresses().map((own) => `${own}/${isIPv4(own) ? 32 : 128}`))(address))
      return 'its address is one of this machine';
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

/** The IPv4 address in the last four bytes of an IPv6 address that embeds one; null for other addresses. */
function embeddedAddress(address: string): string | null {
  if (isIPv4(address) || !isEmbedding(address)) return null;
  // The URL parser writes the last bytes as one or two hexadecimal groups.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split(':').slice(-2);
  const bytes = groups.flatMap((group) => [
    Number.parseInt(group || '0', 16) >> 8,
    Number.parseInt(group || '0', 16) & 0xff,
  ]);
  return bytes.join('.');
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

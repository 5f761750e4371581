/**
 * IPv4 addresses that are embedded in IPv6 addresses (RFC 6052 §2.2).
 */
import { BlockList, isIPv6 } from 'node:net';
import { type Cidr, parseCidr } from '../cidr.ts';

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

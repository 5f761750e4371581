/**
 * Look-ups in the DNS, as the checks of the sending domain ask for them.
 */

/**
 * `none`: the name does not exist, or has no record of the type. `failed`: nobody knows, because the name server did
 * not answer or could not (SERVFAIL). The two must never be confused: a record is missing only if it is `none`.
 */
export type Lookup<T> = { kind: 'found'; records: T[] } | { kind: 'none' } | { kind: 'failed'; reason: string };

export interface MxRecord {
  /** Lower case, without the dot at its end. Empty for the null MX (RFC 7505). */
  exchange: string;
  preference: number;
}

/** All names are absolute, without the dot at their end. No method rejects. */
export interface DnsResolver {
  /** The strings of a record are joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
  txt(name: string): Promise<Lookup<string>>;
  mx(name: string): Promise<Lookup<MxRecord>>;
  a(name: string): Promise<Lookup<string>>;
  aaaa(name: string): Promise<Lookup<string>>;
  cname(name: string): Promise<Lookup<string>>;
  /** @param address IPv4 or IPv6 */
  ptr(address: string): Promise<Lookup<string>>;
}

/** IPv4 and IPv6 addresses of a name. Failed if one family failed and the other has none. */
export async function lookUpAddresses(dns: DnsResolver, name: string): Promise<Lookup<string>> {
  const both = await Promise.all([dns.a(name), dns.aaaa(name)]);
  const records = both.flatMap((one) => (one.kind === 'found' ? one.records : []));
  if (records.length > 0) return { kind: 'found', records };
  return both.find((one) => one.kind === 'failed') ?? { kind: 'none' };
}

/** The name at which the PTR record of an address is (RFC 1035 §3.5, RFC 3596 §2.5). @param address IPv4 or IPv6 */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  return `${[...expandIpv6(address).replaceAll(':', '')].reverse().join('.')}.ip6.arpa`;
}

/** Eight groups of four hexadecimal digits. */
function expandIpv6(address: string): string {
  const withGroups = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = withGroups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => group.toLowerCase().padStart(4, '0')).join(':');
}

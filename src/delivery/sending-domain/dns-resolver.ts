/**
 * Look-ups in the DNS, as the checks of the sending domain ask for them: by the resolver of Node (c-ares), each once,
 * and with a limit for the time of all together.
 */
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { CliContext } from '../../core/cli/context.ts';
import { SECOND } from '../../lib/time.ts';
import { withTimeout } from '../../lib/with-timeout.ts';

/**
 * `none`: the name does not exist, or has no record of the type. `failed`: it is not known, because the name server did
 * not answer or reported a failure. A record is missing only if the look-up is `none`.
 */
export type Lookup = { kind: 'found'; records: string[] } | { kind: 'none' } | { kind: 'failed'; reason: string };

/** Names are absolute, without the dot at their end. No method rejects. */
export interface DnsResolver {
  /** The strings of a record are joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
  txt(name: string): Promise<Lookup>;
  /** Names of the mail exchanges, in lower case. Empty for the null MX (RFC 7505). */
  mx(name: string): Promise<Lookup>;
  a(name: string): Promise<Lookup>;
  aaaa(name: string): Promise<Lookup>;
  cname(name: string): Promise<Lookup>;
  /** @param address IPv4 or IPv6 */
  ptr(address: string): Promise<Lookup>;
}

/**
 * @param server IP address of a name server, with or without a port; default: those of the system
 * @throws TypeError where `server` is no such address
 */
export type OpenResolver = (server?: string) => DnsResolver;

/** A context of commands that can ask the DNS. */
export interface ResolvingContext extends CliContext {
  openResolver: OpenResolver;
}

export interface ResolverLimits {
  /** Milliseconds to wait for one answer. Each server is asked twice. */
  perTry: number;
  /** Milliseconds for all look-ups together, from the first one. */
  total: number;
}

const LIMITS: ResolverLimits = { perTry: 1.5 * SECOND, total: 8 * SECOND };

/** c-ares: no such name, no such record, and a name that no zone can hold. */
const NONE = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

const TOO_LONG = 'all look-ups together took too long';

const REASONS: Record<string, string> = {
  ESERVFAIL: 'the name server reports a failure (SERVFAIL)',
  EREFUSED: 'the name server refuses to answer (REFUSED)',
  ETIMEOUT: 'no name server answered in time',
  ECONNREFUSED: 'no name server could be reached',
};

/** The resolver of Node. It remembers each answer. */
export function openNodeResolver(server?: string, { perTry, total }: ResolverLimits = LIMITS): DnsResolver {
  const resolver = new Resolver({ timeout: perTry, tries: 2, maxTimeout: perTry });
  if (server !== undefined) resolver.setServers([server]);
  const known = new Map<string, Promise<Lookup>>();
  let deadline: number | null = null;

  const ask = async (query: () => Promise<string[]>): Promise<Lookup> => {
    deadline ??= performance.now() + total;
    const left = deadline - performance.now();
    if (left <= 0) return { kind: 'failed', reason: TOO_LONG };
    try {
      const records = await withTimeout(query(), left, TOO_LONG);
      return records.length > 0 ? { kind: 'found', records } : { kind: 'none' };
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (NONE.has(code)) return { kind: 'none' };
      // Pending look-ups would keep the process alive.
      if (message === TOO_LONG) {
        deadline = -Infinity;
        resolver.cancel();
      }
      return { kind: 'failed', reason: code === 'ECANCELLED' ? TOO_LONG : (REASONS[code] ?? (code || message)) };
    }
  };
  const once =
    (type: string, query: (name: string) => Promise<string[]>) =>
    (name: string): Promise<Lookup> => {
      const key = `${type} ${normalName(name)}`;
      const lookup = known.get(key) ?? ask(() => query(normalName(name)));
      known.set(key, lookup);
      return lookup;
    };
  const ptr = once('PTR', async (name) => (await resolver.resolvePtr(name)).map(normalName));
  return {
    txt: once('TXT', async (name) => (await resolver.resolveTxt(name)).map((strings) => strings.join(''))),
    mx: once('MX', async (name) => (await resolver.resolveMx(name)).map(({ exchange }) => normalName(exchange))),
    a: once('A', (name) => resolver.resolve4(name)),
    aaaa: once('AAAA', (name) => resolver.resolve6(name)),
    cname: once('CNAME', async (name) => (await resolver.resolveCname(name)).map(normalName)),
    // Not resolver.reverse(), which also reads the hosts file of this machine.
    ptr: (address) => ptr(reverseName(address)),
  };
}

function normalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** IPv4 and IPv6 addresses of a name. Failed if one family failed and the other has none. */
export async function lookUpAddresses(dns: DnsResolver, name: string): Promise<Lookup> {
  const both = await Promise.all([dns.a(name), dns.aaaa(name)]);
  const records = both.flatMap((one) => (one.kind === 'found' ? one.records : []));
  if (records.length > 0) return { kind: 'found', records };
  return both.find((one) => one.kind === 'failed') ?? { kind: 'none' };
}

/** The name at which the PTR record of an address is (RFC 1035 §3.5, RFC 3596 §2.5). @param address IPv4 or IPv6 */
export function reverseName(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const digits = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

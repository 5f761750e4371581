/**
 * The resolver of Node (c-ares), with a limit for the time of all look-ups together.
 */
import { Resolver } from 'node:dns/promises';
import { SECOND } from '../../lib/time.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { type DnsResolver, type Lookup, reverseName } from './dns-resolver.ts';

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
  EBADRESP: 'the name server sent an answer that is not valid',
  ECANCELLED: TOO_LONG,
  EFORMERR: 'the name server did not understand the question (FORMERR)',
};

/**
 * Opens a resolver. Each look-up is done once, and remembered.
 * @param server IP address of a name server, with or without a port; default: those of the system
 * @throws TypeError where `server` is no such address
 */
export function openNodeResolver(server?: string, { perTry, total }: ResolverLimits = LIMITS): DnsResolver {
  const resolver = new Resolver({ timeout: perTry, tries: 2, maxTimeout: perTry });
  if (server !== undefined) resolver.setServers([server]);
  const known = new Map<string, Promise<Lookup<unknown>>>();
  let deadline: number | null = null;

  const ask = async <T>(query: () => Promise<T[]>): Promise<Lookup<T>> => {
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
      return { kind: 'failed', reason: REASONS[code] ?? (code || message) };
    }
  };
  const once = <T>(type: string, name: string, query: (name: string) => Promise<T[]>): Promise<Lookup<T>> => {
    const absolute = name.toLowerCase().replace(/\.$/, '');
    const key = `${type} ${absolute}`;
    const lookup = known.get(key) ?? ask(() => query(absolute));
    known.set(key, lookup);
    return lookup as Promise<Lookup<T>>;
  };
  return {
    txt: (name) =>
      once('TXT', name, async (one) => (await resolver.resolveTxt(one)).map((strings) => strings.join(''))),
    mx: (name) =>
      once('MX', name, async (one) =>
        (await resolver.resolveMx(one)).map(({ exchange, priority }) => ({
          exchange: normalName(exchange),
          preference: priority,
        })),
      ),
    a: (name) => once('A', name, (one) => resolver.resolve4(one)),
    aaaa: (name) => once('AAAA', name, (one) => resolver.resolve6(one)),
    cname: (name) => once('CNAME', name, async (one) => (await resolver.resolveCname(one)).map(normalName)),
    ptr: (address) =>
      once('PTR', reverseName(address), async (one) => (await resolver.resolvePtr(one)).map(normalName)),
  };
}

function normalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

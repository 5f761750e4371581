/**
 * A connection to the host of an untrusted URL. The guard checks the address of the connection itself, so that a name
 * that resolves to another address a moment later (DNS rebinding) gains nothing. Proxies of the environment are not
 * used.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SECOND } from '../time.ts';
import type { AddressGuard } from './address-guard.ts';

/** Resolves a host name. @throws where it has no address */
export type Resolve = (name: string) => Promise<{ address: string; family: number }[]>;

export interface ConnectionRules {
  guard: AddressGuard;
  resolve: Resolve;
}

export class RefusedAddressError extends Error {}

/**
 * Why the guard refuses a URL whose host is an IP address. Null for others, and for host names, which are checked at
 * the connection.
 */
export function whyRefused(url: URL, guard: AddressGuard): string | null {
  const host = bareHost(url);
  return isIP(host) === 0 ? null : guard(host, portOf(url));
}

/**
 * Connects to the host of a URL, for https with TLS.
 * @throws RefusedAddressError where the guard refuses the address; or what the connection or the signal throws
 */
export async function openGuardedSocket(url: URL, rules: ConnectionRules, signal: AbortSignal): Promise<Socket> {
  const { guard, resolve } = rules;
  const host = bareHost(url);
  const port = portOf(url);
  const refusal = whyRefused(url, guard);
  if (refusal !== null) throw new RefusedAddressError(refusal);
  const socket = connect({ host, port, lookup: guardedLookup(resolve, guard, port), autoSelectFamily: true });
  // The next step reports an error between two steps.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal });
    // Again before a byte is written: this is the connection's address, which may differ from the resolved one.
    const refused = guard(socket.remoteAddress ?? '', port);
    if (refused !== null) throw new RefusedAddressError(refused);
    if (url.protocol === 'http:') return socket;
    const secure = connectTls({
      socket,
      // The name that the certificate must have; SNI does not support addresses (RFC 6066 §3).
      host,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    secure.on('error', () => {});
    await once(secure, 'secureConnect', { signal });
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Resolves a name to those of its addresses that the guard allows. */
function guardedLookup(resolve: Resolve, guard: AddressGuard, port: number): LookupFunction {
  return (name, options, callback) => {
    resolve(name).then(
      (found) => {
        const allowed = found.filter(({ address }) => guard(address, port) === null);
        const [first] = allowed;
        if (first === undefined) {
          const reason = found[0] === undefined ? 'its name has no address' : (guard(found[0].address, port) as string);
          callback(new RefusedAddressError(reason), '', 0);
        } else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, '', 0),
    );
  };
}

/** The host without the brackets of an IPv6 address. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** Whether there was no connection because the name of the host does not exist, or has no address. */
export function isUnknownHost(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

/** Why there was no connection. The code alone, because the message may contain the address. */
export function reasonOfFailure(error: unknown): string {
  // Several addresses were tried.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code } = first as { code?: unknown };
  return typeof code === 'string' ? `no connection (${code})` : 'no connection';
}

/**
 * Resolves untrusted host names. Not with the system's resolver, which blocks one of the four threads that files and
 * compression share until the name server responds: a few slow names would delay everything.
 * @param alsoLocal whether to look up names that only this machine knows (/etc/hosts)
 */
export function openResolver(alsoLocal: boolean): Resolve {
  const resolver = new Resolver({ timeout: 2 * SECOND, tries: 2 });
  return async (name) => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = [
      ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length > 0 || v4.status === 'fulfilled') return found;
    if (alsoLocal && (v4.reason as { code?: unknown }).code === 'ENOTFOUND') return lookup(name, { all: true });
    throw v4.reason;
  };
}

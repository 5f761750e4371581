/**
 * Resolves untrusted host names. Not with the system's resolver, which blocks one of the four threads that files and
 * compression share until the name server responds: a few slow names would delay everything.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { SECOND } from '../time.ts';
import type { Resolve } from './guarded-socket.ts';

/** @param alsoLocal whether to look up names that only this machine knows (/etc/hosts) */
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

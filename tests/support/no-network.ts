/**
 * Probes of the sending domain that reach nobody, so that no test depends on the network.
 */
import type { DnsResolver } from '../../src/delivery/sending-domain/dns-resolver.ts';
import type { SendingProbes } from '../../src/delivery/sending-domain/judge-setup.ts';

const failed = async () => ({ kind: 'failed' as const, reason: 'tests have no network' });
const dns: DnsResolver = { txt: failed, mx: failed, a: failed, aaaa: failed, cname: failed, ptr: failed };

export const NO_NETWORK: SendingProbes = {
  dns,
  tls: async () => ({ kind: 'unreachable', reason: 'tests have no network' }),
};

/**
 * A resolver that reaches nobody, so that no test depends on the network.
 */
import type { DnsResolver } from '../../src/delivery/sending-domain/dns-resolver.ts';

const failed = async () => ({ kind: 'failed' as const, reason: 'tests have no network' });

export const NO_NETWORK: DnsResolver = { txt: failed, mx: failed, a: failed, aaaa: failed, cname: failed, ptr: failed };

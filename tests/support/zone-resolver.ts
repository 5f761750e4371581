/**
 * A resolver that answers from a zone in memory, as the one of Node does from a name server.
 */
import { type DnsResolver, type Lookup, reverseName } from '../../src/delivery/sending-domain/dns-resolver.ts';
import type { Zone } from './name-server.ts';

/** @param zone CNAME is followed once; a name that is `silent` fails */
export function zoneResolver(zone: Zone): DnsResolver {
  const look = (name: string, type: 'A' | 'AAAA' | 'TXT' | 'MX' | 'CNAME' | 'PTR'): Lookup => {
    const node = zone[name.toLowerCase()];
    if (node === 'SERVFAIL' || node === 'silent') return { kind: 'failed', reason: 'no name server answered in time' };
    const [alias] = node?.CNAME ?? [];
    if (node?.[type] === undefined && typeof alias === 'string') return look(alias, type);
    const records = (node?.[type] ?? []).map((data) => (typeof data === 'string' ? data : data.join('')));
    return records.length > 0 ? { kind: 'found', records } : { kind: 'none' };
  };
  return {
    txt: async (name) => look(name, 'TXT'),
    mx: async (name) => {
      const found = look(name, 'MX');
      if (found.kind !== 'found') return found;
      return { kind: 'found', records: found.records.map((text) => text.split(' ')[1] ?? '') };
    },
    a: async (name) => look(name, 'A'),
    aaaa: async (name) => look(name, 'AAAA'),
    cname: async (name) => {
      const node = zone[name];
      const records = typeof node === 'object' ? (node.CNAME ?? []).map(String) : [];
      return records.length > 0 ? { kind: 'found', records } : { kind: 'none' };
    },
    ptr: async (address) => look(reverseName(address), 'PTR'),
  };
}

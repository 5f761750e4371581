/**
 * Judges the name of an IP address from which mail leaves: it must lead back to the address (RFC 8601 §2.7.3, iprev).
 */
import { type DnsResolver, lookUpAddresses, reverseName } from './dns-resolver.ts';
import { type Judgement, judge, notKnown } from './judgement.ts';
import type { ZoneRecord } from './zone-record.ts';

/** RFC 8601: an address with very many names is not followed. */
const MOST_NAMES = 10;

/** @param mailServer the name of the server that sends, where the configuration has one; suggested if it fits */
export async function judgePtr(dns: DnsResolver, address: string, mailServer: string | null): Promise<Judgement> {
  const about = { id: 'ptr', domain: address };
  const found = await dns.ptr(address);
  if (found.kind === 'failed') return notKnown(about, `the name of ${address}`, found.reason);
  if (found.kind === 'none') {
    const record = mailServer === null ? undefined : await suggestion(dns, address, mailServer);
    return judge(
      'fail',
      about,
      `${address} has no name (PTR), so large mailbox providers refuse its mail: have it set, by whoever gave you ` +
        'the address, to a name that has this address',
      record,
    );
  }
  const names = found.records.slice(0, MOST_NAMES);
  const lookups = await Promise.all(names.map(async (name) => ({ name, found: await lookUpAddresses(dns, name) })));
  const confirmed = lookups.find(({ found: one }) => one.kind === 'found' && hasAddress(one.records, address));
  if (confirmed !== undefined) return judge('pass', about, `${address} is ${confirmed.name}, which has this address`);
  const failed = lookups.find(({ found: one }) => one.kind === 'failed');
  if (failed?.found.kind === 'failed') return notKnown(about, `the address of ${failed.name}`, failed.found.reason);
  const [name = ''] = names;
  return judge('fail', about, `${address} is named ${names.join(', ')} (PTR), which does not have this address`, {
    name,
    type: address.includes(':') ? 'AAAA' : 'A',
    value: address,
    replaces: [],
  });
}

async function suggestion(dns: DnsResolver, address: string, name: string): Promise<ZoneRecord | undefined> {
  const found = await lookUpAddresses(dns, name);
  if (found.kind !== 'found' || !hasAddress(found.records, address)) return undefined;
  return { name: reverseName(address), type: 'PTR', value: name, replaces: [] };
}

/** IPv6 addresses can be written in several ways. */
function hasAddress(addresses: readonly string[], address: string): boolean {
  const wanted = reverseName(address);
  return addresses.some((one) => reverseName(one) === wanted);
}

/**
 * Judges the name of an IP address from which mail leaves: it must lead back to the address (RFC 8601 §2.7.3, iprev).
 */
import { type DnsResolver, type Lookup, lookUpAddresses, reverseName } from './dns-resolver.ts';
import { type Judgement, judge, notKnown } from './judgement.ts';
import { isBelow } from './mail-provider-dns.ts';
import type { SendingSetup } from './sending-setup.ts';
import type { ZoneRecord } from './zone-record.ts';

/** RFC 8601: an address with very many names is not followed. */
const MOST_NAMES = 10;

/** Other names are possible in the DNS, but not in a zone file as they are. */
const HOST_NAME = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/;

/** @param setup its mail server is suggested as the name if it has the address */
export async function judgePtr(dns: DnsResolver, address: string, setup: SendingSetup): Promise<Judgement> {
  const about = { id: 'ptr', domain: address };
  const found = await dns.ptr(address);
  if (found.kind === 'failed') return notKnown(about, `the name of ${address}`, found.reason);
  if (found.kind === 'none') {
    return judge(
      'fail',
      about,
      `${address} has no name (PTR), so large mailbox providers refuse its mail: ask the provider of ` +
        'the address to set one that has this address',
      await serverAsName(dns, address, setup, []),
    );
  }
  const names = found.records.slice(0, MOST_NAMES);
  const lookups = await Promise.all(
    names.map(async (name) => ({ name, found: await ofItsFamily(dns, name, address) })),
  );
  const confirmed = lookups.find(({ found: one }) => one.kind === 'found' && hasAddress(one.records, address));
  if (confirmed !== undefined) return judge('pass', about, `${address} is ${confirmed.name}, which has this address`);
  const failed = lookups.find(({ found: one }) => one.kind === 'failed');
  if (failed?.found.kind === 'failed') return notKnown(about, `the address of ${failed.name}`, failed.found.reason);
  const [name = ''] = names;
  const record = (await addressOf(dns, name, address, setup)) ?? (await serverAsName(dns, address, setup, names));
  const advice =
    record?.type === 'PTR' || record === undefined
      ? ': ask the provider of the address to set one that has this address'
      : '';
  return judge(
    'fail',
    about,
    `${address} is named ${names.join(', ')} (PTR), which does not have this address${advice}`,
    record,
  );
}

/** The other family says nothing about the address, not even where its look-up fails. */
function ofItsFamily(dns: DnsResolver, name: string, address: string): Promise<Lookup<string>> {
  return address.includes(':') ? dns.aaaa(name) : dns.a(name);
}

/** The record that gives the address the name of the mail server, if that has the address. */
async function serverAsName(
  dns: DnsResolver,
  address: string,
  { mailServer }: SendingSetup,
  replaces: string[],
): Promise<ZoneRecord | undefined> {
  if (mailServer === null) return undefined;
  const found = await lookUpAddresses(dns, mailServer);
  if (found.kind !== 'found' || !hasAddress(found.records, address)) return undefined;
  return { name: reverseName(address), type: 'PTR', value: mailServer, replaces };
}

/**
 * The record that gives the name the address. Only for a name of the operator's that nothing but mail needs: an address
 * beside that of a web server would receive a part of its visitors.
 */
async function addressOf(
  dns: DnsResolver,
  name: string,
  address: string,
  setup: SendingSetup,
): Promise<ZoneRecord | undefined> {
  if (!HOST_NAME.test(name) || !isOwn(name, setup)) return undefined;
  const [a, aaaa, alias] = await Promise.all([dns.a(name), dns.aaaa(name), dns.cname(name)]);
  const others = [a, aaaa].flatMap((one) => (one.kind === 'found' ? one.records : []));
  const isKnown = [a, aaaa, alias].every(({ kind }) => kind !== 'failed');
  if (!isKnown || alias.kind === 'found') return undefined;
  if (!others.every((one) => hasAddress(setup.addresses, one))) return undefined;
  return { name, type: address.includes(':') ? 'AAAA' : 'A', value: address, replaces: [] };
}

/** Whether a name ends with the last two labels of one of the operator's domains, which are nobody else's as a rule. */
function isOwn(name: string, { senders, bounceDomain, signers, mailServer }: SendingSetup): boolean {
  const domains = [
    ...senders,
    ...(bounceDomain === null ? [] : [bounceDomain]),
    ...signers.map(({ domain }) => domain),
  ];
  return (
    name === mailServer ||
    isBelow(
      name,
      domains.map((domain) => domain.split('.').slice(-2).join('.')),
    )
  );
}

/** IPv6 addresses can be written in several ways. */
function hasAddress(addresses: readonly string[], address: string): boolean {
  const wanted = reverseName(address);
  return addresses.some((one) => reverseName(one) === wanted);
}

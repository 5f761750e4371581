/** Judges hosts: the mail exchanges of the sending domain, and the names of the IP addresses from which mail leaves. */
import { isIP } from 'node:net';
import { isLargeProvider } from '../../audience/mailbox-providers.ts';
import { openRanges } from '../../lib/cidr.ts';
import { type DnsResolver, lookUpAddresses } from './dns-resolver.ts';
import { type Judgement, judgementsOf } from './judgement.ts';

/** Most mail exchanges of a domain, and names of an address, that are followed (RFC 8601). */
const MOST_NAMES = 10;

/** Judges a domain of From. Replies go to it, and some receivers refuse mail from one that does not exist. */
export async function judgeSender(dns: DnsResolver, domain: string): Promise<Judgement> {
  if (!isLargeProvider(domain)) return await judgeMx(dns, domain, 'sender');
  return judgementsOf('sender', domain).fail(
    `From is an address at ${domain}, a mailbox provider for everyone: its DMARC policy lets others reject your ` +
      'newsletters. Use an address of a domain of your own',
  );
}

/** Judges whether mail to a domain arrives: bounces, requests to unsubscribe, replies (RFC 5321 §5.1). */
export async function judgeMx(dns: DnsResolver, domain: string, id = 'mx'): Promise<Judgement> {
  const about = judgementsOf(id, domain);
  const mx = await dns.mx(domain);
  if (mx.kind === 'failed') return about.notFound(`the MX of ${domain}`, mx.reason);
  const names = mx.kind === 'none' ? [domain] : mx.records.slice(0, MOST_NAMES);
  if (names.includes('')) return about.fail(`${domain} says that it accepts no mail (a null MX, RFC 7505)`);
  const hosts = await Promise.all(names.map(async (name) => ({ name, found: await lookUpAddresses(dns, name) })));
  const missing = hosts.filter(({ found }) => found.kind === 'none').map(({ name }) => name);
  if (missing.length > 0) {
    return about.fail(
      mx.kind === 'none'
        ? `${domain} has neither MX nor address: mail to it is lost, and receivers refuse mail from it`
        : `the MX ${missing.join(', ')} must be the name of a host with an address`,
    );
  }
  if (hosts.some(({ found }) => found.kind === 'found')) return about.pass(`mail to it goes to ${names.join(', ')}`);
  return about.unknown(`the addresses of ${names.join(', ')}, where its mail goes, could not be looked up`);
}

/** Judges the name of an IP address from which mail leaves: it must lead back to the address (RFC 8601 §2.7.3). */
export async function judgePtr(dns: DnsResolver, address: string): Promise<Judgement> {
  const about = judgementsOf('ptr', address);
  const found = await dns.ptr(address);
  if (found.kind === 'failed') return about.notFound(`the name of ${address}`, found.reason);
  const names = found.kind === 'none' ? [] : found.records.slice(0, MOST_NAMES);
  // IPv6 addresses can be written in several ways.
  const isEqual = openRanges([`${address}/${isIP(address) === 6 ? 128 : 32}`]);
  const lookups = await Promise.all(names.map(async (name) => ({ name, found: await lookUpAddresses(dns, name) })));
  for (const { name, found: one } of lookups) {
    if (one.kind === 'found' && one.records.some(isEqual)) {
      return about.pass(`${address} is ${name}, which has this address`);
    }
  }
  for (const { name, found: one } of lookups) {
    if (one.kind === 'failed') return about.notFound(`the address of ${name}`, one.reason);
  }
  const state =
    names.length === 0 ? 'has no name (PTR)' : `is named ${names.join(', ')} (PTR), which has another address`;
  return about.fail(
    `${address} ${state}, so large mailbox providers refuse its mail: ask the provider of the address to give it a ` +
      'name that has this address',
  );
}

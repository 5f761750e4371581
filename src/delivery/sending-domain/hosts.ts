/**
 * Judges the hosts of the sending domain: the mail exchanges to which bounces return, and the names of the IP addresses
 * from which mail leaves.
 */
import { isIP, SocketAddress } from 'node:net';
import { isLargeProvider } from '../../audience/mailbox-providers.ts';
import { type DnsResolver, lookUpAddresses } from './dns-resolver.ts';
import { type Judgement, judgementsOf } from './judgement.ts';

const MOST_EXCHANGES = 10;

/**
 * Judges where mail to a domain goes: bounces and `mailto:` unsubscribe requests come back to it (RFC 5321 §5.1).
 * @param wanted the mail exchange of a mail provider that must be there, or null where any is right
 */
export async function judgeMx(dns: DnsResolver, domain: string, wanted: string | null): Promise<Judgement> {
  const about = judgementsOf('mx', domain);
  const mx = await dns.mx(domain);
  if (mx.kind === 'failed') return about.notFound(`the MX of ${domain}`, mx.reason);
  const advice = wanted === null ? '' : `: publish the MX 10 ${wanted}`;
  if (mx.kind === 'none') {
    const addresses = await lookUpAddresses(dns, domain);
    if (addresses.kind === 'failed') return about.notFound(`the address of ${domain}`, addresses.reason);
    if (addresses.kind === 'found' && wanted === null) {
      return about.pass(`no MX, so mail goes to ${domain} itself (RFC 5321 §5.1)`);
    }
    return about.fail(`${domain} has no MX, so bounces do not come back${advice}`);
  }
  const names = mx.records.map(({ exchange }) => exchange).slice(0, MOST_EXCHANGES);
  if (names.includes('')) {
    return about.fail(`${domain} says that it accepts no mail (a null MX, RFC 7505), so bounces do not come back`);
  }
  if (wanted !== null && !names.includes(wanted)) {
    return about.fail(
      `the MX of ${domain} is ${names.join(', ')}, so the mail provider does not see bounces${advice}. The domain of ` +
        'the return path must receive no other mail',
    );
  }
  const hosts = await Promise.all(
    names.map(async (name) => ({
      name,
      found: isIP(name) === 0 ? await lookUpAddresses(dns, name) : { kind: 'none' as const },
    })),
  );
  const missing = hosts.filter(({ found }) => found.kind === 'none');
  if (missing.length > 0) {
    return about.fail(
      `the MX ${missing.map(({ name }) => name).join(', ')} must be the name of a host with an address`,
    );
  }
  if (hosts.some(({ found }) => found.kind === 'found')) return about.pass(`mail to it goes to ${names.join(', ')}`);
  return about.unknown(`the addresses of its MX ${names.join(', ')} could not be looked up`);
}

/** Judges whether replies could reach a sender's domain: some receivers refuse mail from one that does not exist. */
export async function judgeSender(dns: DnsResolver, domain: string): Promise<Judgement> {
  const about = judgementsOf('sender', domain);
  if (isLargeProvider(domain)) {
    return about.fail(
      `From is an address at ${domain}, a mailbox provider for everyone: its DMARC policy lets others reject your ` +
        'newsletters. Use an address of a domain of your own',
    );
  }
  const [mx, addresses] = await Promise.all([dns.mx(domain), lookUpAddresses(dns, domain)]);
  if (mx.kind === 'found' && mx.records.some(({ exchange }) => exchange === '')) {
    return about.fail(`${domain} accepts no mail (a null MX): receivers may refuse mail from it (RFC 7505 §4.2)`);
  }
  if (mx.kind === 'found' || addresses.kind === 'found') return about.pass('the domain exists');
  for (const one of [mx, addresses]) if (one.kind === 'failed') return about.notFound(domain, one.reason);
  return about.fail(`${domain} has neither MX nor address: receivers refuse mail from a domain without`);
}

/** RFC 8601: an address with very many names is not followed. */
const MOST_NAMES = 10;

/** Judges the name of an IP address from which mail leaves: it must lead back to the address (RFC 8601 §2.7.3). */
export async function judgePtr(dns: DnsResolver, address: string): Promise<Judgement> {
  const about = judgementsOf('ptr', address);
  const found = await dns.ptr(address);
  if (found.kind === 'failed') return about.notFound(`the name of ${address}`, found.reason);
  const names = found.kind === 'none' ? [] : found.records.slice(0, MOST_NAMES);
  const look = isIP(address) === 6 ? dns.aaaa : dns.a;
  const lookups = await Promise.all(names.map(async (name) => ({ name, found: await look(name) })));
  for (const { name, found: one } of lookups) {
    if (one.kind === 'found' && one.records.some((record) => normal(record) === normal(address))) {
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

/** IPv6 addresses can be written in several ways. */
function normal(address: string): string {
  return new SocketAddress({ address, family: isIP(address) === 6 ? 'ipv6' : 'ipv4' }).address;
}

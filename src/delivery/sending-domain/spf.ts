/**
 * Judges the SPF record of the domain of the return path (RFC 7208): there is one, it is valid, costs at most ten
 * look-ups, and authorises our senders.
 */
import { isIP } from 'node:net';
import { openRanges } from '../../lib/cidr.ts';
import { type DnsResolver, lookUpAddresses } from './dns-resolver.ts';
import { isBelow, type Judgement, judgementsOf, quoted } from './judgement.ts';
import type { MailProviderDns } from './mail-provider-dns.ts';

/** Senders of mail with this return path. */
interface SpfSenders {
  provider: MailProviderDns | null;
  /** IP addresses, known from the configuration. */
  addresses: readonly string[];
}

/** RFC 7208 §4.6.4. Reading ends beyond it: a record that includes itself would never end. */
const MOST_LOOKUPS = 10;

/**
 * Contents of a record and of all that it includes. A term that refuses senders, such as `-ip4:192.0.2.1`, authorises
 * nothing and is otherwise ignored: in practice only `all` refuses.
 */
class SpfReading {
  readonly networks: string[] = [];
  /** Domains of all the records. */
  readonly domains: string[] = [];
  lookups = 0;
  /** The first reason for which receivers cannot use the record. */
  problem: string | null = null;
  /** Terms that cannot be evaluated here: they depend on the message, or their look-up failed. */
  readonly unclear: string[] = [];
}

export async function judgeSpf(dns: DnsResolver, domain: string, senders: SpfSenders): Promise<Judgement[]> {
  const about = judgementsOf('spf', domain);
  const [found, alias] = await Promise.all([dns.txt(domain), dns.cname(domain)]);
  if (found.kind === 'failed') return [about.notFound(`the SPF record of ${domain}`, found.reason)];
  const texts = found.kind === 'none' ? [] : found.records.filter(isSpf);
  const [text, ...others] = texts;
  if (text === undefined) return [about.fail(`${domain} has no SPF record${advice(senders)}`)];
  if (others.length > 0) {
    const list = texts.map(quoted).join(', ');
    return [
      about.fail(`${domain} has ${texts.length} SPF records, so receivers use none (RFC 7208 §4.5): make ${list} one`),
    ];
  }
  const reading = new SpfReading();
  reading.domains.push(domain, ...(alias.kind === 'found' ? alias.records : []));
  await readRecord(dns, domain, text, reading);
  const { problem, lookups, networks } = reading;
  if (problem !== null) {
    return [about.fail(`the SPF record of ${domain} is not valid: ${problem}; it is ${quoted(text)}`)];
  }
  if (lookups > MOST_LOOKUPS) {
    return [
      about.fail(
        `the SPF record of ${domain} costs more than ${MOST_LOOKUPS} look-ups with all that it includes: receivers ` +
          'treat it as invalid (RFC 7208 §4.6.4). Remove what no longer sends',
      ),
    ];
  }
  return [
    // Class E is reserved (RFC 1112 §4): an address of nobody.
    openRanges(networks)('240.0.0.1')
      ? about.fail(`the SPF record of ${domain} lets everyone send its mail: end it with ~all or -all`)
      : about.pass(`one valid record that costs ${lookups} of at most ${MOST_LOOKUPS} look-ups: ${quoted(text)}`),
    judgeSenders(domain, reading, senders),
  ];
}

function advice({ provider, addresses }: SpfSenders): string {
  if (provider !== null) return `: set up what ${provider.title} shows for the return path (${provider.returnPath})`;
  if (addresses.length > 0) return `: publish "v=spf1 ${addresses.map(termOf).join(' ')} ~all" as TXT`;
  return ': name the IP addresses from which your mail leaves in delivery.addresses, or the mail provider';
}

function judgeSenders(domain: string, reading: SpfReading, { provider, addresses }: SpfSenders): Judgement {
  const { domains, networks, unclear } = reading;
  const about = judgementsOf('spf-senders', domain);
  if (provider !== null) {
    const { title, zones, returnPath } = provider;
    if (domains.some((name) => isBelow(name, zones))) return about.pass(`it authorises ${title}`);
    return about.fail(`the SPF record of ${domain} does not authorise ${title}: the return path needs ${returnPath}`);
  }
  if (addresses.length === 0) {
    return about.unknown('the configuration does not name the IP addresses of your mail: set delivery.addresses');
  }
  const isAuthorised = openRanges(networks);
  const refused = addresses.filter((one) => !isAuthorised(one));
  if (refused.length === 0) return about.pass(`it authorises ${addresses.join(', ')}`);
  if (unclear.length > 0) {
    return about.unknown(`whether it authorises ${refused.join(', ')} is not known, because of ${unclear.join(', ')}`);
  }
  const terms = refused.map(termOf).join(' ');
  return about.fail(`the SPF record of ${domain} does not authorise ${refused.join(', ')}: add ${terms}`);
}

function termOf(address: string): string {
  return `ip${isIP(address)}:${address}`;
}

/** Whether a TXT record is meant as SPF (RFC 7208 §4.5). */
function isSpf(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

const TERM =
  /^([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=$|[:/])(?::([^/]*))?(?:\/(\d{1,3}))?(?:\/\/(\d{1,3}))?$/i;
const MODIFIER = /^(redirect|[a-z][a-z0-9_.-]*)=(.*)$/i;

/** Reads a record of a domain, and the records that it includes. @param reading is changed */
async function readRecord(dns: DnsResolver, domain: string, text: string, reading: SpfReading): Promise<void> {
  let redirect: string | null = null;
  for (const term of text.split(' ').slice(1)) {
    if (reading.problem !== null || reading.lookups > MOST_LOOKUPS) return;
    const [, sign = '', mechanism, value, prefix4, prefix6] = TERM.exec(term) ?? [];
    if (mechanism === undefined) {
      const [, modifier, target = ''] = MODIFIER.exec(term) ?? [];
      if (modifier?.toLowerCase() === 'redirect') redirect = target;
      else if (modifier === undefined && term !== '') reading.problem = `${quoted(term)} is no term of SPF`;
      continue;
    }
    const authorises = sign === '' || sign === '+';
    const kind = mechanism.toLowerCase();
    if (kind === 'all') {
      if (authorises) reading.networks.push('0.0.0.0/0', '::/0');
      return;
    }
    if (kind === 'ip4' || kind === 'ip6') {
      if (isIP(value ?? '') !== Number(kind[2])) reading.problem = `${quoted(term)} has no address of its family`;
      // A network of IPv6 has one slash, too.
      else if (authorises) reading.networks.push(`${value}/${prefix4 ?? (kind === 'ip4' ? 32 : 128)}`);
      continue;
    }
    reading.lookups += 1;
    const target = value ?? domain;
    if (isIP(target) !== 0) reading.problem = `${quoted(term)} must name a domain`;
    else if (kind === 'ptr' || kind === 'exists' || target.includes('%')) reading.unclear.push(quoted(term));
    else if (!authorises) continue;
    else if (kind === 'include') await readIncluded(dns, target, reading);
    else await readAddresses(dns, kind, target, { 4: prefix4 ?? '32', 6: prefix6 ?? '128' }, reading);
  }
  if (redirect === null) return;
  reading.lookups += 1;
  if (redirect.includes('%')) reading.unclear.push(quoted(`redirect=${redirect}`));
  else await readIncluded(dns, redirect, reading);
}

async function readIncluded(dns: DnsResolver, domain: string, reading: SpfReading): Promise<void> {
  reading.domains.push(domain.toLowerCase());
  const found = await dns.txt(domain);
  if (found.kind === 'failed') {
    reading.unclear.push(`${domain}, which could not be looked up (${found.reason})`);
    return;
  }
  const texts = found.kind === 'none' ? [] : found.records.filter(isSpf);
  if (texts.length === 1) return await readRecord(dns, domain, texts[0] ?? '', reading);
  reading.problem = `it includes ${domain}, which has ${texts.length === 0 ? 'no' : 'several'} SPF records`;
}

/** The addresses of `a` and `mx`. @param prefixes by the version of IP */
async function readAddresses(
  dns: DnsResolver,
  kind: string,
  target: string,
  prefixes: Record<number, string>,
  { networks, unclear }: SpfReading,
): Promise<void> {
  const hosts = kind === 'mx' ? await dns.mx(target) : { kind: 'found' as const, records: [target] };
  const names = hosts.kind === 'found' ? hosts.records.slice(0, 10).filter((name) => name !== '') : [];
  const lookups = await Promise.all(names.map((name) => lookUpAddresses(dns, name)));
  for (const found of [...lookups, hosts]) {
    if (found.kind === 'failed') unclear.push(`${target}, which could not be looked up (${found.reason})`);
  }
  for (const found of lookups) {
    if (found.kind === 'found') networks.push(...found.records.map((one) => `${one}/${prefixes[isIP(one)]}`));
  }
}

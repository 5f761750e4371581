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

/** RFC 7208 §4.6.4. */
const MOST_LOOKUPS = 10;
/** Reading ends here: a record that includes itself would never end. */
const LOOKUPS_READ = 20;

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
  reading.domains.push(domain);
  await readRecord(dns, domain, text, reading);
  if (reading.problem !== null) {
    return [about.fail(`the SPF record of ${domain} is not valid: ${reading.problem}; it is ${quoted(text)}`)];
  }
  const names = [...reading.domains, ...(alias.kind === 'found' ? alias.records : [])];
  return [
    // Class E is reserved (RFC 1112 §4): an address of nobody.
    openRanges(reading.networks)('240.0.0.1')
      ? about.fail(`the SPF record of ${domain} lets everyone send its mail: end it with ~all or -all`)
      : about.pass(`one valid record: ${quoted(text)}`),
    judgeLookups(domain, reading.lookups),
    senders.provider === null
      ? judgeAddresses(domain, reading, senders.addresses)
      : judgeProvider(domain, names, senders.provider),
  ];
}

function advice({ provider, addresses }: SpfSenders): string {
  if (provider !== null) return `: set up what ${provider.title} shows for the return path (${provider.returnPath})`;
  if (addresses.length > 0) return `: publish "v=spf1 ${addresses.map(termOf).join(' ')} ~all" as TXT`;
  return ': name the IP addresses from which your mail leaves in delivery.addresses, or the mail provider';
}

function judgeLookups(domain: string, lookups: number): Judgement {
  const about = judgementsOf('spf-lookups', domain);
  if (lookups <= MOST_LOOKUPS) return about.pass(`${lookups} of at most ${MOST_LOOKUPS} look-ups`);
  const count = lookups < LOOKUPS_READ ? lookups : `${LOOKUPS_READ} or more`;
  return about.fail(
    `the SPF record of ${domain} costs ${count} look-ups with all that it includes; beyond ${MOST_LOOKUPS} receivers ` +
      'treat it as invalid (RFC 7208 §4.6.4): remove what no longer sends',
  );
}

function judgeAddresses(domain: string, { networks, unclear }: SpfReading, addresses: readonly string[]): Judgement {
  const about = judgementsOf('spf-senders', domain);
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

function judgeProvider(domain: string, names: readonly string[], provider: MailProviderDns): Judgement {
  const about = judgementsOf('spf-senders', domain);
  const { title, zones, returnPath } = provider;
  if (names.some((name) => isBelow(name, zones))) return about.pass(`it authorises ${title}`);
  return about.fail(`the SPF record of ${domain} does not authorise ${title}: the return path needs ${returnPath}`);
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
/** RFC 7208 §7.1: the last label is not a number, so an IP address is no domain. */
const HOST_NAME = /^(?=.{1,254}$)(?!.*\.\d+\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+\.?$/i;

/** Reads a record of a domain, and the records that it includes. @param reading is changed */
async function readRecord(dns: DnsResolver, domain: string, text: string, reading: SpfReading): Promise<void> {
  let redirect: string | null = null;
  for (const term of text.split(' ').slice(1)) {
    if (reading.problem !== null || reading.lookups >= LOOKUPS_READ) return;
    const [, sign, mechanism, value, prefix4, prefix6] = TERM.exec(term) ?? [];
    if (mechanism === undefined) {
      const [, modifier, target = ''] = MODIFIER.exec(term) ?? [];
      if (modifier?.toLowerCase() === 'redirect') redirect = target;
      else if (modifier === undefined && term !== '') reading.problem = `${quoted(term)} is no term of SPF`;
      continue;
    }
    const authorises = sign === '' || sign === '+';
    const add = (address: string): void => {
      const prefix = isIP(address) === 4 ? (prefix4 ?? 32) : (prefix6 ?? 128);
      if (authorises) reading.networks.push(`${address}/${prefix}`);
    };
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
    if (kind === 'ptr' || kind === 'exists' || target.includes('%')) reading.unclear.push(quoted(term));
    else if (!HOST_NAME.test(target)) reading.problem = `${quoted(term)} must name a domain`;
    else if (kind === 'include') await readIncluded(dns, target, reading, authorises);
    else await readAddresses(dns, kind, target, reading, add);
  }
  if (redirect === null) return;
  reading.lookups += 1;
  if (HOST_NAME.test(redirect)) await readIncluded(dns, redirect, reading, true);
  else reading.unclear.push(quoted(`redirect=${redirect}`));
}

async function readIncluded(dns: DnsResolver, domain: string, reading: SpfReading, authorises: boolean): Promise<void> {
  reading.domains.push(domain.toLowerCase());
  const found = await dns.txt(domain);
  if (found.kind === 'failed') {
    reading.unclear.push(`${domain}, which could not be looked up (${found.reason})`);
    return;
  }
  const texts = found.kind === 'none' ? [] : found.records.filter(isSpf);
  if (texts.length !== 1) {
    reading.problem = `it includes ${domain}, which has ${texts.length === 0 ? 'no' : 'several'} SPF records`;
    return;
  }
  const known = reading.networks.length;
  await readRecord(dns, domain, texts[0] ?? '', reading);
  if (!authorises) reading.networks.length = known;
}

/** The addresses of `a` and `mx`. */
async function readAddresses(
  dns: DnsResolver,
  kind: string,
  target: string,
  { unclear }: SpfReading,
  add: (address: string) => void,
): Promise<void> {
  const mx = kind === 'mx' ? await dns.mx(target) : null;
  const names = mx === null ? [target] : mx.kind === 'found' ? mx.records.slice(0, 10).map((one) => one.exchange) : [];
  const lookups = await Promise.all(names.filter((name) => name !== '').map((name) => lookUpAddresses(dns, name)));
  for (const found of [...lookups, ...(mx === null ? [] : [mx])]) {
    if (found.kind === 'failed') unclear.push(`${target}, which could not be looked up (${found.reason})`);
  }
  for (const found of lookups) if (found.kind === 'found') found.records.forEach(add);
}

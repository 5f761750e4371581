/**
 * Judges where mail to a domain goes: bounces and `mailto:` unsubscribe requests come back to it (RFC 5321 §5.1).
 */
import { isIP } from 'node:net';
import { type DnsResolver, type Lookup, lookUpAddresses, type MxRecord } from '../dns-resolver.ts';
import { type Judgement, judge, notKnown } from '../judgement.ts';
import { isBelow } from '../mail-provider-dns.ts';
import type { ZoneRecord } from '../zone-record.ts';

interface MailExchange extends MxRecord {
  addresses: Lookup<string>;
  /** The name of which it is an alias; a mail exchange must not be one (RFC 2181 §10.3). */
  alias: string | null;
}

export interface MxView {
  domain: string;
  /** In the order of their preference. */
  exchanges: Lookup<MailExchange>;
  /** Addresses of the domain itself, to which mail goes if it has no MX. */
  addresses: Lookup<string>;
}

const MOST_EXCHANGES = 10;

export async function loadMx(dns: DnsResolver, domain: string): Promise<MxView> {
  const [mx, addresses] = await Promise.all([dns.mx(domain), lookUpAddresses(dns, domain)]);
  if (mx.kind !== 'found') return { domain, exchanges: mx, addresses };
  const ordered = mx.records.toSorted((a, b) => a.preference - b.preference).slice(0, MOST_EXCHANGES);
  const records = await Promise.all(
    ordered.map(async (record): Promise<MailExchange> => {
      const { exchange } = record;
      if (exchange === '' || isIP(exchange) !== 0) return { ...record, addresses: { kind: 'none' }, alias: null };
      const [found, alias] = await Promise.all([lookUpAddresses(dns, exchange), dns.cname(exchange)]);
      return { ...record, addresses: found, alias: alias.kind === 'found' ? (alias.records[0] ?? null) : null };
    }),
  );
  return { domain, exchanges: { kind: 'found', records }, addresses };
}

/**
 * @param wanted the MX record of a mail provider that must be there, or null where any is right
 * @param zones the mail provider's own domains
 */
export function judgeMx(
  { domain, exchanges, addresses }: MxView,
  wanted: ZoneRecord | null,
  zones: readonly string[] = [],
): Judgement {
  const about = { id: 'mx', domain };
  const record = wanted ?? undefined;
  if (exchanges.kind === 'failed') return notKnown(about, `the MX of ${domain}`, exchanges.reason);
  if (exchanges.kind === 'none') {
    if (addresses.kind === 'failed') return notKnown(about, `the address of ${domain}`, addresses.reason);
    if (addresses.kind === 'found' && wanted === null) {
      return judge('pass', about, `no MX, so mail goes to ${domain} itself (RFC 5321 §5.1)`);
    }
    return judge('fail', about, `${domain} has no MX: bounces do not come back`, record);
  }
  const { records } = exchanges;
  const names = records.map(({ exchange }) => exchange);
  if (names.includes('')) {
    return judge(
      'fail',
      about,
      `${domain} says that it accepts no mail (a null MX, RFC 7505): bounces do not come back`,
    );
  }
  const problems = records.flatMap(problemOf);
  const isReachable = records.some(({ exchange, addresses: found }) => isIP(exchange) === 0 && found.kind === 'found');
  if (problems.length > 0) {
    const end = isReachable ? '' : ': no mail to it arrives';
    return judge('fail', about, `${problems.join('; ')}${end}`);
  }
  if (wanted !== null && !names.includes(wanted.value.split(' ')[1] ?? '')) {
    const message = `the MX of ${domain} is ${names.join(', ')}: the mail provider does not see bounces`;
    // Its own, of another region. Others receive people's mail.
    if (names.every((name) => isBelow(name, zones))) {
      return judge('fail', about, message, {
        ...wanted,
        replaces: records.map((one) => `${one.preference} ${one.exchange}`),
      });
    }
    const advice = 'choose a domain for the return path that receives no other mail (delivery.returnPathDomain)';
    return judge('fail', about, `${message}; ${advice}`);
  }
  const unsure = records.find(({ addresses: found }) => found.kind === 'failed');
  if (unsure?.addresses.kind === 'failed' && !isReachable) {
    return notKnown(about, `the address of ${unsure.exchange}`, unsure.addresses.reason);
  }
  return judge('pass', about, `mail to ${domain} goes to ${names.join(', ')}`);
}

function problemOf({ exchange, addresses, alias }: MailExchange): string[] {
  if (isIP(exchange) !== 0) return [`the MX ${exchange} is an IP address; it must be a name`];
  if (alias !== null)
    return [`the MX ${exchange} is an alias of ${alias}; it must have addresses itself (RFC 2181 §10.3)`];
  return addresses.kind === 'none' ? [`the MX ${exchange} has no address`] : [];
}

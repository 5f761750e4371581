/**
 * Judges the TLS of a mail exchange (RFC 3207).
 */
import { type Judgement, judge } from '../judgement.ts';

/** What a connection to a mail exchange showed. */
export type TlsFinding =
  | { kind: 'tls'; problem: string | null; validUntil: number; protocol: string }
  | { kind: 'no-tls' }
  | { kind: 'unreachable'; reason: string }
  /** Not tried. */
  | { kind: 'not-public'; address: string };

/**
 * Connects to port 25 of one address, and asks for TLS. Never rejects.
 * @param host the name that the certificate must have
 */
export type ProbeTls = (host: string, address: string) => Promise<TlsFinding>;

/** Days before a certificate ends at which it should have been renewed. */
const RENEWAL_DAYS = 7;
const DAY = 86_400_000;

/** @param now epoch milliseconds */
export function judgeMxTls(host: string, finding: TlsFinding, now: number): Judgement {
  const about = { id: 'mx-tls', domain: host };
  switch (finding.kind) {
    case 'unreachable':
      return judge(
        'unknown',
        about,
        `port 25 of ${host} could not be tried (${finding.reason}): many networks close it for outgoing connections`,
      );
    case 'not-public':
      return judge(
        'unknown',
        about,
        `${host} has the address ${finding.address} here, which is not public, so its TLS was not tried: if others ` +
          'see the same address, no mail reaches it',
      );
    case 'no-tls':
      return judge('fail', about, `${host} offers no STARTTLS: bounces and requests to unsubscribe come in clear text`);
    case 'tls':
      break;
  }
  if (finding.problem !== null) {
    return judge('fail', about, `the certificate of ${host} is not valid: ${finding.problem}`);
  }
  const days = Math.floor((finding.validUntil - now) / DAY);
  if (days < RENEWAL_DAYS) {
    return judge('fail', about, `the certificate of ${host} ends in ${Math.max(days, 0)} days: renew it`);
  }
  return judge('pass', about, `${host} offers ${finding.protocol} with a valid certificate, for ${days} more days`);
}

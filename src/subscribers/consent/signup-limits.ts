/**
 * The limits of requests for confirmation mail, against those who enter other people's addresses into the form. They
 * count what would be mailed, whoever asks; the limits of clients are those of the page.
 */
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import { DAY, HOUR } from '../../lib/time.ts';
import type { KeyedLimit } from '../../store/rate-limits.ts';
import { mailboxKey } from '../address.ts';
import { hashAddress, hashesOfAddress } from '../suppression.ts';
import { isLargeProvider } from './large-providers.ts';

export interface SignupLimits {
  /** Of one mailbox, with all its spellings. */
  perAddressPerDay: number;
  /** Of all mailboxes of a domain, unless it is a large provider. */
  perDomainPerHour: number;
  /** Of all mailboxes. */
  perHour: number;
}

interface SignupLimit extends KeyedLimit {
  scope: 'domain' | 'all' | 'address';
}

/**
 * The limits that apply to an address. That of the address is the last: a request must not show, by being refused for
 * another reason first, whether others have asked for the address.
 */
export function limitsOfSignup(secrets: SigningSecrets, emailKey: string, limits: SignupLimits): SignupLimit[] {
  const mailbox = mailboxKey(emailKey);
  const domain = mailbox.slice(mailbox.lastIndexOf('@') + 1);
  const every = (period: number, count: number) => ({ everyMs: period / count, burst: count });
  const ofDomain: SignupLimit = {
    scope: 'domain',
    key: `signup domain:${hashAddress(secrets[0], domain)}`,
    ...every(HOUR, limits.perDomainPerHour),
  };
  return [
    ...(isLargeProvider(domain) ? [] : [ofDomain]),
    { scope: 'all', key: 'signup all', ...every(HOUR, limits.perHour) },
    {
      scope: 'address',
      key: addressRateKey(hashAddress(secrets[0], mailbox)),
      ...every(DAY, limits.perAddressPerDay),
    },
  ];
}

/** The keys of the limits that belong to an address alone, under all secrets. */
export function addressRateKeys(secrets: SigningSecrets, emailKey: string): string[] {
  return hashesOfAddress(secrets, mailboxKey(emailKey)).map(addressRateKey);
}

function addressRateKey(addressHash: string): string {
  return `address:${addressHash}`;
}

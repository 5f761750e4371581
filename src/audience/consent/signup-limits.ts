/**
 * The limits of requests for confirmation mail, against those who enter other people's addresses into the form. They
 * count what would be mailed, from any client; the limits of clients are those of the page.
 */
import { listOpenAlerts, raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { KeyedLimit } from '../../core/store/rate-limits.ts';
import type { Db } from '../../core/store/store.ts';
import { mailboxKey } from '../../lib/address.ts';
import { CLOCK_DIFFERENCE, DAY, HOUR } from '../../lib/time.ts';
import { isLargeProvider } from '../mailbox-providers.ts';
import { hashAddress, hashesOfAddress } from '../suppression.ts';

export interface SignupLimits {
  /** Requests for one mailbox, with all its spellings. */
  perAddressPerDay: number;
  /** Requests for all mailboxes of a domain, unless it is a large provider. */
  perDomainPerHour: number;
  /** Requests for all mailboxes. */
  perHour: number;
}

/** An owner needs no more than that; two or three people of a small company subscribe within minutes, not thirty. */
const MAIL_LIMITS = { perAddressPerDay: 3, perDomainPerHour: 30 };

/** A weekend is long enough to find the mail. */
export const CONFIRM_WITHIN_HOURS = 72;

/** The limits, and the lifetime of the link, for requests on the site. */
export function signupOptions({ perHour }: { perHour: number }): SignupLimits & { confirmMs: number } {
  return { ...MAIL_LIMITS, perHour, confirmMs: CONFIRM_WITHIN_HOURS * HOUR };
}

/** `address`: the response must not show that it refused. */
interface SignupLimit extends KeyedLimit {
  scope: 'domain' | 'all' | 'address';
}

/**
 * The limits that apply to an address. Those of the address are the last: a request must not show, by being refused for
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
  const hash = hashAddress(secrets[0], mailbox);
  return [
    ...(isLargeProvider(domain) ? [] : [ofDomain]),
    { scope: 'all', key: 'signup all', ...every(HOUR, limits.perHour) },
    { scope: 'address', key: addressRateKey(hash), ...every(DAY, limits.perAddressPerDay) },
  ];
}

/** The keys of the limits that belong to an address alone, under all secrets. */
export function addressRateKeys(secrets: SigningSecrets, emailKey: string): string[] {
  return hashesOfAddress(secrets, mailboxKey(emailKey)).map(addressRateKey);
}

function addressRateKey(addressHash: string): string {
  return `address:${addressHash}`;
}

const SIGNUP_LIMIT = { kind: 'signup-limit', subject: {} };

export async function raiseSignupAlert(db: Db, perHour: number, now: number): Promise<void> {
  const message =
    `Requests to subscribe are being refused: there were more than ${perHour} in an hour (signup.perHour). ` +
    'If they are genuine, raise the limit; if not, somebody is entering the addresses of strangers.';
  await raiseAlert(db, { ...SIGNUP_LIMIT, message }, now);
}

/** Resolves the alert an hour after the last refusal, and at once where that was before the clock was set back. */
export async function resolveSignupAlert(db: Db, now: number): Promise<void> {
  const isOver = (lastAt: number): boolean => lastAt <= now - HOUR || lastAt > now + CLOCK_DIFFERENCE;
  const over = (await listOpenAlerts(db, SIGNUP_LIMIT.kind)).filter(({ lastAt }) => isOver(lastAt));
  await resolveAlerts(db, over, now);
}

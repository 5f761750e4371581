/**
 * What the DNS shows of mail providers, from their documentation of November 2026.
 */
import type { Config } from '../../core/config/config.ts';

export type MailProviderName = Exclude<Config['delivery']['provider'], 'none'>;

export interface MailProviderDns {
  /** As people know it. */
  title: string;
  /** Domain that an SPF record includes. */
  include: string;
  /**
   * How a domain of the operator's becomes the return path: with an SPF record that includes the mail provider, or as
   * an alias of a name, which is null where each customer has another.
   */
  returnPath: { kind: 'include' } | { kind: 'alias'; of: string | null };
  /** The mail provider's own domains: names below them are its own, as targets of CNAME records and includes. */
  zones: string[];
  /**
   * Usual selectors of the DKIM keys with which it signs for a customer's domain. Empty where each customer has others.
   */
  selectors: string[];
  /** What the operator sets up there for DKIM. */
  dkimSetup: string;
}

export const MAIL_PROVIDERS: Record<MailProviderName, MailProviderDns> = {
  ses: {
    title: 'Amazon SES',
    include: 'amazonses.com',
    returnPath: { kind: 'include' },
    zones: ['amazonses.com'],
    selectors: [],
    dkimSetup: 'three CNAME records of "Easy DKIM", which the SES console shows for the identity',
  },
  postmark: {
    title: 'Postmark',
    include: 'spf.mtasv.net',
    returnPath: { kind: 'alias', of: 'pm.mtasv.net' },
    zones: ['mtasv.net'],
    selectors: [],
    dkimSetup: 'a TXT record that Postmark shows under "Sender Signatures"; its selector begins with a date',
  },
  mailgun: {
    title: 'Mailgun',
    include: 'mailgun.org',
    returnPath: { kind: 'include' },
    zones: ['mailgun.org', 'mailgun.com'],
    selectors: ['pdk1', 'pdk2', 'pic', 'k1', 'mx', 'smtp', 'mailo'],
    dkimSetup: 'the DKIM records that Mailgun shows under "Domain settings"',
  },
  sendgrid: {
    title: 'SendGrid',
    include: 'sendgrid.net',
    returnPath: { kind: 'alias', of: null },
    zones: ['sendgrid.net'],
    selectors: ['s1', 's2', 'm1'],
    dkimSetup: 'the CNAME records s1._domainkey and s2._domainkey that SendGrid shows under "Sender authentication"',
  },
  brevo: {
    title: 'Brevo',
    include: 'spf.brevo.com',
    returnPath: { kind: 'include' },
    zones: ['brevo.com', 'sendinblue.com', 'sender-sib.com', 'brevosend.com'],
    selectors: ['brevo1', 'brevo2', 'mail'],
    dkimSetup: 'the DKIM records that Brevo shows under "Senders, domains"',
  },
};

/** Whether a name is one of the domains or below one. */
export function isBelow(name: string, domains: readonly string[]): boolean {
  return domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
}

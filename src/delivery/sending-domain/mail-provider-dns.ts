/** What the DNS shows of mail providers, from their documentation of November 2026. */
import type { Config } from '../../core/config/config.ts';

export interface MailProviderDns {
  /** As people know it. */
  title: string;
  /** What the domain of the return path needs in the DNS. */
  returnPath: string;
  /** The mail provider's own domains: names below them are its own, as targets of CNAME records and includes. */
  zones: string[];
  /** Usual selectors of the keys with which it signs for a customer's domain. Empty where each customer has others. */
  selectors: string[];
  /** What the operator sets up there for DKIM. */
  dkimSetup: string;
}

export const MAIL_PROVIDERS: Record<Exclude<Config['delivery']['provider'], 'none'>, MailProviderDns> = {
  ses: {
    title: 'Amazon SES',
    returnPath: 'include:amazonses.com in its SPF record',
    zones: ['amazonses.com'],
    selectors: [],
    dkimSetup: 'three CNAME records of "Easy DKIM", which the SES console shows for the identity',
  },
  postmark: {
    title: 'Postmark',
    returnPath: 'an alias (CNAME) of pm.mtasv.net and no other record',
    zones: ['mtasv.net'],
    selectors: [],
    dkimSetup: 'a TXT record that Postmark shows under "Sender Signatures"; its selector begins with a date',
  },
  mailgun: {
    title: 'Mailgun',
    returnPath: 'include:mailgun.org in its SPF record',
    zones: ['mailgun.org', 'mailgun.com'],
    selectors: ['pdk1', 'pdk2', 'pic', 'k1', 'mx', 'smtp', 'mailo'],
    dkimSetup: 'the DKIM records that Mailgun shows under "Domain settings"',
  },
  sendgrid: {
    title: 'SendGrid',
    returnPath: 'the alias (CNAME) that SendGrid shows for it and no other record',
    zones: ['sendgrid.net'],
    selectors: ['s1', 's2', 'm1'],
    dkimSetup: 'the CNAME records s1._domainkey and s2._domainkey that SendGrid shows under "Sender authentication"',
  },
  brevo: {
    title: 'Brevo',
    returnPath: 'include:spf.brevo.com in its SPF record',
    zones: ['brevo.com', 'sendinblue.com', 'sender-sib.com', 'brevosend.com'],
    selectors: ['brevo1', 'brevo2', 'mail'],
    dkimSetup: 'the DKIM records that Brevo shows under "Senders, domains"',
  },
};

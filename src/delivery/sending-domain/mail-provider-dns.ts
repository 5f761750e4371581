/** What the DNS shows of mail providers, from their documentation of November 2026. */
import type { Config } from '../../core/config/config.ts';

export interface MailProviderDns {
  /** As people know it. */
  title: string;
  /** What the domain of the return path needs in the DNS. */
  returnPath: string;
  /** The mail provider's own domains: an SPF record that includes a name below them, or is its alias, authorises it. */
  zones: string[];
  /** What the operator sets up there for DKIM. */
  dkimSetup: string;
}

export const MAIL_PROVIDERS: Record<Exclude<Config['delivery']['provider'], 'none'>, MailProviderDns> = {
  ses: {
    title: 'Amazon SES',
    returnPath: 'include:amazonses.com in its SPF record',
    zones: ['amazonses.com'],
    dkimSetup: 'three CNAME records of "Easy DKIM", which the SES console shows for the identity',
  },
  postmark: {
    title: 'Postmark',
    returnPath: 'an alias (CNAME) of pm.mtasv.net and no other record',
    zones: ['mtasv.net'],
    dkimSetup: 'a TXT record that Postmark shows under "Sender Signatures"; its selector begins with a date',
  },
  mailgun: {
    title: 'Mailgun',
    returnPath: 'include:mailgun.org in its SPF record',
    zones: ['mailgun.org', 'mailgun.com'],
    dkimSetup: 'the DKIM records that Mailgun shows under "Domain settings"',
  },
  sendgrid: {
    title: 'SendGrid',
    returnPath: 'the alias (CNAME) that SendGrid shows for it and no other record',
    zones: ['sendgrid.net'],
    dkimSetup: 'the CNAME records s1._domainkey and s2._domainkey that SendGrid shows under "Sender authentication"',
  },
  brevo: {
    title: 'Brevo',
    returnPath: 'include:spf.brevo.com in its SPF record',
    zones: ['brevo.com', 'sendinblue.com', 'sender-sib.com', 'brevosend.com'],
    dkimSetup: 'the DKIM records that Brevo shows under "Senders, domains"',
  },
};

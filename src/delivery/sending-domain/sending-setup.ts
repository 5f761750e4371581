/**
 * What the configuration says about sending, as the checks of the sending domain need it.
 */
import { domainToASCII } from 'node:url';
import type { Config } from '../../core/config/config.ts';
import type { Signer } from '../../core/keys.ts';
import { MAIL_PROVIDERS, type MailProviderDns, type MailProviderName } from './mail-provider-dns.ts';

/** Domains are in lower case and A-labels. */
export interface SendingSetup {
  /** Of From, each once, in the order of the newsletters. */
  senders: string[];
  /** Of `bounces.address`. */
  bounceDomain: string | null;
  /** Domain of the return path that the mail provider sets, if it is the operator's. */
  returnPathDomain: string | null;
  provider: MailProviderDns | null;
  /** IP addresses from which mail leaves. */
  addresses: string[];
  signers: readonly Signer[];
  /** Name of the SMTP server, or null for an IP address or this machine. */
  mailServer: string | null;
  /** Email address that may receive reports. */
  contact: string;
  publicUrl: string;
}

type SetupConfig = Pick<Config, 'delivery' | 'bounces' | 'newsletters' | 'publication' | 'secrets'>;

/** @param signers the keys of `delivery.dkim` */
export function sendingSetup(config: SetupConfig, signers: readonly Signer[]): SendingSetup {
  const { delivery, bounces, newsletters, publication, secrets } = config;
  const { provider, returnPathDomain, addresses } = delivery;
  return {
    senders: [...new Set(newsletters.map(({ from }) => domainOf(from.email)))],
    bounceDomain: bounces.address === undefined ? null : domainOf(bounces.address),
    returnPathDomain: returnPathDomain ?? null,
    provider: provider === 'none' ? null : MAIL_PROVIDERS[provider satisfies MailProviderName],
    addresses: [...new Set(addresses)],
    signers,
    mailServer: mailServerOf(secrets.smtpUrl ?? delivery.smtpUrl),
    contact: publication.contact.email,
    publicUrl: publication.url,
  };
}

/** The domain of the return path of mail from a sender; null where it is the mail provider's own. */
export function returnPathOf(setup: SendingSetup, sender: string): string | null {
  if (setup.provider !== null) return setup.returnPathDomain;
  return setup.bounceDomain ?? sender;
}

/**
 * The mail exchange to which bounces of a custom MAIL FROM domain of Amazon SES go, by the region of its SMTP server.
 */
export function feedbackExchange({ mailServer }: SendingSetup): string | null {
  const [, region] = /^email-smtp(?:-fips)?\.([a-z0-9-]{1,40})\.amazonaws\.com$/.exec(mailServer ?? '') ?? [];
  return region === undefined ? null : `feedback-smtp.${region}.amazonses.com`;
}

function domainOf(email: string): string {
  return domainToASCII(email.slice(email.lastIndexOf('@') + 1)).toLowerCase();
}

function mailServerOf(url: string | undefined): string | null {
  const host = url !== undefined && URL.canParse(url) ? new URL(url).hostname.toLowerCase() : '';
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(host) ? host : null;
}

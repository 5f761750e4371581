/**
 * Judges everything about the sending domain: reads what the configuration says about sending, looks up what is needed,
 * and lists the judgements in the order in which an operator would read them.
 */
import { domainToASCII } from 'node:url';
import type { Config } from '../../core/config/config.ts';
import type { Signer } from '../../core/keys.ts';
import { signersOf } from '../message/dkim.ts';
import { judgeDkimKey } from './dkim.ts';
import { type AuthenticatedDomain, judgeAlignment, judgeDmarc, walkDmarc } from './dmarc.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { judgeMx, judgePtr, judgeSender } from './hosts.ts';
import { type Judgement, judgementsOf, weakest } from './judgement.ts';
import { MAIL_PROVIDERS, type MailProviderDns } from './mail-provider-dns.ts';
import { judgeSpf } from './spf.ts';

/** Domains are in lower case and A-labels. */
export interface SendingSetup {
  /** Domains of the From addresses, each once, in the order of the newsletters. */
  senders: string[];
  /** Domain of `bounces.address`. */
  bounceDomain: string | null;
  /** Domain of the return path that the mail provider sets, if it is the operator's. */
  returnPathDomain: string | null;
  provider: MailProviderDns | null;
  /** IP addresses from which mail leaves. */
  addresses: string[];
  signers: readonly Signer[];
  publicUrl: string;
}

type SetupConfig = Pick<Config, 'delivery' | 'bounces' | 'newsletters' | 'publication'>;

/** @param signers the keys of `delivery.dkim` */
export function sendingSetup(config: SetupConfig, signers: readonly Signer[]): SendingSetup {
  const { delivery, bounces, newsletters, publication } = config;
  const { provider, returnPathDomain, addresses } = delivery;
  return {
    senders: [...new Set(newsletters.map(({ from }) => domainOf(from.email)))],
    bounceDomain: bounces.address === undefined ? null : domainOf(bounces.address),
    returnPathDomain: returnPathDomain ?? null,
    provider: provider === 'none' ? null : MAIL_PROVIDERS[provider],
    addresses: [...new Set(addresses)],
    signers,
    publicUrl: publication.url,
  };
}

function domainOf(email: string): string {
  return domainToASCII(email.slice(email.lastIndexOf('@') + 1)).toLowerCase();
}

export async function judgeSetup(setup: SendingSetup, dns: DnsResolver): Promise<Judgement[]> {
  const judged = await Promise.all([
    ...setup.senders.map((domain) => judgeSender(dns, domain)),
    ...setup.senders.map((domain) => judgeAuthentication(setup, dns, domain)),
    ...(setup.bounceDomain === null ? [] : [judgeMx(dns, setup.bounceDomain)]),
    ...setup.addresses.map((address) => judgePtr(dns, address)),
  ]);
  // Senders share keys and return paths.
  return [...new Map(judged.flat().map((one) => [[one.id, one.domain, one.message].join(' '), one])).values()];
}

/** Judges the authentication of mail from one domain. */
async function judgeAuthentication(setup: SendingSetup, dns: DnsResolver, domain: string): Promise<Judgement[]> {
  const { provider, bounceDomain, returnPathDomain } = setup;
  const returnPath = provider === null ? (bounceDomain ?? domain) : returnPathDomain;
  const [sender, spf, dkim] = await Promise.all([
    walkDmarc(dns, domain),
    returnPath === null ? [foreignReturnPath(provider, domain)] : judgeSpf(dns, returnPath, setup),
    judgeKeys(setup, dns, domain),
  ]);
  const authenticated: AuthenticatedDomain[] = [];
  for (const { verdict, domain: signing } of dkim) {
    authenticated.push({ method: 'DKIM', verdict, walk: await walkDmarc(dns, signing) });
  }
  if (returnPath !== null) {
    authenticated.push({ method: 'SPF', verdict: weakest(spf), walk: await walkDmarc(dns, returnPath) });
  }
  return [...spf, ...dkim, judgeDmarc(sender), judgeAlignment(sender, authenticated)];
}

function foreignReturnPath(provider: MailProviderDns | null, domain: string): Judgement {
  return judgementsOf('spf', domain).unknown(
    `${provider?.title} sets the return path to a domain of its own, whose SPF does not align with From: DMARC rests ` +
      'on DKIM alone. If you have set up a domain of yours there (custom MAIL FROM), name it in ' +
      'delivery.returnPathDomain',
  );
}

async function judgeKeys({ signers, provider }: SendingSetup, dns: DnsResolver, domain: string): Promise<Judgement[]> {
  const own = signersOf(signers, domain);
  const keys = await Promise.all(own.map((signer) => judgeDkimKey(dns, signer)));
  if (own.some(({ algorithm }) => algorithm === 'rsa-sha256')) return keys;
  if (own.length > 0) {
    // Many verifiers are older than RFC 8463, and treat a signature of Ed25519 as none.
    const message = 'only keys of Ed25519 sign, which few mailbox providers verify: sign with an RSA key, too';
    return [...keys, judgementsOf('dkim', own[0]?.domain ?? domain).unknown(message)];
  }
  const signs =
    provider === null
      ? 'whether your mail server does is not known'
      : `${provider.title} must, and its selector is not known here. It needs ${provider.dkimSetup}`;
  return [judgementsOf('dkim', domain).unknown(`no key of delivery.dkim signs mail from ${domain}: ${signs}`)];
}

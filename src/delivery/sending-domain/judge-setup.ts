/**
 * Judges everything about the sending domain: looks up what is needed, at once, and lists the judgements in the order
 * in which an operator would read them.
 */
import { isLargeProvider } from '../../audience/mailbox-providers.ts';
import { signersOf } from '../message/dkim.ts';
import { type AuthenticatedDomain, judgeAlignment, judgeDmarc } from './dmarc/judge-dmarc.ts';
import { judgeReports } from './dmarc/judge-reports.ts';
import { walkDmarc } from './dmarc/tree-walk.ts';
import type { DnsResolver, Lookup } from './dns-resolver.ts';
import { judgeDkimKey, judgeProviderDkim } from './judge-dkim.ts';
import { judgePtr } from './judge-ptr.ts';
import { type Judgement, type JudgementVerdict, judge, notKnown } from './judgement.ts';
import { judgeMx, loadMx, type MxView } from './mx/judge-mx.ts';
import { judgeMxTls, type ProbeTls } from './mx/judge-mx-tls.ts';
import { feedbackExchange, returnPathOf, type SendingSetup } from './sending-setup.ts';
import { judgeSpf } from './spf/judge-spf.ts';
import { loadSpf } from './spf/spf-tree.ts';
import type { ZoneRecord } from './zone-record.ts';

/** How the world is asked. */
export interface SendingProbes {
  dns: DnsResolver;
  tls: ProbeTls;
}

/** What authenticates mail from one domain. */
interface SenderAuthentication {
  domain: string;
  spf: Judgement[];
  dkim: Judgement[];
  dmarc: Judgement;
  reports: Judgement[];
  alignment: Judgement;
}

export interface SetupJudgements {
  /** All judgements, each once. */
  judgements: Judgement[];
  senders: SenderAuthentication[];
}

/** @param now epoch milliseconds, for the end of certificates */
export async function judgeSetup(setup: SendingSetup, probes: SendingProbes, now: number): Promise<SetupJudgements> {
  const { dns } = probes;
  const [senders, domains, exchanges, names] = await Promise.all([
    Promise.all(setup.senders.map((domain) => authenticate(setup, dns, domain))),
    Promise.all(setup.senders.map(async (domain) => judgeSenderDomain(await loadMx(dns, domain)))),
    judgeExchanges(setup, probes, now),
    Promise.all(setup.addresses.map((address) => judgePtr(dns, address, setup))),
  ]);
  const judgements = [
    ...domains,
    ...senders.flatMap(({ spf, dkim, dmarc, reports, alignment }) => [...spf, ...dkim, dmarc, ...reports, alignment]),
    ...exchanges,
    ...names,
    ...unknownAddresses(setup),
    ...judgeOneClick(setup),
  ];
  return { judgements: once(judgements), senders };
}

/** Senders share keys and return paths. */
function once(judgements: Judgement[]): Judgement[] {
  return [...new Map(judgements.map((one) => [[one.id, one.domain, one.message].join(' '), one])).values()];
}

async function authenticate(setup: SendingSetup, dns: DnsResolver, domain: string): Promise<SenderAuthentication> {
  const returnPath = returnPathOf(setup, domain);
  const signers = signersOf(setup.signers, domain);
  const [sender, spf, dkim] = await Promise.all([
    walkDmarc(dns, domain),
    returnPath === null ? foreignReturnPath(setup, domain) : judgeReturnPath(setup, dns, returnPath),
    judgeKeys(setup, dns, domain),
  ]);
  const keyDomains = signers.length > 0 ? signers.map((one) => one.domain) : [domain];
  const keys = dkim.map((one, index) => ({ verdict: one.verdict, domain: keyDomains[index] ?? domain }));
  const authenticated: AuthenticatedDomain[] = await Promise.all([
    ...keys.map(async ({ verdict, domain: signing }) => ({
      method: 'DKIM' as const,
      verdict,
      walk: await walkDmarc(dns, signing),
    })),
    ...(returnPath === null
      ? []
      : [
          walkDmarc(dns, returnPath).then((walk) => ({
            method: 'SPF' as const,
            verdict: weakest(deciding(spf)),
            walk,
          })),
        ]),
  ]);
  return {
    domain,
    spf,
    dkim,
    dmarc: await withoutAlias(
      dns,
      judgeDmarc(
        sender,
        setup.contact,
        authenticated.map(({ walk }) => walk[0].domain),
      ),
    ),
    reports: await judgeReports(dns, sender),
    alignment: judgeAlignment(sender, authenticated),
  };
}

/** Nothing is suggested next to a CNAME: no other record may be there (RFC 2181 §10.1). */
async function withoutAlias(dns: DnsResolver, judgement: Judgement): Promise<Judgement> {
  const { record, ...rest } = judgement;
  if (record === undefined) return judgement;
  const alias = await dns.cname(record.name);
  if (alias.kind !== 'found') return judgement;
  const { verdict, message } = rest;
  return judge(verdict, rest, `${message} (${record.name} is an alias of ${alias.records.join(', ')})`);
}

/** Whether SPF passes does not depend on how the record ends. */
export function deciding(spf: readonly Judgement[]): Judgement[] {
  return spf.filter(({ id }) => id !== 'spf-all');
}

/** The verdict of all together. Unknown if there is none. */
export function weakest(judgements: readonly Pick<Judgement, 'verdict'>[]): JudgementVerdict {
  const verdicts = judgements.map(({ verdict }) => verdict);
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.length === 0 || verdicts.includes('unknown') ? 'unknown' : 'pass';
}

async function judgeReturnPath(setup: SendingSetup, dns: DnsResolver, domain: string): Promise<Judgement[]> {
  const [tree, alias, ...others] = await Promise.all([
    loadSpf(dns, domain),
    dns.cname(domain),
    ...[dns.txt(domain), dns.mx(domain), dns.a(domain), dns.aaaa(domain)],
  ]);
  const { provider, addresses } = setup;
  const isFree = [alias, ...others].every(({ kind }) => kind === 'none');
  const target = alias.kind === 'found' ? (alias.records[0] ?? null) : null;
  return judgeSpf({ tree, provider, addresses, alias: target, isFree });
}

function foreignReturnPath({ provider }: SendingSetup, domain: string): Judgement[] {
  const title = provider?.title ?? 'the mail provider';
  return [
    judge(
      'unknown',
      { id: 'spf', domain },
      `${title} sets the return path to a domain of its own, whose SPF does not align with From: DMARC rests on DKIM ` +
        'alone. If you have set up a domain of yours there (custom MAIL FROM), name it in delivery.returnPathDomain',
    ),
  ];
}

function judgeKeys({ signers, provider }: SendingSetup, dns: DnsResolver, domain: string): Promise<Judgement[]> {
  const own = signersOf(signers, domain);
  if (own.length > 0) return Promise.all(own.map((signer) => judgeDkimKey(dns, signer)));
  if (provider !== null) return Promise.all([judgeProviderDkim(dns, domain, provider)]);
  const message = `no key of delivery.dkim signs mail from ${domain}: whether your mail server does is not known`;
  return Promise.resolve([judge('unknown', { id: 'dkim', domain }, message)]);
}

/** Exchanges whose TLS is tried: those of the highest preference. */
const MOST_PROBES = 2;

/** Where bounces and requests to unsubscribe go. */
async function judgeExchanges(setup: SendingSetup, { dns, tls }: SendingProbes, now: number): Promise<Judgement[]> {
  const { provider, returnPathDomain, bounceDomain, senders } = setup;
  const own = bounceDomain === null ? (provider === null ? senders : []) : [bounceDomain];
  const judged = own.map(async (domain) => {
    const view = await loadMx(dns, domain);
    const probed = await Promise.all(
      hostsOf(view).map(async ({ host, address }) => judgeMxTls(host, await tls(host, address), now)),
    );
    return [judgeMx(view, null), ...probed];
  });
  // Only Amazon SES has its customers set an MX; the others have an alias.
  if (provider?.include === 'amazonses.com' && returnPathDomain !== null && returnPathDomain !== bounceDomain) {
    const wanted = feedbackRecord(setup, returnPathDomain);
    judged.push(loadMx(dns, returnPathDomain).then((view) => [judgeMx(view, wanted, provider.zones)]));
  }
  return (await Promise.all(judged)).flat();
}

function feedbackRecord(setup: SendingSetup, name: string): ZoneRecord | null {
  const exchange = feedbackExchange(setup);
  return exchange === null ? null : { name, type: 'MX', value: `10 ${exchange}`, replaces: [] };
}

function hostsOf({ exchanges }: MxView): { host: string; address: string }[] {
  if (exchanges.kind !== 'found') return [];
  return exchanges.records
    .flatMap(({ exchange, addresses }) => {
      const [address] = addresses.kind === 'found' ? addresses.records : [];
      return address === undefined ? [] : [{ host: exchange, address }];
    })
    .slice(0, MOST_PROBES);
}

function unknownAddresses({ addresses, provider, senders: [domain] }: SendingSetup): Judgement[] {
  if (addresses.length > 0 || provider !== null || domain === undefined) return [];
  const message =
    'the configuration does not say from which IP addresses your mail leaves, so their names (PTR) are not checked: ' +
    'name them in delivery.addresses';
  return [judge('unknown', { id: 'ptr', domain }, message)];
}

/** RFC 8058 §3.1: the address must be https. */
function judgeOneClick({ publicUrl }: SendingSetup): Judgement[] {
  const { protocol, hostname } = new URL(publicUrl);
  const about = { id: 'one-click', domain: hostname };
  return [
    protocol === 'https:'
      ? judge('pass', about, 'publication.url is https, so messages offer one-click unsubscribe (RFC 8058)')
      : judge('fail', about, `publication.url is ${publicUrl}: one-click unsubscribe (RFC 8058) needs https`),
  ];
}

/** Judges whether replies could reach the domain: some receivers refuse mail from one that does not exist. */
function judgeSenderDomain({ domain, exchanges, addresses }: MxView): Judgement {
  const about = { id: 'sender', domain };
  if (isLargeProvider(domain)) {
    return judge(
      'fail',
      about,
      `From is an address at ${domain}, a mailbox provider for everyone: its DMARC policy lets others reject your ` +
        'newsletters. Use an address of a domain of your own',
    );
  }
  if (exchanges.kind === 'found' && exchanges.records.some(({ exchange }) => exchange === '')) {
    return judge(
      'fail',
      about,
      `${domain} says that it accepts no mail (a null MX): receivers may refuse mail from it (RFC 7505 §4.2), and ` +
        'replies are lost',
    );
  }
  if (exchanges.kind === 'found' || addresses.kind === 'found') {
    return judge('pass', about, 'the domain exists, and is no mailbox provider for everyone');
  }
  const failed: Lookup<unknown> | undefined = [exchanges, addresses].find(({ kind }) => kind === 'failed');
  if (failed?.kind === 'failed') return notKnown(about, domain, failed.reason);
  return judge('fail', about, `${domain} has neither MX nor address: receivers refuse mail from a domain without`);
}

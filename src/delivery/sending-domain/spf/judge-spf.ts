/**
 * Judges the SPF record of the domain of the return path: one record, valid, within the limits, and one that
 * authorises what sends (RFC 7208).
 */
import { type Judgement, judge, notKnown, quoted } from '../judgement.ts';
import { isBelow, type MailProviderDns } from '../mail-provider-dns.ts';
import type { ZoneRecord } from '../zone-record.ts';
import {
  brokenNode,
  countLookups,
  domainsOf,
  evaluateSpf,
  SPF_LOOKUPS,
  SPF_VOID_LOOKUPS,
  voidTerms,
} from './spf-evaluation.ts';
import { parseSpf } from './spf-record.ts';
import { mergeSpf, newSpf, repairSpf } from './spf-repair.ts';
import type { SpfNode } from './spf-tree.ts';

/** What sends mail with this return path. */
interface SpfSenders {
  provider: MailProviderDns | null;
  /** IP addresses, known from the configuration. */
  addresses: readonly string[];
}

interface SpfView extends SpfSenders {
  tree: SpfNode;
  /** The name of which the domain is an alias, or null. No other record may be next to a CNAME (RFC 2181 §10.1). */
  alias: string | null;
  /** Whether the name has no record at all, so that it can be an alias. */
  isFree: boolean;
}

export function judgeSpf(view: SpfView): Judgement[] {
  const { tree, alias } = view;
  const { domain, outcome } = tree;
  const about = { id: 'spf', domain };
  const terms = termsOf(view);
  const isReplaceable = alias === null;
  const record = (value: string, replaces: string[]): ZoneRecord | undefined =>
    isReplaceable ? { name: domain, type: 'TXT', value, replaces } : undefined;
  const newRecord = terms.length > 0 ? record(newSpf(terms), []) : undefined;
  switch (outcome.kind) {
    case 'failed':
      return [notKnown(about, `the SPF record of ${domain}`, outcome.reason)];
    case 'none':
      return [judge('fail', about, noRecordMessage(view), aliasRecord(view) ?? newRecord)];
    case 'several': {
      const { texts } = outcome;
      const merged = mergeSpf(texts, terms);
      const message = `${domain} has ${texts.length} SPF records, so receivers use none (RFC 7208 §4.5): make them one`;
      const parsed = parseSpf(merged);
      if (parsed.kind === 'valid') return [judge('fail', about, message, record(merged, texts))];
      return [judge('fail', about, `${message}, and correct what is not valid: ${parsed.problem}`)];
    }
    case 'invalid':
      return [
        judge(
          'fail',
          about,
          `the SPF record of ${domain} is not valid: ${outcome.problem}; it is ${quoted(outcome.text)}`,
        ),
      ];
    case 'cut-off':
      return [judge('fail', about, outcome.reason)];
    case 'macro':
      return [judge('unknown', about, `the SPF record of ${domain} depends on the message`)];
    case 'record':
      break;
  }
  const broken = brokenNode(tree);
  const ending = judgeEnding(tree);
  const senders = judgeSenders(view);
  // The same for both: the name may have only one record, so each suggestion must be the whole one.
  const repaired = record(repairSpf(outcome.text, { terms: senders.missing, softFail: ending.softFail }), [
    outcome.text,
  ]);
  const withRecord = (judgement: Judgement, isRepaired: boolean): Judgement =>
    isRepaired && repaired !== undefined ? { ...judgement, record: repaired } : judgement;
  return [
    broken === null ? judge('pass', about, `one valid record: ${quoted(outcome.text)}`) : judgeBroken(domain, broken),
    judgeLookups(tree),
    withRecord(ending.judgement, ending.softFail),
    withRecord(senders.judgement, senders.missing.length > 0),
  ];
}

function noRecordMessage({ tree: { domain }, alias, provider, addresses }: SpfView): string {
  if (alias !== null) return `${domain} is an alias of ${alias}, which has no SPF record`;
  if (provider?.returnPath.kind === 'alias') {
    return `${domain} has no SPF record. ${aliasAdvice(provider.title, provider.returnPath.of)}`;
  }
  const hint =
    provider === null && addresses.length === 0
      ? ': name the IP addresses from which your mail leaves in delivery.addresses, or the mail provider in ' +
        'delivery.provider, to see the record'
      : '';
  return `${domain} has no SPF record, so nobody knows who may send its mail${hint}`;
}

function judgeBroken(domain: string, broken: SpfNode): Judgement {
  const about = { id: 'spf', domain };
  const { outcome } = broken;
  const name = `the record of ${domain} includes ${broken.domain}, which`;
  switch (outcome.kind) {
    case 'failed':
      return notKnown(about, `the SPF record of ${broken.domain}, which ${domain} includes,`, outcome.reason);
    case 'none':
      return judge('fail', about, `${name} has no SPF record: receivers then treat the whole record as invalid`);
    case 'several':
      return judge('fail', about, `${name} has several SPF records: receivers then treat the whole record as invalid`);
    case 'invalid':
      return judge('fail', about, `${name} has an SPF record that is not valid: ${outcome.problem}`);
    case 'cut-off':
      return judge('fail', about, `the SPF record of ${domain} cannot be used: ${outcome.reason}`);
    default:
      return judge('unknown', about, `${name} depends on the message`);
  }
}

function judgeLookups(tree: SpfNode): Judgement {
  const about = { id: 'spf-lookups', domain: tree.domain };
  const lookups = countLookups(tree);
  const empty = voidTerms(tree);
  if (lookups > SPF_LOOKUPS) {
    return judge(
      'fail',
      about,
      `the SPF record of ${tree.domain} costs ${lookups} look-ups with all that it includes; beyond ${SPF_LOOKUPS} ` +
        `receivers treat it as invalid (RFC 7208 §4.6.4): remove what no longer sends${costsOf(tree)}`,
    );
  }
  if (empty.length > SPF_VOID_LOOKUPS) {
    return judge(
      'fail',
      about,
      `${empty.length} terms of the SPF record of ${tree.domain} name nothing that exists; beyond ` +
        `${SPF_VOID_LOOKUPS} receivers treat it as invalid (RFC 7208 §4.6.4): ${empty.slice(0, 10).join(', ')}`,
    );
  }
  return judge('pass', about, `${lookups} of at most ${SPF_LOOKUPS} look-ups`);
}

/** `: include:example.net 4, a 1`. */
function costsOf({ outcome }: SpfNode): string {
  if (outcome.kind !== 'record') return '';
  const costs = outcome.terms.flatMap(({ directive, included }) =>
    included === null ? [] : [`${directive.text} ${1 + countLookups(included)}`],
  );
  return costs.length === 0 ? '' : ` (${costs.slice(0, 20).join(', ')})`;
}

/** An address of nobody: class E is reserved (RFC 1112 §4). */
const NOBODY = '240.0.0.1';

function judgeEnding(tree: SpfNode): { judgement: Judgement; softFail: boolean } {
  const { domain, outcome } = tree;
  const about = { id: 'spf-all', domain };
  const pass = (message: string) => ({ judgement: judge('pass', about, message), softFail: false });
  const fail = (message: string, softFail: boolean) => ({ judgement: judge('fail', about, message), softFail });
  const last = outcome.kind === 'record' ? outcome.terms.at(-1)?.directive : undefined;
  const isAll = last?.mechanism === 'all';
  if (isAll && last.qualifier === '+') {
    return fail(`the SPF record of ${domain} ends with ${last.text}: everyone may send its mail`, true);
  }
  if (evaluateSpf(tree, NOBODY).kind === 'pass') {
    return fail(`the SPF record of ${domain} lets everyone send its mail, itself or by what it includes`, false);
  }
  if (outcome.kind === 'record' && outcome.redirect !== null) {
    return pass(`it ends with the record of ${outcome.redirect.domain}`);
  }
  if (isAll && last.qualifier !== '?') return pass(`it ends with ${last.text}`);
  return fail(
    `the SPF record of ${domain} says nothing about other senders (RFC 7208 §4.7): end it with ~all, after you have ` +
      'listed everyone who sends your mail',
    true,
  );
}

/** `missing`: terms that the record lacks. */
function judgeSenders(view: SpfView): { judgement: Judgement; missing: string[] } {
  const { tree, provider, addresses } = view;
  const about = { id: 'spf-senders', domain: tree.domain };
  if (provider !== null) return judgeProvider(view, provider);
  const known = (judgement: Judgement) => ({ judgement, missing: [] });
  if (addresses.length === 0) {
    const message =
      'the configuration does not say from which IP addresses your mail leaves: name them in delivery.addresses';
    return known(judge('unknown', about, message));
  }
  const results = addresses.map((address) => ({ address, result: evaluateSpf(tree, address) }));
  const refused = results.filter(({ result }) => ['fail', 'softfail', 'neutral'].includes(result.kind));
  if (refused.length > 0) {
    const list = refused.map(({ address, result }) => `${address} (${result.kind})`).join(', ');
    const message = `the SPF record of ${tree.domain} does not authorise ${list}`;
    return { judgement: judge('fail', about, message), missing: refused.map(({ address }) => termOf(address)) };
  }
  const unsure = results.find(({ result }) => result.kind !== 'pass');
  if (unsure !== undefined) {
    const { result } = unsure;
    const reason =
      result.kind === 'unclear' ? `"${result.term}" is evaluated only for a message` : `the result is ${result.kind}`;
    return known(judge('unknown', about, `whether it authorises ${unsure.address} is not known: ${reason}`));
  }
  return known(judge('pass', about, `it authorises ${addresses.join(', ')}`));
}

function judgeProvider(view: SpfView, { title, include, zones, returnPath }: MailProviderDns) {
  const { tree, alias } = view;
  const about = { id: 'spf-senders', domain: tree.domain };
  const names = alias === null ? domainsOf(tree) : [...domainsOf(tree), alias];
  if (names.some((name) => isBelow(name, zones))) {
    return { judgement: judge('pass', about, `it authorises ${title}`), missing: [] };
  }
  const message = `the SPF record of ${tree.domain} does not include ${include}: ${title} may not send its mail`;
  const isFull = countLookups(tree) >= SPF_LOOKUPS;
  const note = isFull ? `. It already costs ${SPF_LOOKUPS} look-ups or more: remove a term for it` : '';
  const advice = returnPath.kind === 'alias' ? `. ${aliasAdvice(title, returnPath.of)}` : note;
  return { judgement: judge('fail', about, message + advice), missing: termsOf(view) };
}

/** What to do where the mail provider wants an alias: no other record may be next to it. */
function aliasAdvice(title: string, of: string | null): string {
  const target = of === null ? `the alias (CNAME) that ${title} shows for it` : `an alias (CNAME) of ${of}`;
  return `${title} needs a return path of its own, which is ${target} and has no other record`;
}

/** The alias, where the name is free for it. */
function aliasRecord({ tree: { domain }, provider, alias, isFree }: SpfView): ZoneRecord | undefined {
  if (provider?.returnPath.kind !== 'alias' || provider.returnPath.of === null) return undefined;
  if (alias !== null || !isFree) return undefined;
  return { name: domain, type: 'CNAME', value: provider.returnPath.of, replaces: [] };
}

function termsOf({ provider, addresses }: SpfSenders): string[] {
  if (provider === null) return addresses.map(termOf);
  return provider.returnPath.kind === 'include' ? [`include:${provider.include}`] : [];
}

function termOf(address: string): string {
  return `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`;
}

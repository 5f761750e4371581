/**
 * Judges the DMARC policy of a sender's domain, and whether DKIM and SPF would align with it (RFC 7489 §3.1,
 * RFC 9989 §4).
 */
import { type Judgement, type JudgementVerdict, judge, notKnown, quoted } from '../judgement.ts';
import { isBelow } from '../mail-provider-dns.ts';
import { DMARC_POLICIES, type DmarcRecord, parseDmarc } from './dmarc-record.ts';
import { type DmarcWalk, organizationalDomain, policyStep } from './tree-walk.ts';

/**
 * @param contact email address that may receive reports
 * @param authenticated domains that DKIM or SPF authenticate for the sender
 */
export function judgeDmarc(walk: DmarcWalk, contact: string, authenticated: readonly string[]): Judgement {
  const [{ domain }] = walk;
  const about = { id: 'dmarc', domain };
  const step = policyStep(walk);
  if (step === null || step.kind === 'none') {
    const owner = highest(domain, authenticated);
    const reports = reportsTo(contact, owner);
    const effect = reports === '' ? 'changes nothing' : 'changes nothing but asks for reports';
    return judge(
      'fail',
      about,
      `${domain} has no DMARC policy: large mailbox providers demand one of bulk senders; p=none ${effect}`,
      { name: `_dmarc.${owner}`, type: 'TXT', value: `v=DMARC1; p=none${reports}`, replaces: [] },
    );
  }
  const name = `_dmarc.${step.domain}`;
  switch (step.kind) {
    case 'failed':
      return notKnown(about, name, step.reason);
    case 'several': {
      const kept = mostLenient(step.texts);
      const many = `${name} has ${step.texts.length} DMARC records`;
      const message = `${many}, so receivers use none (RFC 9989 §4.10): keep one`;
      return judge(
        'fail',
        about,
        message,
        kept === undefined ? undefined : { name, type: 'TXT', value: kept, replaces: step.texts },
      );
    }
    case 'invalid':
      return judge('fail', about, `${name} is not valid: ${step.problem}; it is ${quoted(step.text)}`);
    case 'valid':
      break;
  }
  const { record } = step;
  const policy = policyOf(walk, record);
  const notes = [
    step.domain === domain ? '' : ` (from ${name})`,
    policy === 'none' ? ': forged mail is only reported' : '',
    record.isPartial ? '; it is a test, or covers a part of the mail only' : '',
    record.reports.length === 0 ? '; nobody gets reports (rua=)' : '',
  ];
  return judge('pass', about, `the policy is ${policy}${notes.join('')}`);
}

/**
 * The highest domain that authenticates mail of the sender and is above it, or the sender's own. A policy below it
 * would make the two separate organizations (RFC 9989 §4.10.2), so that nothing aligns.
 */
function highest(domain: string, authenticated: readonly string[]): string {
  const above = authenticated.filter((one) => isBelow(domain, [one]));
  return [domain, ...above].toSorted((a, b) => a.length - b.length)[0] ?? domain;
}

/** None of several counts, so the one that is kept should change least. Undefined where none is valid. */
function mostLenient(texts: readonly string[]): string | undefined {
  const valid = texts.toSorted().flatMap((text) => {
    const parsed = parseDmarc(text);
    return parsed.kind === 'valid' ? [{ text, record: parsed.record }] : [];
  });
  const rank = ({ record }: { record: DmarcRecord }): number =>
    10 * DMARC_POLICIES.indexOf(record.policy) + DMARC_POLICIES.indexOf(record.subdomainPolicy);
  return valid.toSorted((a, b) => rank(a) - rank(b))[0]?.text;
}

function policyOf(walk: DmarcWalk, record: DmarcRecord): string {
  return walk[0].kind === 'valid' ? record.policy : record.subdomainPolicy;
}

/** Reports to another organization need a record there (RFC 7489 §7.1): only an address of the domain is suggested. */
function reportsTo(contact: string, domain: string): string {
  const host = contact.slice(contact.lastIndexOf('@') + 1).toLowerCase();
  return isBelow(host, [domain]) ? `; rua=mailto:${contact}` : '';
}

/** A domain that DKIM or SPF authenticates, and how that is judged. */
export interface AuthenticatedDomain {
  method: 'DKIM' | 'SPF';
  verdict: JudgementVerdict;
  walk: DmarcWalk;
}

/** Judges which of DKIM and SPF would make DMARC pass for mail from the domain. */
export function judgeAlignment(sender: DmarcWalk, authenticated: readonly AuthenticatedDomain[]): Judgement {
  const [{ domain }] = sender;
  const about = { id: 'alignment', domain };
  const step = policyStep(sender);
  const modes = step?.kind === 'valid' ? step.record : { dkimAlignment: 'r', spfAlignment: 'r' };
  const results = authenticated.map((one) => {
    const mode = one.method === 'DKIM' ? modes.dkimAlignment : modes.spfAlignment;
    const aligned = isAligned(sender, one.walk, mode);
    const verdict = weaker(aligned === 'disputed' ? 'unknown' : aligned, one.verdict);
    return {
      verdict,
      isDisputed: aligned === 'disputed',
      text: `${one.method} of ${one.walk[0].domain}${mode === 's' ? ' (strict)' : ''}`,
    };
  });
  const passing = results.filter(({ verdict }) => verdict === 'pass');
  if (passing.length > 0) return judge('pass', about, `${listed(passing)} would align with From`);
  const unsure = results.filter(({ verdict }) => verdict === 'unknown');
  if (unsure.length > 0) {
    const reason = unsure.some(({ isDisputed }) => isDisputed)
      ? `: no DMARC record says that it belongs to the organization of ${domain}, and receivers differ in that`
      : '';
    return judge('unknown', about, `whether ${listed(unsure)} would align with From is not known${reason}`);
  }
  const reason = results.length === 0 ? 'nothing authenticates the mail' : `not ${listed(results, ' nor ')}`;
  return judge(
    'fail',
    about,
    `neither DKIM nor SPF would pass and align with From ${domain} (${reason}), so DMARC fails: sign with a key of ` +
      `${domain} in delivery.dkim, or let the mail provider sign for it`,
  );
}

function listed(results: { text: string }[], and = ' and '): string {
  return [...new Set(results.map(({ text }) => text))].join(and);
}

/**
 * `disputed`: two organizations by RFC 9989, but one by RFC 7489 §3.2 if what they have in common is no public suffix.
 */
function isAligned(sender: DmarcWalk, other: DmarcWalk, mode: string): JudgementVerdict | 'disputed' {
  if (sender[0].domain === other[0].domain) return 'pass';
  if (mode === 's') return 'fail';
  const [one, another] = [organizationalDomain(sender), organizationalDomain(other)];
  if (one === null || another === null) return 'unknown';
  if (one === another) return 'pass';
  const isDeclared = [...sender, ...other].some((step) => step.kind === 'valid' && step.record.publicSuffix !== null);
  return !isDeclared && commonLabels(one, another) >= 2 ? 'disputed' : 'fail';
}

function commonLabels(one: string, another: string): number {
  const labels = another.split('.').reverse();
  const different = one
    .split('.')
    .reverse()
    .findIndex((label, index) => label !== labels[index]);
  return different < 0 ? one.split('.').length : different;
}

function weaker(one: JudgementVerdict, another: JudgementVerdict): JudgementVerdict {
  if (one === 'fail' || another === 'fail') return 'fail';
  return one === 'unknown' || another === 'unknown' ? 'unknown' : 'pass';
}

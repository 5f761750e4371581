/**
 * Judges the DMARC policy of a sender's domain, and whether DKIM and SPF would align with it (RFC 7489 §3.1,
 * RFC 9989 §4).
 */
import { type DomainVerdict, type Judgement, judge, notKnown, quoted } from '../judgement.ts';
import { isBelow } from '../mail-provider-dns.ts';
import type { DmarcRecord } from './dmarc-record.ts';
import { type DmarcWalk, organizationalDomain, policyStep } from './tree-walk.ts';

/** @param contact email address that may receive reports */
export function judgeDmarc(walk: DmarcWalk, contact: string): Judgement {
  const [{ domain }] = walk;
  const about = { id: 'dmarc', domain };
  const step = policyStep(walk);
  if (step === null || step.kind === 'none') {
    const value = `v=DMARC1; p=none${reportsTo(contact, domain)}`;
    return judge(
      'fail',
      about,
      `${domain} has no DMARC policy: large mailbox providers demand one of bulk senders; p=none changes nothing but ` +
        'asks for reports',
      { name: `_dmarc.${domain}`, type: 'TXT', value, replaces: [] },
    );
  }
  const name = `_dmarc.${step.domain}`;
  switch (step.kind) {
    case 'failed':
      return notKnown(about, name, step.reason);
    case 'several': {
      const [first = ''] = step.texts;
      const many = `${name} has ${step.texts.length} DMARC records`;
      const message = `${many}, so receivers use none (RFC 9989 §4.10): keep one`;
      return judge('fail', about, message, { name, type: 'TXT', value: first, replaces: step.texts });
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
  verdict: DomainVerdict;
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
    const verdict = weaker(isAligned(sender, one.walk, mode), one.verdict);
    return { verdict, text: `${one.method} of ${one.walk[0].domain}${mode === 's' ? ' (strict)' : ''}` };
  });
  const passing = results.filter(({ verdict }) => verdict === 'pass');
  if (passing.length > 0) return judge('pass', about, `${listed(passing)} would align with From`);
  const unsure = results.filter(({ verdict }) => verdict === 'unknown');
  if (unsure.length > 0) return judge('unknown', about, `whether ${listed(unsure)} would align with From is not known`);
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

function isAligned(sender: DmarcWalk, other: DmarcWalk, mode: string): DomainVerdict {
  if (sender[0].domain === other[0].domain) return 'pass';
  if (mode === 's') return 'fail';
  const [one, another] = [organizationalDomain(sender), organizationalDomain(other)];
  if (one === null || another === null) return 'unknown';
  return one === another ? 'pass' : 'fail';
}

function weaker(one: DomainVerdict, another: DomainVerdict): DomainVerdict {
  if (one === 'fail' || another === 'fail') return 'fail';
  return one === 'unknown' || another === 'unknown' ? 'unknown' : 'pass';
}

/** Judges the DMARC policy of a sender's domain, and whether DKIM and SPF would align with it (RFC 9989 §4). */
import type { DnsResolver } from './dns-resolver.ts';
import { isBelow, type Judgement, type JudgementVerdict, judgementsOf, quoted } from './judgement.ts';
import { parseTagList } from './tag-list.ts';

const POLICIES = ['none', 'quarantine', 'reject'];

interface DmarcRecord {
  policy: string;
  subdomainPolicy: string;
  /** Whether DKIM's and SPF's domain must be equal to the sender's, or may belong to the same organization. */
  isStrict: Record<'DKIM' | 'SPF', boolean>;
  /** `y` or `n`: whether the domain is a public suffix (§4.7, `psd`). */
  publicSuffix: string | undefined;
}

/** The records at `_dmarc` of a domain. */
type DmarcStep = { domain: string } & (
  | { kind: 'none' }
  | { kind: 'valid'; record: DmarcRecord }
  | { kind: 'invalid'; problem: string }
  | { kind: 'failed'; reason: string }
);

/** From the domain itself up to its top-level domain. */
export type DmarcWalk = [DmarcStep, ...DmarcStep[]];

const MOST_STEPS = 8;

/**
 * Walks up the DNS tree (§4.10): the domain, then at most seven labels, then one less each time.
 * @param domain in lower case and A-labels
 */
export async function walkDmarc(dns: DnsResolver, domain: string): Promise<DmarcWalk> {
  const labels = domain.split('.');
  const most = Math.min(labels.length - 1, MOST_STEPS - 1);
  const above = Array.from({ length: most }, (_, index) => labels.slice(index - most).join('.'));
  return Promise.all([readStep(dns, domain), ...above.map((one) => readStep(dns, one))]);
}

async function readStep(dns: DnsResolver, domain: string): Promise<DmarcStep> {
  const found = await dns.txt(`_dmarc.${domain}`);
  if (found.kind !== 'found') return { domain, ...found };
  const texts = found.records.filter((text) => /^\s*v\s*=\s*DMARC1\s*(;|$)/.test(text));
  const [text, ...others] = texts;
  if (text === undefined) return { domain, kind: 'none' };
  if (others.length > 0) {
    const list = texts.map(quoted).join(', ');
    const problem = `it has ${texts.length} DMARC records, so receivers use none: keep one of ${list}`;
    return { domain, kind: 'invalid', problem };
  }
  const { tags, problem } = parseTagList(text);
  const policy = (tags.get('p') ?? '').toLowerCase();
  const subdomainPolicy = tags.get('sp')?.toLowerCase() ?? policy;
  if (problem !== null || ![policy, subdomainPolicy].every((one) => POLICIES.includes(one))) {
    const rule = problem ?? `p= and sp= must be one of ${POLICIES.join(', ')}`;
    return { domain, kind: 'invalid', problem: `${rule}; it is ${quoted(text)}` };
  }
  const record: DmarcRecord = {
    policy,
    subdomainPolicy,
    isStrict: { DKIM: tags.get('adkim')?.toLowerCase() === 's', SPF: tags.get('aspf')?.toLowerCase() === 's' },
    publicSuffix: tags.get('psd')?.toLowerCase(),
  };
  return { domain, kind: 'valid', record };
}

/** @returns null where a step on the way is not known */
function organizationalDomain(walk: DmarcWalk): string | null {
  let found = walk[0].domain;
  for (const [index, step] of walk.entries()) {
    if (step.kind === 'failed') return null;
    if (step.kind !== 'valid') continue;
    if (step.record.publicSuffix === 'y' && index > 0) return walk[index - 1]?.domain ?? found;
    found = step.domain;
    if (step.record.publicSuffix === 'n') return found;
  }
  return found;
}

/** The step whose record is the policy of the domain; null where none has one. A failed step: it is not known. */
function policyStep(walk: DmarcWalk): DmarcStep | null {
  const [own, ...above] = walk;
  if (own.kind !== 'none') return own;
  const failed = above.find(({ kind }) => kind === 'failed');
  if (failed !== undefined) return failed;
  const organization = organizationalDomain(walk);
  const isSuffix = (one: DmarcStep): boolean => one.kind === 'valid' && one.record.publicSuffix === 'y';
  return above.find((one) => one.domain === organization && one.kind === 'valid') ?? above.find(isSuffix) ?? null;
}

export function judgeDmarc(walk: DmarcWalk): Judgement {
  const [{ domain, kind }] = walk;
  const about = judgementsOf('dmarc', domain);
  const step = policyStep(walk);
  if (step === null || step.kind === 'none') {
    return about.fail(
      `${domain} has no DMARC policy, which large mailbox providers demand of bulk senders: publish "v=DMARC1; ` +
        `p=none" as TXT at _dmarc of ${domain}, or of the domain above it whose key signs; p=none changes nothing`,
    );
  }
  const name = `_dmarc.${step.domain}`;
  if (step.kind === 'failed') return about.notFound(name, step.reason);
  if (step.kind === 'invalid') return about.fail(`${name} is not valid: ${step.problem}`);
  const { record } = step;
  const policy = kind === 'valid' ? record.policy : record.subdomainPolicy;
  return about.pass(`the policy is ${policy}${step.domain === domain ? '' : ` (from ${name})`}`);
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
  const about = judgementsOf('alignment', domain);
  const step = policyStep(sender);
  const record = step?.kind === 'valid' ? step.record : null;
  const results = authenticated.map(({ method, verdict, walk }) => {
    const isStrict = record?.isStrict[method] ?? false;
    const aligned = verdict === 'fail' ? 'fail' : isAligned(sender, walk, isStrict);
    return {
      verdict: aligned === 'pass' ? verdict : aligned,
      text: `${method} of ${walk[0].domain}${isStrict ? ' (strict)' : ''}`,
    };
  });
  const listed = (wanted: JudgementVerdict, and: string): string =>
    [...new Set(results.filter(({ verdict }) => verdict === wanted).map(({ text }) => text))].join(and);
  const passing = listed('pass', ' and ');
  if (passing !== '') return about.pass(`${passing} would align with From`);
  const unsure = listed('unknown', ' and ');
  if (unsure !== '') return about.unknown(`whether ${unsure} would align with From is not known`);
  const failing = listed('fail', ' nor ');
  return about.fail(
    `neither DKIM nor SPF would pass and align with From ${domain} ` +
      `(${failing === '' ? 'nothing authenticates the mail' : `not ${failing}`}), so DMARC fails: sign with a key of ` +
      `${domain} in delivery.dkim, or let the mail provider sign for it`,
  );
}

/**
 * Unknown where both are below one domain, and no record there makes it their organization: RFC 9989 takes them for two
 * organizations, receivers by RFC 7489 §3.2 for one.
 */
function isAligned(sender: DmarcWalk, other: DmarcWalk, isStrict: boolean): JudgementVerdict {
  const [one, another] = [sender[0].domain, other[0].domain];
  if (one === another) return 'pass';
  if (isStrict) return 'fail';
  const [ours, theirs] = [organizationalDomain(sender), organizationalDomain(other)];
  if (ours === null || theirs === null) return 'unknown';
  if (ours === theirs) return 'pass';
  return isBelow(one, [parentOf(another)]) || isBelow(another, [parentOf(one)]) ? 'unknown' : 'fail';
}

/** The domain above, or the domain itself where that is a top-level domain. */
function parentOf(domain: string): string {
  const parent = domain.slice(domain.indexOf('.') + 1);
  return parent.includes('.') ? parent : domain;
}

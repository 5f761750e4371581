/**
 * Finds the DMARC policy of a domain, and its organizational domain, by the walk up the DNS tree of RFC 9989 §4.10. It
 * needs no list of public suffixes.
 */
import type { DnsResolver } from '../dns-resolver.ts';
import { type DmarcRecord, isDmarc, parseDmarc } from './dmarc-record.ts';

/** The records at `_dmarc` of a domain. */
export type DmarcStep = { domain: string } & (
  | { kind: 'none' }
  | { kind: 'valid'; text: string; record: DmarcRecord }
  | { kind: 'invalid'; text: string; problem: string }
  | { kind: 'several'; texts: string[] }
  | { kind: 'failed'; reason: string }
);

/** From the domain itself up to its top-level domain. */
export type DmarcWalk = [DmarcStep, ...DmarcStep[]];

const MOST_STEPS = 8;

/** Looks up all steps at once. @param domain in lower case and A-labels */
export async function walkDmarc(dns: DnsResolver, domain: string): Promise<DmarcWalk> {
  const [own = domain, ...above] = stepsOf(domain);
  return Promise.all([readStep(dns, own), ...above.map((one) => readStep(dns, one))]);
}

/** RFC 9989 §4.10: the domain, then at most seven labels, then one less each time. */
function stepsOf(domain: string): string[] {
  const labels = domain.split('.');
  const most = Math.min(labels.length - 1, MOST_STEPS - 1);
  return [domain, ...Array.from({ length: most }, (_, index) => labels.slice(index - most).join('.'))];
}

async function readStep(dns: DnsResolver, domain: string): Promise<DmarcStep> {
  const found = await dns.txt(`_dmarc.${domain}`);
  if (found.kind !== 'found') return { domain, ...found };
  const texts = found.records.filter(isDmarc);
  const [text, ...others] = texts;
  if (text === undefined) return { domain, kind: 'none' };
  if (others.length > 0) return { domain, kind: 'several', texts };
  const parsed = parseDmarc(text);
  return { domain, text, ...parsed };
}

/** @returns null where a step on the way is not known */
export function organizationalDomain(walk: DmarcWalk): string | null {
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
export function policyStep(walk: DmarcWalk): DmarcStep | null {
  const [own, ...above] = walk;
  if (own.kind !== 'none') return own;
  const failed = above.find(({ kind }) => kind === 'failed');
  if (failed !== undefined) return failed;
  const organization = organizationalDomain(walk);
  const step = above.find(({ domain }) => domain === organization);
  if (step?.kind === 'valid') return step;
  const suffix = above.find((one) => one.kind === 'valid' && one.record.publicSuffix === 'y');
  return suffix ?? above.find(({ kind }) => kind === 'several' || kind === 'invalid') ?? null;
}

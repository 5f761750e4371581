/**
 * What follows from an SPF record: how many look-ups it costs, and which senders it authorises (RFC 7208 §4.6.4, §5).
 */
import { isIPv4 } from 'node:net';
import { openRanges } from '../../../lib/cidr.ts';
import type { SpfDirective } from './spf-record.ts';
import type { SpfNode, SpfTerm } from './spf-tree.ts';

/** RFC 7208 §4.6.4: terms that cost a look-up, and look-ups that find nothing. */
export const SPF_LOOKUPS = 10;
export const SPF_VOID_LOOKUPS = 2;

const COSTS_LOOKUP = new Set(['include', 'a', 'mx', 'ptr', 'exists']);

/** Look-ups of a receiver that reads the whole record: the most that a message can cost. */
export function countLookups({ outcome }: SpfNode): number {
  if (outcome.kind !== 'record') return 0;
  const redirect = outcome.redirect === null ? 0 : 1 + countLookups(outcome.redirect);
  return outcome.terms.reduce(
    (sum, { directive, included }) =>
      sum + (COSTS_LOOKUP.has(directive.mechanism) ? 1 : 0) + (included === null ? 0 : countLookups(included)),
    redirect,
  );
}

/** Terms whose name does not exist or has no record, as they are written. */
export function voidTerms({ outcome }: SpfNode): string[] {
  if (outcome.kind !== 'record') return [];
  const own = outcome.terms.flatMap(({ directive, included, addresses }) => {
    const isVoid = typeof addresses === 'object' && addresses?.kind === 'none';
    if (isVoid) return [directive.text];
    return included === null ? [] : voidTerms(included);
  });
  return outcome.redirect === null ? own : [...own, ...voidTerms(outcome.redirect)];
}

/** The domains of all records that it includes or redirects to, itself included. */
export function domainsOf({ domain, outcome }: SpfNode): string[] {
  if (outcome.kind !== 'record') return [domain];
  const below = outcome.terms.flatMap(({ included }) => (included === null ? [] : domainsOf(included)));
  return [domain, ...below, ...(outcome.redirect === null ? [] : domainsOf(outcome.redirect))];
}

/** The first record that receivers cannot use, its own or an included one. */
export function brokenNode(node: SpfNode): SpfNode | null {
  const { outcome } = node;
  if (outcome.kind === 'macro') return null;
  if (outcome.kind !== 'record') return node;
  for (const { included } of outcome.terms) {
    const broken = included === null ? null : brokenNode(included);
    if (broken !== null) return broken;
  }
  return outcome.redirect === null ? null : brokenNode(outcome.redirect);
}

export type SpfResult =
  | { kind: 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror' }
  /** It depends on a term that only a receiver can evaluate. */
  | { kind: 'unclear'; term: string };

const RESULTS = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const;

/** The result of `check_host()` for an IP address (RFC 7208 §4.6). The limits are judged on their own. */
export function evaluateSpf({ outcome }: SpfNode, address: string): SpfResult {
  switch (outcome.kind) {
    case 'none':
      return { kind: 'none' };
    case 'failed':
      return { kind: 'temperror' };
    case 'several':
    case 'invalid':
    case 'cut-off':
      return { kind: 'permerror' };
    case 'macro':
      return { kind: 'unclear', term: 'a macro' };
    case 'record':
      break;
  }
  let unclear: SpfResult | null = null;
  for (const term of outcome.terms) {
    const match = matches(term, address);
    if (typeof match === 'object') {
      if (match.kind !== 'unclear') return match;
      unclear ??= match;
    } else if (match) {
      const kind = RESULTS[term.directive.qualifier];
      return kind === 'pass' || unclear === null ? { kind } : unclear;
    }
  }
  if (unclear !== null) return unclear;
  if (outcome.redirect === null) return { kind: 'neutral' };
  const redirected = evaluateSpf(outcome.redirect, address);
  // RFC 7208 §6.1.
  return redirected.kind === 'none' ? { kind: 'permerror' } : redirected;
}

/** Whether a term matches, or the result that it ends the evaluation with. */
function matches({ directive, included, addresses }: SpfTerm, address: string): boolean | SpfResult {
  switch (directive.mechanism) {
    case 'all':
      return true;
    case 'ptr':
      return { kind: 'unclear', term: directive.text };
    case 'ip4':
    case 'ip6':
      return isWithin(directive, directive.value === null ? [] : [directive.value], address);
    case 'include':
      return included === null ? false : matchesIncluded(included, directive.text, address);
    case 'a':
    case 'mx':
    case 'exists':
      break;
  }
  if (addresses === null || addresses === 'macro') return { kind: 'unclear', term: directive.text };
  if (addresses.kind === 'failed') return { kind: 'temperror' };
  if (addresses.kind === 'none') return false;
  return directive.mechanism === 'exists' || isWithin(directive, addresses.records, address);
}

/** RFC 7208 §5.2. */
function matchesIncluded(included: SpfNode, text: string, address: string): boolean | SpfResult {
  const result = evaluateSpf(included, address);
  if (result.kind === 'pass') return true;
  if (result.kind === 'none' || result.kind === 'permerror') return { kind: 'permerror' };
  if (result.kind === 'temperror') return result;
  return result.kind === 'unclear' ? { kind: 'unclear', term: text } : false;
}

function isWithin({ prefix4, prefix6 }: SpfDirective, networks: string[], address: string): boolean {
  const ranges = networks.map((one) => `${one}/${isIPv4(one) ? prefix4 : prefix6}`);
  return openRanges(ranges)(address);
}

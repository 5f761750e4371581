/**
 * An SPF record with all that it refers to, looked up once. What follows from it is pure: `spf-evaluation.ts`.
 */
import { type DnsResolver, type Lookup, lookUpAddresses } from '../dns-resolver.ts';
import { hasMacro, isSpf, parseSpf, type SpfDirective } from './spf-record.ts';

/** The policy of one domain. */
export interface SpfNode {
  domain: string;
  outcome:
    | { kind: 'record'; text: string; terms: SpfTerm[]; redirect: SpfNode | null }
    | { kind: 'none' }
    | { kind: 'several'; texts: string[] }
    | { kind: 'invalid'; text: string; problem: string }
    | { kind: 'failed'; reason: string }
    /** It includes itself, or the tree is larger than any that receivers read. */
    | { kind: 'cut-off'; reason: string }
    /** Its domain depends on the message. */
    | { kind: 'macro' };
}

export interface SpfTerm {
  directive: SpfDirective;
  /** Of `include`. */
  included: SpfNode | null;
  /** Of `a`, `mx` and `exists`: addresses; found and empty where nothing was looked up because of a macro. */
  addresses: Lookup<string> | 'macro' | null;
}

/** Receivers stop after ten; a few more tell how far a record is over the limit. */
const MOST_NODES = 40;
/** RFC 7208 §4.6.4: more names of an `mx` are an error. */
const MOST_EXCHANGES = 10;
const MOST_TERMS = 200;

/** @param domain in lower case and A-labels */
export function loadSpf(dns: DnsResolver, domain: string): Promise<SpfNode> {
  return loadNode(dns, domain, { above: [], budget: { nodes: MOST_NODES } });
}

interface BranchState {
  /** Domains that lead here. */
  above: string[];
  budget: { nodes: number };
}

async function loadNode(dns: DnsResolver, domain: string, { above, budget }: BranchState): Promise<SpfNode> {
  if (hasMacro(domain)) return { domain, outcome: { kind: 'macro' } };
  if (above.includes(domain)) {
    return { domain, outcome: { kind: 'cut-off', reason: `${domain} includes itself` } };
  }
  budget.nodes -= 1;
  if (budget.nodes < 0) return { domain, outcome: { kind: 'cut-off', reason: 'it includes too many records' } };
  const found = await dns.txt(domain);
  if (found.kind === 'failed') return { domain, outcome: found };
  const texts = found.kind === 'none' ? [] : found.records.filter(isSpf);
  const [text, ...others] = texts;
  if (text === undefined) return { domain, outcome: { kind: 'none' } };
  if (others.length > 0) return { domain, outcome: { kind: 'several', texts } };
  const parsed = parseSpf(text);
  if (parsed.kind === 'invalid') return { domain, outcome: { kind: 'invalid', text, problem: parsed.problem } };
  const { directives, redirect } = parsed.record;
  const below: BranchState = { above: [...above, domain], budget };
  const terms = await Promise.all(
    untilAll(directives)
      .slice(0, MOST_TERMS)
      .map((directive) => loadTerm(dns, domain, directive, below)),
  );
  const isEnded = directives.some(({ mechanism }) => mechanism === 'all');
  const next = redirect === null || isEnded ? null : await loadNode(dns, redirect, below);
  return { domain, outcome: { kind: 'record', text, terms, redirect: next } };
}

/** RFC 7208 §5.1: what follows `all` is ignored. */
function untilAll(directives: SpfDirective[]): SpfDirective[] {
  const end = directives.findIndex(({ mechanism }) => mechanism === 'all');
  return end < 0 ? directives : directives.slice(0, end + 1);
}

async function loadTerm(
  dns: DnsResolver,
  domain: string,
  directive: SpfDirective,
  below: BranchState,
): Promise<SpfTerm> {
  const target = directive.value ?? domain;
  const term: SpfTerm = { directive, included: null, addresses: null };
  switch (directive.mechanism) {
    case 'include':
      return { ...term, included: await loadNode(dns, target, below) };
    case 'a':
      return { ...term, addresses: hasMacro(target) ? 'macro' : await bothFamilies(dns, target) };
    case 'exists':
      return { ...term, addresses: hasMacro(target) ? 'macro' : await dns.a(target) };
    case 'mx':
      return { ...term, addresses: hasMacro(target) ? 'macro' : await addressesOfMx(dns, target) };
    default:
      return term;
  }
}

/** Failed where one family failed: a sender of that family may be authorised. */
async function bothFamilies(dns: DnsResolver, name: string): Promise<Lookup<string>> {
  const failed = [await dns.a(name), await dns.aaaa(name)].find(({ kind }) => kind === 'failed');
  return failed ?? lookUpAddresses(dns, name);
}

async function addressesOfMx(dns: DnsResolver, domain: string): Promise<Lookup<string>> {
  const mx = await dns.mx(domain);
  if (mx.kind !== 'found') return mx;
  const names = mx.records.map(({ exchange }) => exchange).filter((name) => name !== '');
  const lookups = await Promise.all(names.slice(0, MOST_EXCHANGES).map((name) => bothFamilies(dns, name)));
  const records = lookups.flatMap((one) => (one.kind === 'found' ? one.records : []));
  // The name has a record, so this look-up was not void.
  return lookups.find((one) => one.kind === 'failed') ?? { kind: 'found', records };
}

/**
 * The syntax of SPF records (RFC 7208 §4.6.1, §5, §6).
 */
import { isIPv4, isIPv6 } from 'node:net';

type SpfQualifier = '+' | '-' | '~' | '?';

export interface SpfDirective {
  qualifier: SpfQualifier;
  mechanism: 'all' | 'include' | 'a' | 'mx' | 'ptr' | 'ip4' | 'ip6' | 'exists';
  /** Domain, or IP address of `ip4` and `ip6`. Null: the domain of the record, or none (`all`). */
  value: string | null;
  /** Length of the prefixes of `a`, `mx`, `ip4` and `ip6`. */
  prefix4: number;
  prefix6: number;
  /** The term as it is written. */
  text: string;
}

interface SpfRecord {
  directives: SpfDirective[];
  /** Domain whose record is used where no directive matches. */
  redirect: string | null;
}

export type ParsedSpf = { kind: 'valid'; record: SpfRecord } | { kind: 'invalid'; problem: string };

/** Whether a TXT record is meant as SPF (RFC 7208 §4.5). */
export function isSpf(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

const TERM = /^([+\-~?]?)([a-z][a-z0-9_.-]*)(?:([:=/])(.*))?$/is;
const MECHANISMS = ['all', 'include', 'a', 'mx', 'ptr', 'ip4', 'ip6', 'exists'] as const;
/** RFC 7208 §7.1: the last label is not a number, so an IP address is no domain. */
const HOST_NAME = /^(?=.{1,254}$)(?!.*\.\d+\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+\.?$/i;

const NO_DOMAIN = 'it must name a domain; an IP address is written as ip4: or ip6:';

/** Parses a record for which `isSpf` is true. */
export function parseSpf(text: string): ParsedSpf {
  const record: SpfRecord = { directives: [], redirect: null };
  const seen = new Set<string>();
  for (const term of text.split(' ').slice(1)) {
    if (term === '') continue;
    const [, sign = '', name = '', separator = '', rest = ''] = TERM.exec(term) ?? [];
    if (separator === '=') {
      const modifier = name.toLowerCase();
      if (sign !== '') return invalid(term, 'a modifier has no sign before it');
      if (modifier !== 'redirect' && modifier !== 'exp') continue;
      if (seen.has(modifier)) return invalid(term, `${modifier}= may be there once (RFC 7208 §6)`);
      seen.add(modifier);
      if (!isDomainSpec(rest)) return invalid(term, NO_DOMAIN);
      if (modifier === 'redirect') record.redirect = normalDomain(rest);
      continue;
    }
    const directive = parseDirective(term, sign, name, separator + rest);
    if (typeof directive === 'string') return invalid(term, directive);
    record.directives.push(directive);
  }
  return { kind: 'valid', record };
}

/** @returns what is wrong with the term, in words */
function parseDirective(term: string, sign: string, name: string, rest: string): SpfDirective | string {
  const mechanism = MECHANISMS.find((one) => one === name.toLowerCase());
  if (mechanism === undefined) return 'there is no such mechanism';
  const directive: SpfDirective = {
    qualifier: (sign || '+') as SpfQualifier,
    mechanism,
    value: null,
    prefix4: 32,
    prefix6: 128,
    text: term,
  };
  if (mechanism === 'all') return rest === '' ? directive : 'nothing may follow all';
  if (mechanism === 'ip4' || mechanism === 'ip6') return withNetwork(directive, rest);
  return withDomain(directive, rest);
}

function withNetwork(directive: SpfDirective, rest: string): SpfDirective | string {
  const isV4 = directive.mechanism === 'ip4';
  const [, address = '', digits] = /^:([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(rest) ?? [];
  const prefix = digits === undefined ? (isV4 ? 32 : 128) : Number(digits);
  if (!(isV4 ? isIPv4(address) && prefix <= 32 : isIPv6(address) && prefix <= 128)) {
    return `it must be an IPv${isV4 ? '4' : '6'} address or network`;
  }
  return { ...directive, value: address, prefix4: prefix, prefix6: prefix };
}

/** RFC 7208 §5.6: `:example.com/24//64`. */
const DOMAIN_AND_PREFIXES = /^(?::([^/]*))?(?:\/(\d{1,3}))?(?:\/\/(\d{1,3}))?$/;

function withDomain(directive: SpfDirective, rest: string): SpfDirective | string {
  const { mechanism } = directive;
  const hasPrefix = mechanism === 'a' || mechanism === 'mx';
  if (!hasPrefix) {
    // The domain of a macro may have a slash.
    const named = rest.startsWith(':') ? rest.slice(1) : null;
    if (named === null) return mechanism === 'ptr' && rest === '' ? directive : NO_DOMAIN;
    return isDomainSpec(named) ? { ...directive, value: normalDomain(named) } : NO_DOMAIN;
  }
  const match = DOMAIN_AND_PREFIXES.exec(rest);
  const [, domain, v4, v6] = match ?? [];
  const [prefix4, prefix6] = [Number(v4 ?? 32), Number(v6 ?? 128)];
  if (match === null || prefix4 > 32 || prefix6 > 128) return 'it must be such as a:example.com/24//64';
  if (domain !== undefined && !isDomainSpec(domain)) return NO_DOMAIN;
  return { ...directive, value: domain === undefined ? null : normalDomain(domain), prefix4, prefix6 };
}

/** Whether a domain depends on the message (RFC 7208 §7), which is not known here. */
export function hasMacro(domain: string): boolean {
  return domain.includes('%');
}

function isDomainSpec(text: string): boolean {
  return hasMacro(text) ? /^[\x21-\x7e]{1,500}$/.test(text) : HOST_NAME.test(text);
}

function normalDomain(text: string): string {
  return hasMacro(text) ? text : text.toLowerCase().replace(/\.$/, '');
}

function invalid(term: string, rule: string): ParsedSpf {
  return { kind: 'invalid', problem: `"${term.slice(0, 80)}": ${rule}` };
}

/**
 * Email addresses: validated once on input, stored as given, and compared by a key, so that `Ada@Example.com` and
 * `ada@example.com` are one subscriber.
 */
import { domainToASCII } from 'node:url';

export type ParsedEmailAddress =
  | {
      kind: 'valid';
      /** As given, without surrounding white space. */
      email: string;
      /** Lower case, with the domain in A-labels: equal for addresses that presumably reach the same mailbox. */
      key: string;
    }
  | {
      kind: 'invalid';
      problem: AddressProblem;
      /** What is not allowed before the @, or is no domain. */
      part: string;
      /** The problem in English. */
      reason: string;
    };

// RFC 5322 §3.2.3 dot-atom. Quoted local parts are legal too, but in practice always a mistake or an attack.
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

// RFC 5321 §4.5.3.1: 64 octets before the @, 256 for a path including angle brackets, 255 for a domain (253 as text).
const LOCAL_LIMIT = 64;
const ADDRESS_LIMIT = 254;
const DOMAIN_LIMIT = 253;

/** In English. `%s`: the part of the address that is wrong. */
const REASONS = {
  empty: 'it is empty',
  controls: 'it contains control characters',
  notBare: 'it must be only the address, such as name@example.com, without quotes',
  noAt: 'it has no @',
  noLocal: 'there is nothing before the @',
  nonAscii: 'non-ASCII letters before the @ need SMTPUTF8 (RFC 6531), which is not supported',
  local: '"%s" is not allowed before the @ (RFC 5322)',
  longLocal: `it has more than ${LOCAL_LIMIT} characters before the @ (RFC 5321)`,
  domain: '"%s" is not a full domain name such as example.com',
  long: `it is longer than ${ADDRESS_LIMIT} characters (RFC 5321)`,
};

type AddressProblem = keyof typeof REASONS;

/**
 * Validates a bare address, such as `ada@example.com` or `ada@bücher.example`.
 * @returns the address and its key, or what is wrong with it
 */
export function parseAddress(text: string): ParsedEmailAddress {
  const email = text.trim();
  if (email === '') return invalid('empty');
  if (/[\u0000-\u001f\u007f-\u009f]/.test(email)) return invalid('controls');
  if (/[\s<>"]/.test(email)) return invalid('notBare');
  const at = email.lastIndexOf('@');
  if (at < 0) return invalid('noAt');
  const local = email.slice(0, at);
  const domain = email.slice(at + 1);
  if (local === '') return invalid('noLocal');
  if (/[^\u0000-\u007f]/.test(local)) return invalid('nonAscii');
  if (!DOT_ATOM.test(local)) return invalid('local', local);
  if (local.length > LOCAL_LIMIT) return invalid('longLocal');
  const ascii = asciiDomain(domain);
  if (ascii === null) return invalid('domain', domain);
  if (local.length + 1 + ascii.length > ADDRESS_LIMIT) return invalid('long');
  return { kind: 'valid', email, key: `${local.toLowerCase()}@${ascii}` };
}

/** A valid address as used in SMTP (RFC 5890): the local part as given, the domain in A-labels. */
export function wireAddress(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, at)}@${domainToASCII(email.slice(at + 1))}`;
}

/**
 * An address that its owner recognises and others cannot use: `a…@e….com` for `ada@example.com`.
 * @param email valid
 */
export function maskedAddress(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  const [first = ''] = domain;
  return `${email.slice(0, 1)}…@${first}…${domain.slice(domain.lastIndexOf('.'))}`;
}

/**
 * The key of the mailbox that presumably gets the mail of an address: without `+tag`, and as its provider reads it. At
 * Gmail dots do not count, and googlemail.com is gmail.com. Only for rate limits: elsewhere `ada@` and `ada+news@` are
 * two people.
 * @param emailKey see `parseAddress`
 */
export function mailboxKey(emailKey: string): string {
  const at = emailKey.lastIndexOf('@');
  const [local, domain] = [emailKey.slice(0, at), emailKey.slice(at + 1)];
  const tag = local.indexOf('+', 1);
  const untagged = tag < 0 ? local : local.slice(0, tag);
  const provider = ALIASES.find(({ domains }) => domains.includes(domain));
  if (provider === undefined) return `${untagged}@${domain}`;
  // A name of ignored characters alone is nobody's.
  return `${untagged.replaceAll(provider.ignored, '') || untagged}@${provider.domains[0]}`;
}

/** Providers where a mailbox has the same name at several domains, and characters of names that they ignore. */
const ALIASES: { domains: string[]; ignored: RegExp }[] = [
  { domains: ['gmail.com', 'googlemail.com'], ignored: /\./g },
  { domains: ['proton.me', 'protonmail.com', 'pm.me'], ignored: /[._-]/g },
  { domains: ['icloud.com', 'me.com', 'mac.com'], ignored: /(?!)/g },
  // A dot and a hyphen are the same there.
  { domains: ['yandex.ru', 'yandex.com', 'ya.ru'], ignored: /[.-]/g },
];

function asciiDomain(domain: string): string | null {
  // domainToASCII parses a URL's host: percent signs, ports and paths must be excluded first.
  if (domain === '' || /[\u0000-\u007f]/.test(domain.replace(/[A-Za-z0-9.-]/g, ''))) return null;
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  const topLevel = labels.at(-1) ?? '';
  const isValid =
    ascii.length <= DOMAIN_LIMIT &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(topLevel);
  return isValid ? ascii : null;
}

function invalid(problem: AddressProblem, part = ''): ParsedEmailAddress {
  return { kind: 'invalid', problem, part, reason: REASONS[problem].replace('%s', () => part) };
}

/** A mailto: address (RFC 6068 §2). Characters that could begin a header field are percent-encoded. */
export function mailto(email: string): string {
  return `mailto:${encodeURIComponent(email.toWellFormed()).replace('%40', '@')}`;
}

/**
 * The first character of the name, and the whole domain: `j…@example.com`. Enough to see which server refuses whom,
 * and not enough to write to a person. An address in a message to its owner hides its domain, too: `maskedAddress`.
 * @param email as stored; of text without an @, nothing is shown but an ellipsis
 */
export function maskLocalPart(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 0) return '…';
  const [first = ''] = email.slice(0, at);
  return `${first}…${email.slice(at)}`;
}

/** The domain of an address, in lower case; empty without one. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}

/**
 * Email addresses: checked once when they come in, kept as given, and compared by a key, so that `Ada@Example.com` and
 * `ada@example.com` are one subscriber.
 */
import { domainToASCII } from 'node:url';

export type ParsedAddress =
  | {
      kind: 'good';
      /** As given, without white space around it. */
      email: string;
      /** Equal for addresses that reach the same mailbox as far as anyone can tell: lower case, the domain in A-labels. */
      key: string;
    }
  | { kind: 'refused'; reason: string };

// RFC 5322 §3.2.3 dot-atom. A quoted local part is legal too, and in practice always a mistake or an attack.
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

// RFC 5321 §4.5.3.1: 64 octets before the @, 256 for a path with its angle brackets, 255 for a domain (253 as text).
const LOCAL_LIMIT = 64;
const ADDRESS_LIMIT = 254;
const DOMAIN_LIMIT = 253;

/**
 * Checks one bare address, such as `ada@example.com` or `ada@bücher.example`.
 * @returns the address and its key, or the reason why it is refused, said for the person who typed it
 */
export function parseAddress(text: string): ParsedAddress {
  const email = text.trim();
  if (email === '') return refused('it is empty');
  if (/[\u0000-\u001f\u007f-\u009f]/.test(email)) return refused('it holds control characters');
  if (/[\s<>"]/.test(email)) return refused('it must be the bare address, such as name@example.com, without quotes');
  const at = email.lastIndexOf('@');
  if (at < 0) return refused('it has no @');
  const local = email.slice(0, at);
  const domain = email.slice(at + 1);
  if (local === '') return refused('nothing stands before the @');
  if (/[^\u0000-\u007f]/.test(local)) {
    return refused('letters outside ASCII before the @ need SMTPUTF8 (RFC 6531), which is not supported');
  }
  if (!DOT_ATOM.test(local)) return refused(`"${local}" cannot stand before the @ (RFC 5322)`);
  if (local.length > LOCAL_LIMIT) return refused(`more than ${LOCAL_LIMIT} characters stand before the @ (RFC 5321)`);
  const ascii = asciiDomain(domain);
  if (ascii === null) return refused(`"${domain}" is not a full domain name such as example.com`);
  if (local.length + 1 + ascii.length > ADDRESS_LIMIT) {
    return refused(`it is longer than ${ADDRESS_LIMIT} characters (RFC 5321)`);
  }
  return { kind: 'good', email, key: `${local.toLowerCase()}@${ascii}` };
}

/** A good address as it goes over the wire (RFC 5890): the local part as given, the domain in A-labels. */
export function wireAddress(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, at)}@${domainToASCII(email.slice(at + 1))}`;
}

function asciiDomain(domain: string): string | null {
  // domainToASCII parses a URL's host: it would read percent signs, ports and paths, so those are refused before.
  if (domain === '' || /[\u0000-\u007f]/.test(domain.replace(/[A-Za-z0-9.-]/g, ''))) return null;
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  const topLevel = labels.at(-1) ?? '';
  const good =
    ascii.length <= DOMAIN_LIMIT &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(topLevel);
  return good ? ascii : null;
}

function refused(reason: string): ParsedAddress {
  return { kind: 'refused', reason };
}

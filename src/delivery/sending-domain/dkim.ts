/**
 * Judges the DKIM keys in the DNS (RFC 6376 §3.6.1, RFC 8463 §4): those that the configuration signs with must be there
 * and equal.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Signer } from '../../core/keys.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { isBelow, type Judgement, judgementsOf, quoted } from './judgement.ts';
import type { MailProviderDns } from './mail-provider-dns.ts';
import { parseTagList } from './tag-list.ts';

/** Judges the record of one of our keys. */
export async function judgeDkimKey(dns: DnsResolver, { domain, selector, key }: Signer): Promise<Judgement> {
  const name = keyName(selector, domain);
  const about = judgementsOf('dkim', domain);
  const found = await dns.txt(name);
  if (found.kind === 'failed') return about.notFound(name, found.reason);
  const [text, ...others] = found.kind === 'none' ? [] : found.records.filter(isDkim);
  const wanted = `: publish this TXT record there: ${dkimRecord(key)}`;
  if (text === undefined) return about.fail(`${name} has no DKIM key, so nobody can verify the signatures${wanted}`);
  if (others.length > 0) {
    return about.fail(`${name} has ${others.length + 1} DKIM keys; a name may have one (RFC 6376 §3.6.2.2)${wanted}`);
  }
  const record = parseDkim(text);
  if (record.problem !== null) {
    return about.fail(`the DKIM record of ${name} is not valid: ${record.problem}; it is ${quoted(text)}`);
  }
  if (!record.key.equals(publicPart(key))) {
    return about.fail(`${name} has another key than the one that daywire signs with: all signatures fail${wanted}`);
  }
  if (record.isTesting) {
    return about.fail(`${name} is marked as a test (t=y): receivers treat signed mail as unsigned (RFC 6376 §3.6.1)`);
  }
  return about.pass(`${name} has the key that daywire signs with`);
}

/** Looks for the key with which a mail provider signs for the sender's domain. */
export async function judgeProviderDkim(
  dns: DnsResolver,
  domain: string,
  { title, selectors, zones, dkimSetup }: MailProviderDns,
): Promise<Judgement> {
  const about = judgementsOf('dkim', domain);
  for (const name of selectors.map((selector) => keyName(selector, domain))) {
    const [keys, alias] = await Promise.all([dns.txt(name), dns.cname(name)]);
    const hasKey = keys.kind === 'found' && keys.records.some((text) => isDkim(text) && parseDkim(text).key !== null);
    // Others use the same selectors: Mailchimp k1, and many servers mail.
    const isItsOwn = alias.kind === 'found' && alias.records.some((target) => isBelow(target, zones));
    if (hasKey && isItsOwn) return about.pass(`${name} has a key of ${title}`);
  }
  return about.unknown(
    `no key of delivery.dkim signs for ${domain}, so ${title} must: whether its key is in the DNS is not known, ` +
      `since the selector differs from account to account. It needs ${dkimSetup}`,
  );
}

function keyName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`.toLowerCase();
}

/** Whether a TXT record below `_domainkey` holds a key. Its version may be missing. */
function isDkim(text: string): boolean {
  return /^\s*v\s*=\s*DKIM1\s*(;|$)/.test(text) || /(^|;)\s*p\s*=/.test(text);
}

type DkimRecord = { problem: null; key: KeyObject; isTesting: boolean } | { problem: string; key: null };

/** Parses a record for which `isDkim` is true. */
function parseDkim(text: string): DkimRecord {
  const { tags, problem } = parseTagList(text);
  const invalid = (reason: string): DkimRecord => ({ problem: reason, key: null });
  const flags = (name: string): string[] | undefined =>
    tags
      .get(name)
      ?.split(':')
      .map((one) => one.trim());
  const p = tags.get('p');
  if (p === '') return invalid('its key is revoked (an empty p=)');
  if (problem !== null || p === undefined) return invalid(problem ?? 'it has no p=, the key');
  if (flags('h')?.includes('sha256') === false)
    return invalid('its h= does not allow sha256, with which daywire signs');
  const services = flags('s') ?? ['*'];
  if (!services.includes('*') && !services.includes('email')) return invalid('its s= does not allow email');
  const key = readPublicKey(tags.get('k') ?? 'rsa', p);
  if (key === null) return invalid('its k= and p= are no RSA or Ed25519 key');
  return { problem: null, key, isTesting: flags('t')?.includes('y') ?? false };
}

/** The longest RSA key of 16,384 bits has about 2,800 characters. */
const KEY_LIMIT = 4_000;

/** The first octets of every Ed25519 key in SPKI form (RFC 8410 §4). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function readPublicKey(type: string, p: string): KeyObject | null {
  const base64 = p.replace(/\s+/g, '');
  if (base64.length > KEY_LIMIT) return null;
  const octets = Buffer.from(base64, 'base64');
  const der = type === 'ed25519' ? Buffer.concat([ED25519_PREFIX, octets]) : octets;
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === type ? key : null;
  } catch {
    return null;
  }
}

/** The text of the record for a key. @param key RSA or Ed25519, private or public */
export function dkimRecord(key: KeyObject): string {
  const octets = publicPart(key).export({ type: 'spki', format: 'der' });
  return key.asymmetricKeyType === 'ed25519'
    ? `v=DKIM1; k=ed25519; p=${octets.subarray(ED25519_PREFIX.length).toString('base64')}`
    : `v=DKIM1; k=rsa; p=${octets.toString('base64')}`;
}

function publicPart(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/** Judges the DKIM keys in the DNS (RFC 6376 §3.6.1, RFC 8463 §4): those that the configuration signs with. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Signer } from '../../core/keys.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { type Judgement, judgementsOf, quoted } from './judgement.ts';
import { parseTagList } from './tag-list.ts';

/** Judges the record of one of our keys. */
export async function judgeDkimKey(dns: DnsResolver, { domain, selector, key }: Signer): Promise<Judgement> {
  const name = `${selector}._domainkey.${domain}`.toLowerCase();
  const about = judgementsOf('dkim', domain);
  const found = await dns.txt(name);
  if (found.kind === 'failed') return about.notFound(name, found.reason);
  const [text, ...others] = found.kind === 'none' ? [] : found.records.filter(isDkim);
  const ours = dkimRecord(key);
  const wanted = `publish this TXT record there: ${ours}`;
  if (text === undefined) return about.fail(`${name} has no DKIM key, so nobody can verify the signatures: ${wanted}`);
  if (others.length > 0) {
    return about.fail(`${name} has ${others.length + 1} DKIM keys; a name may have one (RFC 6376 §3.6.2.2): ${wanted}`);
  }
  const { problem } = parseTagList(text);
  if (problem !== null || keyText(text) !== keyText(ours)) {
    const reason = problem ?? 'it is not the key that daywire signs with';
    return about.fail(`no receiver can verify signatures by ${name}: ${reason}. It is ${quoted(text)}; ${wanted}`);
  }
  return about.pass(`${name} has the key that daywire signs with`);
}

/** Whether a TXT record below `_domainkey` holds a key. Its version may be missing. */
function isDkim(text: string): boolean {
  return /^\s*v\s*=\s*DKIM1\s*(;|$)/.test(text) || /(^|;)\s*p\s*=/.test(text);
}

/** The key of a record in one spelling: white space may be anywhere in it. */
function keyText(record: string): string {
  const { tags } = parseTagList(record);
  return `${tags.get('k') ?? 'rsa'} ${tags.get('p')?.replace(/\s+/g, '')}`;
}

/** Octets before an Ed25519 key in SPKI form (RFC 8410 §4). RFC 8463 publishes the key without them. */
const ED25519_PREFIX_LENGTH = 12;

/** The text of the record for a key. @param key RSA or Ed25519, private */
export function dkimRecord(key: KeyObject): string {
  const octets = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return key.asymmetricKeyType === 'ed25519'
    ? `v=DKIM1; k=ed25519; p=${octets.subarray(ED25519_PREFIX_LENGTH).toString('base64')}`
    : `v=DKIM1; k=rsa; p=${octets.toString('base64')}`;
}

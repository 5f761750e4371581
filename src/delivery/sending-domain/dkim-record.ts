/**
 * DKIM keys in the DNS (RFC 6376 §3.6.1, RFC 8463 §4).
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseTagList } from './tag-list.ts';

export type DkimRecord =
  | { kind: 'key'; key: KeyObject; isTesting: boolean }
  | { kind: 'revoked' }
  | { kind: 'invalid'; problem: string };

/** Whether a TXT record below `_domainkey` holds a key. Its version may be missing. */
export function isDkim(text: string): boolean {
  return /^\s*v\s*=\s*DKIM1\s*(;|$)/.test(text) || /(^|;)\s*p\s*=/.test(text);
}

/** Parses a record for which `isDkim` is true. */
export function parseDkim(text: string): DkimRecord {
  const { tags, problem } = parseTagList(text);
  const type = tags.get('k') ?? 'rsa';
  const p = tags.get('p');
  if (p === undefined) return { kind: 'invalid', problem: problem ?? 'it has no p=, the key' };
  if (p === '') return { kind: 'revoked' };
  if (problem !== null) return { kind: 'invalid', problem };
  if (type !== 'rsa' && type !== 'ed25519')
    return { kind: 'invalid', problem: `k=${type.slice(0, 40)} is no known type of key` };
  const hashes = tags
    .get('h')
    ?.split(':')
    .map((one) => one.trim());
  if (hashes !== undefined && !hashes.includes('sha256')) {
    return { kind: 'invalid', problem: 'its h= does not allow sha256, with which daywire signs' };
  }
  const services = tags
    .get('s')
    ?.split(':')
    .map((one) => one.trim());
  if (services !== undefined && !services.includes('*') && !services.includes('email')) {
    return { kind: 'invalid', problem: 'its s= does not allow email' };
  }
  const key = readPublicKey(type, p);
  if (key === null) return { kind: 'invalid', problem: `its p= is no ${type === 'rsa' ? 'RSA' : 'Ed25519'} key` };
  const isTesting =
    tags
      .get('t')
      ?.split(':')
      .some((flag) => flag.trim() === 'y') ?? false;
  return { kind: 'key', key, isTesting };
}

/** The longest RSA key of 16,384 bits has about 2,800 characters. */
const KEY_LIMIT = 4_000;

/** Of the key that every Ed25519 key in SPKI form begins with (RFC 8410 §4). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function readPublicKey(type: 'rsa' | 'ed25519', p: string): KeyObject | null {
  const base64 = p.replace(/\s+/g, '');
  if (base64.length > KEY_LIMIT || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const octets = Buffer.from(base64, 'base64');
  if (type === 'ed25519') return octets.length === 32 ? spki(Buffer.concat([ED25519_PREFIX, octets])) : null;
  const key = spki(octets);
  return key?.asymmetricKeyType === 'rsa' ? key : null;
}

function spki(octets: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: octets, format: 'der', type: 'spki' });
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

/** @param key private or public */
export function publicPart(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/**
 * One secret, a key of its own for each purpose (RFC 5869): what is made for one can never pass for another.
 */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export type KeyPurpose = 'sign tokens' | 'seal tokens' | 'hash addresses' | 'hash clients' | 'seal hub secrets';

// Derived once, and kept as a KeyObject, with which signing is five times as fast as with bytes: several tokens are made for every
// recipient of an edition.
const kept = new Map<string, KeyObject>();
const KEPT_KEYS = 100;

/** The 32-byte key of that purpose. */
export function deriveKey(secret: string, purpose: KeyPurpose): KeyObject {
  const name = `${purpose}\n${secret}`;
  const known = kept.get(name);
  if (known !== undefined) return known;
  if (kept.size >= KEPT_KEYS) kept.clear();
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `daywire ${purpose}`, 32)));
  kept.set(name, key);
  return key;
}

/**
 * One secret, a key of its own for each purpose (RFC 5869): what is made for one can never pass for another.
 */
import { hkdfSync } from 'node:crypto';

export type KeyPurpose = 'sign tokens' | 'seal tokens' | 'name messages';

// Derived once: a token is made for every recipient of an edition.
const kept = new Map<string, Buffer>();
const KEPT_KEYS = 100;

/** The 32-byte key of that purpose. */
export function deriveKey(secret: string, purpose: KeyPurpose): Buffer {
  const name = `${purpose}\n${secret}`;
  const known = kept.get(name);
  if (known !== undefined) return known;
  if (kept.size >= KEPT_KEYS) kept.clear();
  const key = Buffer.from(hkdfSync('sha256', secret, '', `daywire ${purpose}`, 32));
  kept.set(name, key);
  return key;
}

/**
 * Subscribers' secrets at rest: sealed with a key of our own (AES-256-GCM), so that a copy of the store lets nobody sign as we do.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SigningSecrets } from '../config/signing-secrets.ts';
import { deriveKey } from '../config/signing-secrets.ts';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param owner the key of the subscription that it belongs to: with another it does not open */
export function sealSecret(secrets: SigningSecrets, secret: string, owner: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, deriveKey(secrets[0], 'seal hub secrets'), iv).setAAD(Buffer.from(owner));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** The secret, also where it was sealed under an earlier signing secret; null where none of them opens it. */
export function openSecret(secrets: SigningSecrets, sealed: string, owner: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  for (const secret of secrets) {
    try {
      const decipher = createDecipheriv(ALGORITHM, deriveKey(secret, 'seal hub secrets'), iv, {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(owner))
        .setAuthTag(tag);
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch {
      // Sealed under another one, or damaged.
    }
  }
  return null;
}

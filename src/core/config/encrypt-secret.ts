/**
 * Encryption of secrets at rest (AES-256-GCM), so that a copy of the store is not enough to sign in our name, or to
 * make the codes of an account.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey, type KeyPurpose, type SigningSecrets } from './signing-secrets.ts';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param owner the key of what the secret belongs to, which decryption needs as well */
export function encryptSecret(purpose: KeyPurpose, secrets: SigningSecrets, secret: string, owner: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, deriveKey(secrets[0], purpose), iv).setAAD(Buffer.from(owner));
  const encrypted = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), encrypted]).toString('base64url');
}

/** Tries each of the signing secrets, the current one and earlier ones. @returns null where none decrypts it */
export function decryptSecret(purpose: KeyPurpose, secrets: SigningSecrets, encrypted: string, owner: string) {
  const bytes = Buffer.from(encrypted, 'base64url');
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  for (const secret of secrets) {
    try {
      const key = deriveKey(secret, purpose);
      const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(owner)).setAuthTag(tag);
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch {
      // Encrypted under another one, or damaged.
    }
  }
  return null;
}

/**
 * Random tokens that a browser keeps or a link carries. The store has only their hash: who reads the store, or a backup
 * of it, cannot use one. SHA-256 is enough, because nobody can try all tokens of 256 bits.
 */
import { randomBytes } from 'node:crypto';
import { sha256 } from '../lib/sha256.ts';

const BYTES = 32;
const PATTERN = /^[A-Za-z0-9_-]{43}$/;

export interface SecretToken {
  /** 43 characters of base64url. */
  token: string;
  /** What the store holds: SHA-256, hex. */
  hash: string;
}

export function newSecretToken(): SecretToken {
  const token = randomBytes(BYTES).toString('base64url');
  return { token, hash: sha256(token) };
}

/** The hash of a token as a client sent it; null if it has not the form of one. */
export function hashOfToken(token: string): string | null {
  return PATTERN.test(token) ? sha256(token) : null;
}

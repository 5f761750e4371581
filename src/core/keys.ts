/**
 * Keys from files. A running process reads each file once: at its limit of open files it could not read them again, and
 * delivery would stop.
 */
import type { KeyObject } from 'node:crypto';
import type { SigningSecrets } from './config/signing-secrets.ts';

/** Signs messages (DKIM). */
export interface Signer {
  /** In lower case and A-labels. */
  domain: string;
  selector: string;
  key: KeyObject;
  algorithm: 'rsa-sha256' | 'ed25519-sha256';
}

export interface Keys {
  /** Sign links and return paths. @throws SecretError as `openSigningSecrets` does */
  signingSecrets(): Promise<SigningSecrets>;
  /** Sign messages. @throws ConfigError as `loadSigners` does */
  signers(): readonly Signer[];
}

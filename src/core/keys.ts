/**
 * Keys from files. A running process reads each file once: at its limit of open files it could not read them again, and
 * delivery would stop.
 */

import { loadSigners, type Signer } from '../delivery/message/dkim.ts';
import type { Config } from './config/config.ts';
import type { SigningSecrets } from './config/signing-secrets.ts';
import { openSigningSecrets } from './signing-secret.ts';
import type { Store } from './store/store.ts';

export interface Keys {
  /** Sign links and return paths. @throws SecretError as `openSigningSecrets` does */
  signingSecrets(): Promise<SigningSecrets>;
  /** Sign messages. @throws TransportError as `loadSigners` does */
  signers(): readonly Signer[];
}

/** Nothing is read before it is needed: many commands need no key. */
export function openKeys(config: Config, store: Store): Keys {
  let secrets: SigningSecrets | undefined;
  let signers: readonly Signer[] | undefined;
  return {
    async signingSecrets() {
      secrets ??= await openSigningSecrets(config, store);
      return secrets;
    },
    signers() {
      signers ??= loadSigners(config);
      return signers;
    },
  };
}

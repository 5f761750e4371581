/**
 * Keys from files. A running process reads each file once: at its limit of open files it could not read them again, and
 * delivery would stop.
 */
import type { Config } from '../config/config.ts';
import { loadSigningSecrets, type SigningSecrets } from '../config/signing-secrets.ts';
import { loadSigners, type Signer } from '../delivery/message/dkim.ts';
import type { Store } from '../store/store.ts';

export interface Keys {
  /** Sign links and return paths. @throws SecretError as `loadSigningSecrets` does */
  signingSecrets(): SigningSecrets;
  /** Sign messages. @throws TransportError as `loadSigners` does */
  signers(): readonly Signer[];
}

/** Nothing is read before it is needed: many commands need no key. */
export function openKeys(config: Config, { dialect }: Pick<Store, 'dialect'>): Keys {
  let secrets: SigningSecrets | undefined;
  let signers: readonly Signer[] | undefined;
  return {
    signingSecrets() {
      secrets ??= loadSigningSecrets(config, dialect);
      return secrets;
    },
    signers() {
      signers ??= loadSigners(config);
      return signers;
    },
  };
}

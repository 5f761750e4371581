import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Keys, Signer } from '../../core/keys.ts';
import { openSigningSecrets } from '../../core/signing-secret.ts';
import type { Store } from '../../core/store/store.ts';
import { loadSigners } from './dkim.ts';

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

import { AlertSender } from '../core/alerts/alert-sender.ts';
import type { ContextParts, ProcessTools } from '../core/app-context.ts';
import type { Config } from '../core/config/config.ts';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import type { Keys, Signer } from '../core/keys.ts';
import { openSigningSecrets } from '../core/signing-secret.ts';
import type { Store } from '../core/store/store.ts';
import { pauseRetracted } from '../delivery/control/retraction.ts';
import { loadSigners } from '../delivery/message/dkim.ts';

/** Opens the parts of a context that need its other parts, or delivery. */
export function openParts(config: Config, store: Store, { clock, log }: ProcessTools): ContextParts {
  const { alertWebhook: webhook } = config.secrets;
  const alerts = new AlertSender(store, { webhook, publication: config.publication.name, clock, log });
  return { keys: openKeys(config, store), alerts, beforePublish: pauseRetracted };
}

/** Nothing is read before it is needed: many commands need no key. */
function openKeys(config: Config, store: Store): Keys {
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

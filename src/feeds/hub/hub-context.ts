/** What the hub's tasks work with, and the addresses that callbacks of subscribers may have. */
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Store } from '../../core/store/store.ts';
import { type AddressGuard, interfaceAddresses, openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';
import type { Resolve } from '../../lib/guarded-fetch/guarded-socket.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock } from '../../lib/time.ts';

export interface HubContext {
  store: Store;
  config: Pick<Config, 'hub' | 'publication'>;
  /** They encrypt the subscribers' secrets. */
  secrets: SigningSecrets;
  clock: Clock;
  log: Log;
  /** Default: DNS. */
  resolve?: Resolve;
  /** Default: `openHubGuard`. */
  guard?: AddressGuard;
}

/** Strangers choose the callbacks: only public addresses, and none of this machine. */
export function openHubGuard(): AddressGuard {
  return openAddressGuard({ ownAddresses: interfaceAddresses });
}

/**
 * The addresses that callbacks of subscribers may have.
 */
import type { Config } from '../../core/config/config.ts';
import { type AddressGuard, interfaceAddresses, openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';

export function openHubGuard(hub: Config['hub']): AddressGuard {
  return openAddressGuard({
    allowed: hub?.allowPrivateNetworks ?? [],
    nat64Prefixes: hub?.nat64Prefixes ?? [],
    ownAddresses: interfaceAddresses,
  });
}

/**
 * The addresses that sources and pictures may have.
 */
import { openRanges } from '../cidr.ts';
import { type AddressGuard, interfaceAddresses, openAddressGuard } from './address-guard.ts';

/**
 * Allows public addresses, and private ones in the ranges that the operator allows. A public address of this machine is
 * allowed for the web ports only: the newsroom's site is often on the same machine, and its databases are too.
 * @param allow CIDRs
 */
export function openFetchGuard(allow: readonly string[]): AddressGuard {
  const isAllowed = openRanges(allow);
  const web = openAddressGuard({ allowed: allow });
  const others = openAddressGuard({ allowed: allow, ownAddresses: interfaceAddresses });
  return (address, port) => {
    const guard = port === 80 || port === 443 || isAllowed(address) ? web : others;
    return guard(address, port);
  };
}

/** Text of others, such as a server's reply, without the address that it may quote. Pure. */
import { domainToUnicode } from 'node:url';
import { maskLocalPart, wireAddress } from '../../lib/address.ts';

/**
 * Anything that looks like an address, also with an escaped @ in a link: replies also quote where mail is forwarded to,
 * and return paths with an address in them. Bounded, so that it takes no quadratic time on a long text without an @.
 */
const LOOKS_LIKE_ADDRESS = /([^\s<>()[\]{},;:"'@])[^\s<>()[\]{},;:"'@]{0,127}(?:@|%40)([^\s<>()[\]{},;:"'=@]{1,255})/gu;

/**
 * Masks an address in all its spellings, its name where it is quoted alone, and all that looks like another address.
 * @param address as stored
 */
export function maskIn(text: string, address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  const [name, masked] = [address.slice(0, at), maskLocalPart(address)];
  const spellings = [address, wireAddress(address), `${name}@${domainToUnicode(domain)}`];
  const whole = spellings.reduce((masking, spelling) => replaceIgnoringCase(masking, spelling, masked), text);
  const others = maskAddressesIn(whole);
  // A name of three letters or less would be found in every other word.
  return name.length > 3 ? replaceIgnoringCase(others, name, `${name[0]}…`) : others;
}

/** Masks all that looks like an address. */
export function maskAddressesIn(text: string): string {
  return text.replace(LOOKS_LIKE_ADDRESS, (found, first, domain) =>
    found.includes('…@') ? found : `${first}…@${domain}`,
  );
}

/** @param found not empty */
function replaceIgnoringCase(text: string, found: string, by: string): string {
  if (found === '') return text;
  return text.replace(new RegExp(found.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu'), () => by);
}

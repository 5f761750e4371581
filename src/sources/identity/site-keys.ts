/** What identifies an item across the own sources of one site, such as a main feed and that of a section. Pure. */
import { getDomain } from 'tldts';
import { type EntryIdentity, keysOf } from './entry-keys.ts';

/**
 * The site of an address: the registrable host by the public suffix list with its private part, so that two names of
 * `github.io` are two sites; of an IP address or a local name, the host with its port.
 */
export function siteOf(address: string): string {
  const { hostname, host } = new URL(address);
  return getDomain(hostname, { allowPrivateDomains: true }) ?? host;
}

/** A URI with a host, a tag: URI, or a UUID. Others, such as `123`, count only within their source. */
const UNIQUE_GUID =
  /^(?:[a-z][a-z0-9+.-]*:\/\/[^/]|tag:[^,:]+,|(?:urn:uuid:|\{)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$)/i;

/** Never the title: a site has a headline twice. */
export function siteKeysOf({ guid, link }: Pick<EntryIdentity, 'guid' | 'link'>): string[] {
  const isUnique = guid !== null && UNIQUE_GUID.test(guid);
  const keys = keysOf({ guid: isUnique ? guid : null, link, title: '', publishedAt: null });
  return [keys.link, keys.guid].filter((key) => key !== null);
}

/**
 * URLs that lead into a private network: to the reader's own machine or router, or to servers that only the newsroom
 * can reach. No public article has a use for them.
 */
import { isIP } from 'node:net';
import { openAddressGuard } from './guarded-fetch/address-guard.ts';

/**
 * RFC 6761 §6.3, RFC 6762 §3, RFC 8375, ICANN's name for private networks, and the names that such networks use besides
 * (RFC 6762 appendix G): none of them is, or will be, a domain of the Internet.
 */
const PRIVATE_DOMAINS = [
  ...['localhost', 'local', 'home.arpa', 'internal'],
  ...['intranet', 'private', 'corp', 'home', 'lan', 'localdomain'],
];

const guard = openAddressGuard();

/** Where a newsroom's own URLs are. During development these are private addresses. */
export interface OwnSites {
  /** The publication's URL, without a trailing slash. */
  publicUrl: string;
  /** Paths in an article start here, if not at `publicUrl`. Without a trailing slash. */
  baseUrl?: string;
  /** Origins of its sources, such as `https://example.com`. */
  sourceOrigins: readonly string[];
}

/**
 * The host of a URL, if it is a private address and not one of the newsroom's own sites.
 * @param url absolute, http or https
 * @returns null for public addresses
 */
export function privateHost(url: string, { publicUrl, sourceOrigins }: OwnSites): string | null {
  // The URL parser has normalised addresses such as 0x7f.1 and 2130706433.
  const { hostname, origin } = new URL(url);
  const isOwn = (): boolean => origin === new URL(publicUrl).origin || sourceOrigins.includes(origin);
  return isPrivate(hostname) && !isOwn() ? hostname : null;
}

function isPrivate(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.+$/, '');
  if (isIP(host) !== 0) return guard(host, 443) !== null;
  return !host.includes('.') || PRIVATE_DOMAINS.some((domain) => host.endsWith(`.${domain}`));
}

/**
 * Where a browser goes after signing in. The address comes from a link that anyone can write, so it must not lead to
 * another site.
 */

const MAX_LENGTH = 2_000;
/** A path and a query of characters that no browser changes or reads as another host (RFC 3986 §3.3, §3.4). */
const PLAIN = /^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+\/?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$/;

/**
 * The address to go to: `next` if it is a page of the desk, otherwise the desk's first page.
 * @param next a path with a query, as the browser sent it
 * @param base path of the desk without a slash at its end, such as `/desk`
 */
export function pathAfterSignIn(next: string | null, base: string): string {
  if (next === null || next.length > MAX_LENGTH || !PLAIN.test(next)) return base;
  // As a browser reads it: dots and encoded dots go to a folder above.
  const { pathname } = new URL(next, 'http://desk.invalid');
  return pathname === base || pathname.startsWith(`${base}/`) ? next : base;
}

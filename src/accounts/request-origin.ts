/**
 * Whether an unsafe request to the desk comes from a page of the desk's own origin. Pages of other sites can make the
 * browser of a signed-in editor post forms, and the browser sends the session's cookie with some of them.
 */

export interface RequestSource {
  /** Sec-Fetch-Site (Fetch Metadata, W3C). Browsers send it to https and to localhost. */
  site: string | undefined;
  /** Origin (RFC 6454 §7). */
  origin: string | undefined;
}

/**
 * Decides whether a request was sent by a page of the publication's own origin. Sec-Fetch-Site decides where there is
 * one, otherwise Origin. A request with neither is refused, unlike with the forms for visitors: the desk is used by
 * browsers only.
 * @param publicUrl `publication.url`
 */
export function isOwnRequest({ site, origin }: RequestSource, publicUrl: string): boolean {
  if (site !== undefined) return site === 'same-origin';
  return origin !== undefined && origin === new URL(publicUrl).origin;
}

/** Headers that many responses share. */
import type { Context, MiddlewareHandler } from 'hono';
import { forwardedAddressOf } from './form-origin.ts';
import type { WebContext } from './web-context.ts';

// Stories may show pictures from elsewhere, and editions have the inline styles that email needs. Nothing else loads.
const POLICY = [
  "default-src 'none'",
  "img-src 'self' https: http: data:",
  "style-src 'unsafe-inline' 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** For a document in a frame of the desk: no scripts, forms or other sites; pictures from the publication alone. */
export function framePolicy(publicUrl: string): string {
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `img-src 'self' ${new URL(publicUrl).origin}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
    'sandbox',
  ].join('; ');
}

/** A response that sets one of these itself keeps it. Other sites may show our pictures and read our feeds. */
const HEADERS = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** A year, for this host alone (RFC 6797). */
const HSTS = 'max-age=31536000';

/** No scripts, frames or plug-ins, no guessing of media types, and https only where the public address is https. */
export function securityHeaders(web: WebContext): MiddlewareHandler {
  const isHttps = new URL(web.view.url).protocol === 'https:';
  return async (c, next) => {
    await next();
    // A cache would replace the headers of its stored response by those of a 304 (RFC 9111 §4.3.4).
    if (c.res.status === 304) return;
    // Not over http (RFC 6797 §7.2), if a proxy says that the client uses it.
    const isStrict = isHttps && forwardedAddressOf(web, c).protocol !== 'http';
    setMissing(c, isStrict ? { ...HEADERS, 'Strict-Transport-Security': HSTS } : HEADERS);
  };
}

/** Sets the headers that the response does not have yet. */
export function setMissing({ res }: Context, headers: Record<string, string>): void {
  // Not by `c.header`: it makes a new response with a stream for its body, which halves the responses a second.
  for (const [name, value] of Object.entries(headers)) if (!res.headers.has(name)) res.headers.set(name, value);
}

/**
 * For pages behind a link that was mailed to one subscriber. The address is a capability: no cache stores the page, no
 * referrer reveals it, no search engine lists it.
 */
export const privatePageHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('Referrer-Policy', 'no-referrer');
  c.header('X-Robots-Tag', 'noindex');
  c.header('Cache-Control', 'no-store');
};

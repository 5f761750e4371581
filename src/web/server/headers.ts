/** Headers that many responses share. */
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { forwardedAddressOf } from './form-origin.ts';
import type { WebContext } from './web-context.ts';

const HEADERS = {
  // Stories may show pictures from elsewhere, and editions have the inline styles that email needs. Nothing else loads.
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    imgSrc: ["'self'", 'https:', 'http:', 'data:'],
    styleSrc: ["'unsafe-inline'", "'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'strict-origin-when-cross-origin',
  // A response that sets one of these itself keeps it.
  overwrite: false,
  // Other sites may show our pictures and read our feeds, and the policy above covers the rest.
  strictTransportSecurity: false,
  crossOriginResourcePolicy: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} satisfies Parameters<typeof secureHeaders>[0];

/** A year, for this host alone (RFC 6797). */
const HSTS = 'max-age=31536000';

/** No scripts, frames or plug-ins, no guessing of media types, and https only where the public address is https. */
export function securityHeaders(web: WebContext): MiddlewareHandler {
  const isHttps = new URL(web.view.url).protocol === 'https:';
  const plain = secureHeaders(HEADERS);
  const strict = secureHeaders({ ...HEADERS, strictTransportSecurity: HSTS });
  return async (c, next) => {
    await next();
    // A cache would replace the headers of its stored response by those of a 304 (RFC 9111 §4.3.4).
    if (c.res.status === 304) return;
    // Not over http (RFC 6797 §7.2), if a proxy says that the client uses it.
    const isStrict = isHttps && forwardedAddressOf(web, c).protocol !== 'http';
    await (isStrict ? strict : plain)(c, async () => {});
  };
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

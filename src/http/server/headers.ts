/**
 * Headers that many responses share.
 */
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

const setSecureHeaders = secureHeaders({
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
  // TLS is the proxy's concern, other sites may show our pictures and read our feeds, and the policy above covers the
  // rest.
  strictTransportSecurity: false,
  crossOriginResourcePolicy: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** No scripts, frames or plug-ins, and no guessing of media types. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  // A cache would replace the headers of its stored response by those of a 304 (RFC 9111 §4.3.4).
  if (c.res.status !== 304) await setSecureHeaders(c, async () => {});
};

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

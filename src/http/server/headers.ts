/**
 * What every answer says to the browser: no script, no frame, no cookie, no guessing at types.
 */
import type { MiddlewareHandler } from 'hono';

// Stories may bring pictures from elsewhere, and editions carry the inline styles that email needs; nothing else is loaded.
const POLICY = [
  "default-src 'none'",
  "img-src 'self' https: http: data:",
  "style-src 'unsafe-inline' 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Sets the headers that an answer has not set by itself. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  // What the client keeps has them (RFC 9110 §15.4.5).
  if (c.res.status === 304) return;
  const defaults = {
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'strict-origin-when-cross-origin',
  };
  for (const [name, value] of Object.entries(defaults)) {
    if (!c.res.headers.has(name)) c.header(name, value);
  }
};

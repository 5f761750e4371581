/**
 * Passwords of webhooks: some mail providers sign nothing, but send a password that the operator put into the address
 * of the webhook.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Checks an Authorization field (RFC 7617): the secret as `user:password`.
 * @param schemes.bearer also accepts the secret itself as a bearer token (RFC 6750)
 */
export function isAuthorized(field: string | null, secret: string, schemes: { bearer: boolean }): boolean {
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) +(\S+)$/.exec(field ?? '') ?? [];
  if (secret === '') return false;
  switch (scheme.toLowerCase()) {
    case 'basic':
      return isSame(Buffer.from(credentials, 'base64'), secret);
    case 'bearer':
      return schemes.bearer && isSame(Buffer.from(credentials), secret);
    default:
      return false;
  }
}

/** Takes the same time wherever they differ: digests have the same length. */
function isSame(given: Buffer, secret: string): boolean {
  const digest = (value: Buffer | string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/**
 * Webhooks by which a CMS says that something has changed: a signed POST makes its source due at once. What has changed
 * is read from the CMS itself, so that the body needs no trust.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { MINUTE } from '../lib/time.ts';

/** An older signature with a time may be a replay. */
const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;

/** The secret of a source's webhook, which the CMS is given. It changes with the signing secret. */
export function webhookSecret(signingSecret: string, sourceId: string): string {
  return createHmac('sha256', deriveKey(signingSecret, 'sign source webhooks')).update(sourceId).digest('base64url');
}

/**
 * Verifies a request: `X-Ghost-Signature: sha256=HEX, t=MILLISECONDS`, over the body followed by that time (before
 * Ghost 5.87 over the body alone), or `X-Hub-Signature-256: sha256=HEX`, over the body.
 * @param secrets also previous ones: a CMS keeps the secret that it was given
 * @returns why the request is refused, or null
 */
export function whyUnsigned(
  headers: Pick<Headers, 'get'>,
  body: Uint8Array,
  { secrets, sourceId, now }: { secrets: SigningSecrets; sourceId: string; now: number },
): string | null {
  const ghost = headers.get('x-ghost-signature');
  const written = ghost ?? headers.get('x-hub-signature-256');
  if (written === null) return 'the header X-Ghost-Signature or X-Hub-Signature-256 is required';
  const [, hex] = /(?:^|[\s,])sha256=([0-9a-f]{64})(?:$|[\s,])/i.exec(written) ?? [];
  if (hex === undefined) return 'the signature must be sha256= and 64 hexadecimal digits';
  const [, time] = ghost === null ? [] : (/(?:^|[\s,])t=(\d{1,15})(?:$|[\s,])/.exec(ghost) ?? []);
  if (time !== undefined && Math.abs(now - Number(time)) > MAX_CLOCK_DIFFERENCE) {
    return 'the time of the signature is more than five minutes off';
  }
  const given = Buffer.from(hex, 'hex');
  const endings = time === undefined ? [''] : [time, ''];
  const isValid = secrets.some((secret) =>
    endings.some((ending) => {
      const key = webhookSecret(secret, sourceId);
      return timingSafeEqual(given, createHmac('sha256', key).update(body).update(ending).digest());
    }),
  );
  return isValid ? null : 'the signature is not valid for this body and secret';
}

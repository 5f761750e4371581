/**
 * Unsubscribe tokens: `v1.` and, in base64url, a signature and what it signs, sealed. Nobody can forge one, read the
 * subscriber's number in it, or guess the next. The same subscription always has the same token, so that a message tried
 * again has the same bytes.
 *
 * The signature (HMAC-SHA-256, 128 bits of it) is also the nonce of the cipher: a synthetic IV, as in RFC 5297, which needs
 * no random number and cannot repeat for two different subscriptions. `v1` names the scheme, for the day a key is rotated.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from './keys.ts';

/** What a token stands for: one subscriber's subscription to one newsletter. */
export interface SubscriptionKey {
  subscriberId: number;
  /** The newsletter's id. */
  newsletter: string;
}

const VERSION = 'v1';
const PATTERN = /^v1\.([A-Za-z0-9_-]{30,200})$/;
const TAG_BYTES = 16;
const ID_BYTES = 6;

/** The token that unsubscribes that subscriber from that newsletter. URL-safe, under 130 characters. */
export function unsubscribeToken(secret: string, { subscriberId, newsletter }: SubscriptionKey): string {
  const id = Buffer.alloc(ID_BYTES);
  id.writeUIntBE(subscriberId, 0, ID_BYTES);
  const payload = Buffer.concat([id, Buffer.from(newsletter)]);
  const tag = sign(secret, payload);
  return `${VERSION}.${Buffer.concat([tag, seal(secret, tag, payload)]).toString('base64url')}`;
}

/** What the token stands for, or null where it was not made with this secret, byte for byte. */
export function readUnsubscribeToken(secret: string, token: string): SubscriptionKey | null {
  const encoded = PATTERN.exec(token)?.[1];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64url');
  // The last character has bits that decoding drops: only one spelling of a token is good.
  if (bytes.toString('base64url') !== encoded || bytes.length <= TAG_BYTES + ID_BYTES) return null;
  const tag = bytes.subarray(0, TAG_BYTES);
  const payload = seal(secret, tag, bytes.subarray(TAG_BYTES));
  if (!timingSafeEqual(sign(secret, payload), tag)) return null;
  return {
    subscriberId: payload.readUIntBE(0, ID_BYTES),
    newsletter: payload.subarray(ID_BYTES).toString(),
  };
}

function sign(secret: string, payload: Buffer): Buffer {
  return createHmac('sha256', deriveKey(secret, 'sign tokens'))
    .update('unsubscribe\n')
    .update(payload)
    .digest()
    .subarray(0, TAG_BYTES);
}

// Counter mode: sealing and opening are the same.
function seal(secret: string, tag: Buffer, payload: Buffer): Buffer {
  return createCipheriv('aes-256-ctr', deriveKey(secret, 'seal tokens'), tag).update(payload);
}

/**
 * Signed tokens: what a link or a return path stands for. Nobody can forge one, read the subscriber's number in it, or guess the
 * next; and one that was made for one purpose is nothing for another. The same thing always has the same token, so that a message
 * tried again has the same bytes.
 *
 * The signature (HMAC-SHA-256, cut short) is also the nonce of the cipher: a synthetic IV, as in RFC 5297, which needs no random
 * number and cannot repeat for two different payloads. A token is made with the current secret and read with that one or any
 * earlier one, so that links already mailed outlive a rotation. `v1` names the scheme.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { decodeBase32, encodeBase32 } from './base32.ts';
import { deriveKey } from './keys.ts';
import type { SigningSecrets } from './secret.ts';

/** What an unsubscribe token stands for: one subscriber's subscription to one newsletter. */
export interface SubscriptionKey {
  subscriberId: number;
  /** The newsletter's id. */
  newsletter: string;
}

/** What a confirmation link stands for: a message of the service, and to whom it was written. */
export interface ServiceMessageKey {
  messageId: number;
  subscriberId: number;
}

/** What a return path or a mailto: address stands for. */
export type MailboxKey =
  /** A delivery that comes back. */
  | { purpose: 'bounce'; editionId: number; subscriberId: number }
  /** Mail of the service that comes back. */
  | { purpose: 'service-bounce'; messageId: number; subscriberId: number }
  /** The reader of that edition wants no more of its newsletter. */
  | { purpose: 'unsubscribe'; editionId: number; subscriberId: number };

type LinkPurpose = 'unsubscribe' | 'preferences' | 'confirm';

const VERSION = 'v1';
const PATTERN = /^v1\.([A-Za-z0-9_-]{22,200})$/;
const TAG_BYTES = 16;
const ID_BYTES = 6;

/** The token that unsubscribes that subscriber from that newsletter. URL-safe, under 130 characters. */
export function unsubscribeToken(secrets: SigningSecrets, { subscriberId, newsletter }: SubscriptionKey): string {
  return linkToken(secrets, 'unsubscribe', Buffer.concat([numbers(subscriberId), Buffer.from(newsletter)]));
}

/** What the token stands for, or null where it was not made with one of these secrets, byte for byte. */
export function readUnsubscribeToken(secrets: SigningSecrets, token: string): SubscriptionKey | null {
  const payload = readLinkToken(secrets, 'unsubscribe', token);
  if (payload === null || payload.length <= ID_BYTES) return null;
  return { subscriberId: payload.readUIntBE(0, ID_BYTES), newsletter: payload.subarray(ID_BYTES).toString() };
}

/** The token of a subscriber's preferences. */
export function preferencesToken(secrets: SigningSecrets, subscriberId: number): string {
  return linkToken(secrets, 'preferences', numbers(subscriberId));
}

/** The subscriber whose preferences it opens, or null. */
export function readPreferencesToken(secrets: SigningSecrets, token: string): number | null {
  const payload = readLinkToken(secrets, 'preferences', token);
  return payload?.length === ID_BYTES ? payload.readUIntBE(0, ID_BYTES) : null;
}

/** The token of the link in a confirmation mail. */
export function confirmToken(secrets: SigningSecrets, { messageId, subscriberId }: ServiceMessageKey): string {
  return linkToken(secrets, 'confirm', numbers(messageId, subscriberId));
}

/** What the token stands for, or null. */
export function readConfirmToken(secrets: SigningSecrets, token: string): ServiceMessageKey | null {
  const payload = readLinkToken(secrets, 'confirm', token);
  if (payload?.length !== 2 * ID_BYTES) return null;
  return { messageId: payload.readUIntBE(0, ID_BYTES), subscriberId: payload.readUIntBE(ID_BYTES, ID_BYTES) };
}

// A local part has 64 octets (RFC 5321 §4.5.3.1.1) and the mailbox's own name needs some; servers on the way may lower-case it,
// hence base32. 96 bits of signature cannot be guessed by mail.
const MAILBOX_TAG_BYTES = 12;
// The letter of its purpose, and base32.
const MAILBOX_TOKEN_LENGTH = 1 + Math.ceil(((MAILBOX_TAG_BYTES + 2 * ID_BYTES) * 8) / 5);
const MAILBOX_LETTERS = { bounce: 'b', 'service-bounce': 's', unsubscribe: 'u' } as const;

/** A token for the local part of an address: 40 characters of a to z and 2 to 7, the first of them telling its purpose. */
export function mailboxToken(secrets: SigningSecrets, key: MailboxKey): string {
  const payload = numbers(key.purpose === 'service-bounce' ? key.messageId : key.editionId, key.subscriberId);
  return MAILBOX_LETTERS[key.purpose] + encodeBase32(sealed(secrets[0], key.purpose, payload, MAILBOX_TAG_BYTES));
}

/** What the token stands for, however it is cased, or null. */
export function readMailboxToken(secrets: SigningSecrets, token: string): MailboxKey | null {
  if (token.length !== MAILBOX_TOKEN_LENGTH) return null;
  const letter = token.slice(0, 1).toLowerCase();
  const bytes = decodeBase32(token.slice(1));
  if (bytes === null) return null;
  const purpose = (['bounce', 'service-bounce', 'unsubscribe'] as const).find((one) => MAILBOX_LETTERS[one] === letter);
  if (purpose === undefined) return null;
  const payload = opened(secrets, purpose, bytes, MAILBOX_TAG_BYTES);
  if (payload === null) return null;
  const [first, subscriberId] = [payload.readUIntBE(0, ID_BYTES), payload.readUIntBE(ID_BYTES, ID_BYTES)];
  return purpose === 'service-bounce'
    ? { purpose, messageId: first, subscriberId }
    : { purpose, editionId: first, subscriberId };
}

function linkToken(secrets: SigningSecrets, purpose: LinkPurpose, payload: Buffer): string {
  return `${VERSION}.${sealed(secrets[0], purpose, payload, TAG_BYTES).toString('base64url')}`;
}

function readLinkToken(secrets: SigningSecrets, purpose: LinkPurpose, token: string): Buffer | null {
  const encoded = PATTERN.exec(token)?.[1];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64url');
  // The last character has bits that decoding drops: only one spelling of a token is good.
  if (bytes.toString('base64url') !== encoded || bytes.length <= TAG_BYTES) return null;
  return opened(secrets, purpose, bytes, TAG_BYTES);
}

function sealed(secret: string, purpose: string, payload: Buffer, tagBytes: number): Buffer {
  const tag = sign(secret, purpose, payload, tagBytes);
  return Buffer.concat([tag, cipher(secret, tag, payload)]);
}

function opened(secrets: SigningSecrets, purpose: string, bytes: Buffer, tagBytes: number): Buffer | null {
  const tag = bytes.subarray(0, tagBytes);
  for (const secret of secrets) {
    const payload = cipher(secret, tag, bytes.subarray(tagBytes));
    if (timingSafeEqual(sign(secret, purpose, payload, tagBytes), tag)) return payload;
  }
  return null;
}

function sign(secret: string, purpose: string, payload: Buffer, tagBytes: number): Buffer {
  return createHmac('sha256', deriveKey(secret, 'sign tokens'))
    .update(`${purpose}\n`)
    .update(payload)
    .digest()
    .subarray(0, tagBytes);
}

// Counter mode: sealing and opening are the same. A shorter tag is filled up to the block's length.
function cipher(secret: string, tag: Buffer, payload: Buffer): Buffer {
  const iv = Buffer.alloc(TAG_BYTES);
  tag.copy(iv);
  return createCipheriv('aes-256-ctr', deriveKey(secret, 'seal tokens'), iv).update(payload);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * ID_BYTES);
  for (const [index, value] of values.entries()) bytes.writeUIntBE(value, index * ID_BYTES, ID_BYTES);
  return bytes;
}

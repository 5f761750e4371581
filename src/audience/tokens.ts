/**
 * Signed and encrypted tokens for links and return paths. They cannot be forged, read or guessed, and a token for one
 * purpose is not valid for another. The same content always has the same token, so that a repeated message has the same
 * bytes.
 *
 * The signature (truncated HMAC-SHA-256) is also the nonce of the cipher: a synthetic IV, as in RFC 5297, which needs
 * no randomness and cannot repeat for different payloads. Tokens are signed with the current secret, and read with it
 * or any previous one, so that mailed links stay valid after a rotation.
 *
 * Unsubscribe tokens have a key of their own, which the store keeps when the secret is replaced (unsubscribe-keys.ts):
 * `v2` in links, the letter `v` in addresses. The other tokens of links begin with `v1`.
 */
import { createCipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../core/config/signing-secrets.ts';
import { MINUTE } from '../lib/time.ts';

/** Content of an unsubscribe token. */
export interface SubscriptionKey {
  subscriberId: number;
  newsletter: string;
}

/** Content of a token that is mailed once: the service message and its recipient. */
export interface ServiceMessageKey {
  messageId: number;
  subscriberId: number;
}

/** Content of a preferences token. */
export interface PreferencesKey {
  subscriberId: number;
  /** The subscriber's `token_version` when it was made. It opens nothing once that has grown. */
  version: number;
  /** Epoch milliseconds, rounded up to a minute. */
  expiresAt: number;
}

/** Content of the token of a private feed. `version`: the subscription's `feed_version` when it was made. */
export type OwnFeedKey = SubscriptionKey & { version: number };

/** What a link that is mailed for one act does, once. */
export type LinkAct = 'export' | 'erase';

/** Content of a return path. */
export type MailboxKey =
  /** A bounce of a delivery. */
  | { purpose: 'bounce'; editionId: number; subscriberId: number }
  /** A bounce of a service message. */
  | { purpose: 'service-bounce'; messageId: number; subscriberId: number };

type LinkPurpose = 'unsubscribe' | 'preferences' | 'confirm' | 'feed' | LinkAct;

const PATTERN = /^(v[12])\.([A-Za-z0-9_-]{22,200})$/;
const TAG_BYTES = 16;
const ID_BYTES = 6;
/** Bytes of a version, and of an instant in minutes. */
const NUMBER_BYTES = 4;

/** The key of unsubscribe tokens, derived from a secret: 43 characters of base64url. */
export function unsubscribeKeyOf(secret: string): string {
  return deriveKey(secret, 'unsubscribe tokens').export().toString('base64url');
}

/** URL-safe, shorter than 130 characters. */
export function unsubscribeToken(secrets: SigningSecrets, { subscriberId, newsletter }: SubscriptionKey): string {
  const payload = Buffer.concat([packIds(subscriberId), Buffer.from(newsletter)]);
  return `v2.${seal(unsubscribeKeyOf(secrets[0]), 'unsubscribe', payload, TAG_BYTES).toString('base64url')}`;
}

/** Whether a text has the form of an unsubscribe token that a kept key may have signed. */
export function isUnsubscribeToken(text: string): boolean {
  return PATTERN.exec(text)?.[1] === 'v2' || (text.length === MAILBOX_TOKEN_LENGTH && /^v[a-z2-7]+$/i.test(text));
}

/**
 * Returns null if the token was not signed with one of the secrets, or keys.
 * @param kept keys of replaced secrets
 */
export function readUnsubscribeToken(
  secrets: SigningSecrets,
  token: string,
  kept: readonly string[] = [],
): SubscriptionKey | null {
  const payload = openLinkToken(unsubscribeKeys(secrets, kept), 'unsubscribe', token, 'v2');
  if (payload === null || payload.length <= ID_BYTES) return null;
  return { subscriberId: payload.readUIntBE(0, ID_BYTES), newsletter: payload.subarray(ID_BYTES).toString() };
}

function unsubscribeKeys(secrets: SigningSecrets, kept: readonly string[]): string[] {
  return [...secrets.map(unsubscribeKeyOf), ...kept];
}

/** The token of a link to the preferences. Unlike the others it expires, and it can be revoked. */
export function preferencesToken(
  secrets: SigningSecrets,
  { subscriberId, version, expiresAt }: PreferencesKey,
): string {
  const numbers = Buffer.alloc(2 * NUMBER_BYTES);
  numbers.writeUInt32BE(version, 0);
  numbers.writeUInt32BE(Math.ceil(expiresAt / MINUTE), NUMBER_BYTES);
  return linkToken(secrets, 'preferences', Buffer.concat([packIds(subscriberId), numbers]));
}

/** Returns null if the token is invalid. Does not check whether it has expired or was revoked. */
export function readPreferencesToken(secrets: SigningSecrets, token: string): PreferencesKey | null {
  const payload = openLinkToken(secrets, 'preferences', token, 'v1');
  if (payload?.length !== ID_BYTES + 2 * NUMBER_BYTES) return null;
  return {
    subscriberId: payload.readUIntBE(0, ID_BYTES),
    version: payload.readUInt32BE(ID_BYTES),
    expiresAt: payload.readUInt32BE(ID_BYTES + NUMBER_BYTES) * MINUTE,
  };
}

/** The token in the address of a private feed. */
export function ownFeedToken(secrets: SigningSecrets, { subscriberId, version, newsletter }: OwnFeedKey): string {
  return linkToken(secrets, 'feed', Buffer.concat([packIds(subscriberId, version), Buffer.from(newsletter)]));
}

/** Returns null if the token is invalid. Does not check whether the feed was renewed or ended. */
export function readOwnFeedToken(secrets: SigningSecrets, token: string): OwnFeedKey | null {
  const payload = openLinkToken(secrets, 'feed', token, 'v1');
  if (payload === null || payload.length <= 2 * ID_BYTES) return null;
  const [subscriberId, version] = [payload.readUIntBE(0, ID_BYTES), payload.readUIntBE(ID_BYTES, ID_BYTES)];
  return { subscriberId, version, newsletter: payload.subarray(2 * ID_BYTES).toString() };
}

/** The token of a link to confirm a request, or for one act. */
export function messageToken(
  secrets: SigningSecrets,
  purpose: 'confirm' | LinkAct,
  { messageId, subscriberId }: ServiceMessageKey,
): string {
  return linkToken(secrets, purpose, packIds(messageId, subscriberId));
}

/** Returns null if the token is invalid, or for another purpose. Does not check whether it has expired or was used. */
export function readMessageToken(
  secrets: SigningSecrets,
  purpose: 'confirm' | LinkAct,
  token: string,
): ServiceMessageKey | null {
  const payload = openLinkToken(secrets, purpose, token, 'v1');
  if (payload?.length !== 2 * ID_BYTES) return null;
  return { messageId: payload.readUIntBE(0, ID_BYTES), subscriberId: payload.readUIntBE(ID_BYTES, ID_BYTES) };
}

// A local part has at most 64 octets (RFC 5321 §4.5.3.1.1), including the name of the mailbox, and servers can change
// its case: hence base32. 96 bits of signature cannot be guessed by mail.
const MAILBOX_TAG_BYTES = 12;
// The letter of the purpose, then base32.
const MAILBOX_TOKEN_LENGTH = 1 + Math.ceil(((MAILBOX_TAG_BYTES + 2 * ID_BYTES) * 8) / 5);
const MAILBOX_LETTERS = { bounce: 'b', 'service-bounce': 's' } as const;

/** A token for the local part of an address: 40 characters from a to z and 2 to 7. The first identifies the purpose. */
export function mailboxToken(secrets: SigningSecrets, key: MailboxKey): string {
  const payload = packIds(key.purpose === 'service-bounce' ? key.messageId : key.editionId, key.subscriberId);
  return MAILBOX_LETTERS[key.purpose] + encodeBase32(seal(secrets[0], key.purpose, payload, MAILBOX_TAG_BYTES));
}

/** Ignores case. Returns null if the token is invalid. */
export function readMailboxToken(secrets: SigningSecrets, token: string): MailboxKey | null {
  if (token.length !== MAILBOX_TOKEN_LENGTH) return null;
  const letter = token.slice(0, 1).toLowerCase();
  const bytes = decodeBase32(token.slice(1));
  if (bytes === null) return null;
  const purpose = (['bounce', 'service-bounce'] as const).find((one) => MAILBOX_LETTERS[one] === letter);
  if (purpose === undefined) return null;
  const payload = open(secrets, purpose, bytes, MAILBOX_TAG_BYTES);
  if (payload === null) return null;
  const [first, subscriberId] = [payload.readUIntBE(0, ID_BYTES), payload.readUIntBE(ID_BYTES, ID_BYTES)];
  return purpose === 'service-bounce'
    ? { purpose, messageId: first, subscriberId }
    : { purpose, editionId: first, subscriberId };
}

/** The token of a mailto: address that ends one subscription: as `mailboxToken`, with the letter `v`. */
export function unsubscribeAddressToken(
  secrets: SigningSecrets,
  { subscriberId, newsletter }: SubscriptionKey,
): string {
  const payload = packIds(newsletterTag(newsletter), subscriberId);
  const key = unsubscribeKeyOf(secrets[0]);
  return `v${encodeBase32(seal(key, 'unsubscribe address', payload, MAILBOX_TAG_BYTES))}`;
}

/** Ignores case. Returns null if the token is invalid. @param kept keys of replaced secrets */
export function readUnsubscribeAddressToken(
  secrets: SigningSecrets,
  token: string,
  kept: readonly string[] = [],
): { subscriberId: number; newsletterTag: number } | null {
  if (token.length !== MAILBOX_TOKEN_LENGTH || token[0]?.toLowerCase() !== 'v') return null;
  const bytes = decodeBase32(token.slice(1));
  if (bytes === null) return null;
  const payload = open(unsubscribeKeys(secrets, kept), 'unsubscribe address', bytes, MAILBOX_TAG_BYTES);
  if (payload === null) return null;
  return { newsletterTag: payload.readUIntBE(0, ID_BYTES), subscriberId: payload.readUIntBE(ID_BYTES, ID_BYTES) };
}

/** Number of a newsletter where its id has no room. 48 bits: two newsletters never have the same. */
export function newsletterTag(newsletter: string): number {
  return createHash('sha256').update(newsletter).digest().readUIntBE(0, ID_BYTES);
}

function linkToken(secrets: SigningSecrets, purpose: LinkPurpose, payload: Buffer): string {
  return `v1.${seal(secrets[0], purpose, payload, TAG_BYTES).toString('base64url')}`;
}

function openLinkToken(
  keys: readonly string[],
  purpose: LinkPurpose,
  token: string,
  version: 'v1' | 'v2',
): Buffer | null {
  const [, found, encoded] = PATTERN.exec(token) ?? [];
  if (found !== version || encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64url');
  // Decoding ignores some bits of the last character: accept only one spelling of a token.
  if (bytes.toString('base64url') !== encoded || bytes.length <= TAG_BYTES) return null;
  return open(keys, purpose, bytes, TAG_BYTES);
}

function seal(secret: string, purpose: string, payload: Buffer, tagBytes: number): Buffer {
  const tag = sign(secret, purpose, payload, tagBytes);
  return Buffer.concat([tag, cipher(secret, tag, payload)]);
}

function open(secrets: readonly string[], purpose: string, bytes: Buffer, tagBytes: number): Buffer | null {
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

// In counter mode, encryption and decryption are the same. A shorter tag is padded to the block size.
function cipher(secret: string, tag: Buffer, payload: Buffer): Buffer {
  const iv = Buffer.alloc(TAG_BYTES);
  tag.copy(iv);
  return createCipheriv('aes-256-ctr', deriveKey(secret, 'seal tokens'), iv).update(payload);
}

function packIds(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * ID_BYTES);
  for (const [index, value] of values.entries()) bytes.writeUIntBE(value, index * ID_BYTES, ID_BYTES);
  return bytes;
}

// Base32 (RFC 4648 §6) in lower case, without padding: mail servers can change the case of a local part.
const BASE32_ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** @param bytes those of a mailbox token: three zero bits at the end complete the last character */
function encodeBase32(bytes: Buffer): string {
  const digits = (BigInt(`0x${bytes.toString('hex')}`) << 3n).toString(32).padStart(MAILBOX_TOKEN_LENGTH - 1, '0');
  return [...digits].map((digit) => BASE32_ALPHABET[Number.parseInt(digit, 32)]).join('');
}

/** Ignores case. Returns null if the text is not what `encodeBase32` returns. */
function decodeBase32(text: string): Buffer | null {
  // Checked before toLowerCase, which maps some other characters to ASCII letters, such as the Kelvin sign.
  if (!/^[a-zA-Z2-7]*$/.test(text)) return null;
  let bits = 0n;
  for (const character of text.toLowerCase()) bits = bits * 32n + BigInt(BASE32_ALPHABET.indexOf(character));
  const bytes = Buffer.from((bits >> 3n).toString(16).padStart(2 * (MAILBOX_TAG_BYTES + 2 * ID_BYTES), '0'), 'hex');
  // Accepts only one spelling.
  return (bits & 7n) === 0n ? bytes : null;
}

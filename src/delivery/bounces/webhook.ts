/**
 * What a mail provider's adapter POSTs to /webhooks/bounces: JSON that is signed by the scheme of Standard Webhooks
 * (https://www.standardwebhooks.com), so that nobody else can have an address suppressed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { MINUTE, SECOND } from '../../lib/time.ts';

// An older one may be a replay. It would change nothing, but a clock that is so wrong wants to be seen.
const GOOD_FOR = 5 * MINUTE;
const MOST_REPORTS = 1_000;

const report = z
  .strictObject({
    kind: z.enum(['hard', 'soft', 'complaint', 'unsubscribe']),
    /** The envelope's sender as the provider was given it, `bounces+<token>@example.com`. */
    returnPath: z.string().max(320).optional(),
    /** The token alone: of a return path, a mailto: address or an unsubscribe link. */
    token: z.string().max(320).optional(),
    /** The reader's address, where the provider reports nothing better. */
    email: z.string().max(320).optional(),
    status: z
      .string()
      .regex(/^[245]\.\d{1,3}\.\d{1,3}$/, 'must be a status such as 5.1.1 (RFC 3463)')
      .optional(),
    detail: z.string().max(10_000).optional(),
    /** When it happened; the moment it comes in where it is left out. */
    at: z.iso.datetime({ offset: true, error: 'must be an instant such as 2026-11-24T07:30:00Z' }).optional(),
  })
  .refine(
    ({ returnPath, token, email }) => [returnPath, token, email].filter((one) => one !== undefined).length === 1,
    'must name one of returnPath, token and email',
  );

const body = z.strictObject({ reports: z.array(report).min(1).max(MOST_REPORTS) });

/** One bounce, complaint or wish to leave, as a provider tells it. */
export type BounceReport = z.output<typeof report>;

export type WebhookCheck =
  | { kind: 'good'; reports: BounceReport[] }
  /** Not from whoever holds the secret: 401. */
  | { kind: 'unsigned'; reason: string }
  /** Signed, and not understood: 400. */
  | { kind: 'malformed'; reason: string };

/**
 * Checks the signature, then what was signed.
 * @param headers of the request: `webhook-id`, `webhook-timestamp` (seconds), `webhook-signature`
 * @param rawBody the body, byte for byte
 * @param secret `whsec_` and base64, as the scheme has it, or any other text, whose bytes are the key
 */
export function verifyBounceWebhook(
  headers: Pick<Headers, 'get'>,
  rawBody: Uint8Array,
  secret: string,
  now: number,
): WebhookCheck {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    headers.get(name),
  );
  if (!id || !timestamp || !signatures) {
    return {
      kind: 'unsigned',
      reason: 'the headers webhook-id, webhook-timestamp and webhook-signature are needed (Standard Webhooks)',
    };
  }
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * SECOND) > GOOD_FOR) {
    return { kind: 'unsigned', reason: 'webhook-timestamp must be the time in seconds, at most five minutes off' };
  }
  const wanted = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(rawBody).digest();
  if (!signatures.split(' ').some((one) => isSignature(one, wanted))) {
    return { kind: 'unsigned', reason: 'no signature in webhook-signature is right for this body and secret' };
  }
  return readReports(rawBody);
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}

// Several stand there while a secret is changed, each with its version before it.
function isSignature(text: string, wanted: Buffer): boolean {
  if (!text.startsWith('v1,')) return false;
  const given = Buffer.from(text.slice('v1,'.length), 'base64');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function readReports(rawBody: Uint8Array): WebhookCheck {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody));
  } catch {
    return { kind: 'malformed', reason: 'the body must be JSON in UTF-8: {"reports": [{"kind": "hard", …}]}' };
  }
  const checked = body.safeParse(value);
  if (checked.success) return { kind: 'good', reports: checked.data.reports };
  const [issue] = checked.error.issues;
  return { kind: 'malformed', reason: `${issue?.path.join('.') || 'the body'}: ${issue?.message}` };
}

/**
 * Reports that a mail provider's adapter POSTs to /webhooks/bounces: JSON, signed as Standard Webhooks specifies
 * (https://www.standardwebhooks.com), so that nobody else can suppress an address.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Store } from '../../core/store/store.ts';
import { BOUNCE_KINDS } from '../../core/store/tables.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import { applyReport, targetOfAddress } from './apply-report.ts';
import { type BounceTarget, findTokens, readTargetTokens } from './record.ts';

// An older request may be a replay. It would change nothing, but an operator should notice such a wrong clock.
const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;
const MAX_REPORTS = 1_000;

const report = z
  .strictObject({
    kind: z.enum([...BOUNCE_KINDS, 'unsubscribe']),
    /** The envelope's sender as the provider received it, `bounces+<token>@example.com`. */
    returnPath: z.string().max(320).optional(),
    /** The token alone: of a return path, a mailto: address or an unsubscribe link. */
    token: z.string().max(320).optional(),
    /** The subscriber's address, for providers that report nothing better. */
    email: z.string().max(320).optional(),
    status: z
      .string()
      .regex(/^[245]\.\d{1,3}\.\d{1,3}$/, 'must be a status such as 5.1.1 (RFC 3463)')
      .optional(),
    detail: z.string().max(10_000).optional(),
    /** When it happened. Default: when it is received. */
    at: z.iso.datetime({ offset: true, error: 'must be an instant such as 2026-11-24T07:30:00Z' }).optional(),
  })
  .refine(
    ({ returnPath, token, email }) => [returnPath, token, email].filter((one) => one !== undefined).length === 1,
    'must have exactly one of returnPath, token and email',
  );

const body = z.strictObject({ reports: z.array(report).min(1).max(MAX_REPORTS) });

/** A bounce, complaint or unsubscribe request, as a provider reports it. */
export type BounceReport = z.output<typeof report>;

export type WebhookCheck =
  | { kind: 'valid'; reports: BounceReport[] }
  /** Not signed with the secret: 401. */
  | { kind: 'unsigned'; reason: string }
  /** Signed, but malformed: 400. */
  | { kind: 'malformed'; reason: string };

/**
 * Verifies the signature, then parses the body.
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
      reason: 'the headers webhook-id, webhook-timestamp and webhook-signature are required (Standard Webhooks)',
    };
  }
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * SECOND) > MAX_CLOCK_DIFFERENCE) {
    return { kind: 'unsigned', reason: 'webhook-timestamp must be the time in seconds, at most five minutes off' };
  }
  const expected = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(rawBody).digest();
  if (!signatures.split(' ').some((one) => isSignature(one, expected))) {
    return { kind: 'unsigned', reason: 'no signature in webhook-signature is valid for this body and secret' };
  }
  return readReports(rawBody);
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}

// While a secret is being replaced there are several signatures, each with its version before it.
function isSignature(text: string, expected: Buffer): boolean {
  if (!text.startsWith('v1,')) return false;
  const given = Buffer.from(text.slice('v1,'.length), 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function readReports(rawBody: Uint8Array): WebhookCheck {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody));
  } catch {
    return { kind: 'malformed', reason: 'the body must be JSON in UTF-8: {"reports": [{"kind": "hard", …}]}' };
  }
  const checked = body.safeParse(value);
  if (checked.success) return { kind: 'valid', reports: checked.data.reports };
  const [issue] = checked.error.issues;
  return { kind: 'malformed', reason: `${issue?.path.join('.') || 'the body'}: ${issue?.message}` };
}

/** Number of reports by their effect. */
export interface BounceReportCounts {
  hard: number;
  soft: number;
  complaint: number;
  unsubscribed: number;
  /** Recorded before, or about a subscriber who is erased or unknown. */
  ignored: number;
  /** With a token that is not ours. */
  forged: number;
}

/**
 * Records reports one after the other. Recording them again changes nothing.
 * @throws if the store fails; earlier reports stay recorded, and all of them can be sent again
 */
export async function recordBounceReports(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  reports: readonly BounceReport[],
  now: number,
): Promise<BounceReportCounts> {
  const counts: BounceReportCounts = { hard: 0, soft: 0, complaint: 0, unsubscribed: 0, ignored: 0, forged: 0 };
  for (const report of reports) counts[await recordReport(store, config, secrets, report, now)] += 1;
  return counts;
}

const SOURCE = 'webhook';

async function recordReport(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  report: BounceReport,
  now: number,
): Promise<keyof BounceReportCounts> {
  // Nothing is dated into the future, even if the provider's clock is ahead.
  const at = Math.min(now, report.at === undefined ? now : Date.parse(report.at));
  const target =
    report.email === undefined
      ? await targetOfToken(store.db, secrets, report)
      : await targetOfAddress(store.db, report.email, report.kind, at);
  if (target === null) return report.email === undefined ? 'forged' : 'ignored';
  const { kind, status = null, detail = '' } = report;
  return applyReport(store.db, config, secrets, { target, kind, status, detail, source: SOURCE }, at);
}

async function targetOfToken(
  db: Store['db'],
  secrets: SigningSecrets,
  { returnPath, token }: BounceReport,
): Promise<BounceTarget | null> {
  const [target] = await readTargetTokens(db, secrets, [token ?? findTokens(returnPath ?? '')[0] ?? '']);
  return target ?? null;
}

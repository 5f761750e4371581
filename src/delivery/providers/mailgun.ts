/**
 * Webhooks of Mailgun: JSON, one event a request, with a signature inside the body
 * (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks). The signature covers a
 * timestamp and a random token, not the event: so each token may be used once.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { SECOND } from '../../lib/time.ts';
import { classifyRefusal } from '../bounces/classify.ts';
import {
  eventId,
  fields,
  lookUp,
  type ProviderCheck,
  type ProviderEvent,
  type ProviderRequest,
  parseJsonBody,
  readReports,
  unsigned,
  whyUntimely,
} from './report-reader.ts';

const signed = z.object({
  signature: z.object({
    timestamp: z.union([z.string(), z.number()]).transform(String),
    token: z.string().min(1).max(200),
    signature: z.string(),
  }),
});

const body = z.object({
  'event-data': z.object({
    event: z.string(),
    id: fields.word,
    timestamp: fields.seconds,
    severity: fields.word,
    reason: fields.word,
    recipient: fields.email,
    'user-variables': z.object({ daywire: fields.token }).catch({ daywire: null }),
    'delivery-status': z
      .object({
        code: fields.word,
        'enhanced-code': fields.status,
        'bounce-type': fields.word,
        message: fields.detail,
        description: fields.detail,
      })
      .catch({ code: '', 'enhanced-code': null, 'bounce-type': '', message: '', description: '' }),
  }),
});

type MailgunEvent = z.output<typeof body>['event-data'];

/**
 * Why Mailgun did not try to deliver: the address is on one of its own lists. It has a code of its own for each
 * (https://documentation.mailgun.com/docs/mailgun/user-manual/suppressions/suppressions).
 */
const SUPPRESSIONS: Record<string, ProviderEvent['kind']> = {
  'suppress-bounce': 'hard',
  'suppress-complaint': 'complaint',
  'suppress-unsubscribe': 'unsubscribe',
  '605': 'hard',
  '606': 'unsubscribe',
  '607': 'complaint',
};

/**
 * Verifies a request, then reads its event.
 * @param settings.secret the HTTP webhook signing key
 */
export function checkMailgun(request: ProviderRequest, settings: { secret: string }): ProviderCheck {
  const { now } = request;
  const value = parseJsonBody(request.body);
  const checked = signed.safeParse(value);
  if (!checked.success) return unsigned('the body must be JSON with a signature');
  const { timestamp, token, signature } = checked.data.signature;
  if (!/^\d{1,12}$/.test(timestamp) || !isSignature(signature, timestamp + token, settings.secret)) {
    return unsigned('the signature is not valid for this signing key');
  }
  const untimely = whyUntimely(Number(timestamp) * SECOND, now);
  if (untimely !== null) return unsigned(untimely);
  return readReports(value, body, ({ 'event-data': event }) => toEvent(event, now), token);
}

function isSignature(hex: string, text: string, secret: string): boolean {
  if (secret === '' || !/^[0-9a-fA-F]{64}$/.test(hex)) return false;
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', secret).update(text).digest());
}

function toEvent(event: MailgunEvent, now: number): ProviderEvent | null {
  const { message, description, 'enhanced-code': enhanced } = event['delivery-status'];
  const detail = message || description;
  const status = enhanced ?? fields.status.parse(detail);
  const kind = kindOf(event, { status, text: detail });
  if (kind === null) return null;
  return {
    // The id is unique within a day only.
    id: eventId(event.event, event.id, event.timestamp, event.recipient),
    kind,
    token: event['user-variables'].daywire,
    email: event.recipient,
    status,
    detail,
    at: Math.min(event.timestamp ?? now, now),
  };
}

function kindOf(
  { event, severity, reason, 'delivery-status': { code, 'bounce-type': bounceType } }: MailgunEvent,
  refusal: { status: string | null; text: string },
): ProviderEvent['kind'] | null {
  switch (event) {
    case 'delivered':
      return 'delivered';
    case 'complained':
      return 'complaint';
    case 'unsubscribed':
      return 'unsubscribe';
    case 'failed': {
      // A temporary failure is a delay: Mailgun tries again, and reports the end.
      if (severity !== 'permanent') return null;
      const listed = lookUp(SUPPRESSIONS, reason) ?? lookUp(SUPPRESSIONS, code);
      if (listed !== null) return listed;
      if (bounceType === 'hard' || bounceType === 'soft') return bounceType;
      // Permanent means that Mailgun has given up, also after days of failures that may pass.
      return classifyRefusal({ status: refusal.status, text: `${code} ${refusal.text}` });
    }
    default:
      // `rejected` is a fault of the message.
      return null;
  }
}

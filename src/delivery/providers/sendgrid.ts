/**
 * Webhooks of SendGrid: JSON, an array of events, signed with ECDSA over the timestamp and the body
 * (twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
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

// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
const report = z.object({
  event: z.string(),
  sg_event_id: fields.word,
  sg_message_id: fields.word,
  timestamp: fields.seconds,
  email: fields.email,
  type: fields.word,
  status: fields.status,
  reason: fields.detail,
  response: fields.detail,
  // Unique arguments are keys of the event itself.
  daywire: fields.token,
});

type SendGridReport = z.output<typeof report>;

/**
 * Reasons why SendGrid did not try to deliver, in lower case (https://docs.sendgrid.com/glossary/drops). Others, such
 * as "Spam Content", are about the message.
 */
const DROPS: Record<string, ProviderEvent['kind']> = {
  'bounced address': 'hard',
  invalid: 'hard',
  'spam reporting address': 'complaint',
  'unsubscribed address': 'unsubscribe',
};

/**
 * Verifies a request, then reads its events.
 * @param settings.secret the verification key: base64, as the console shows it
 */
export function checkSendGrid({ headers, body, now }: ProviderRequest, settings: { secret: string }): ProviderCheck {
  const signature = headers.get('x-twilio-email-event-webhook-signature');
  const timestamp = headers.get('x-twilio-email-event-webhook-timestamp');
  if (!signature || !timestamp || !/^\d{1,12}$/.test(timestamp)) {
    return unsigned(
      'the headers X-Twilio-Email-Event-Webhook-Signature and X-Twilio-Email-Event-Webhook-Timestamp are required',
    );
  }
  const key = readVerificationKey(settings.secret);
  if (key === null) return unsigned('the configured verification key is not one of SendGrid: base64, for P-256');
  if (!isSignature(signature, Buffer.concat([Buffer.from(timestamp), body]), key)) {
    return unsigned('the signature is not valid for this body and verification key');
  }
  const untimely = whyUntimely(Number(timestamp) * SECOND, now);
  if (untimely !== null) return unsigned(untimely);
  return readReports(parseJsonBody(body), report, (one) => toEvent(one, now));
}

/** Reads a verification key: the base64 of an elliptic curve key in DER. Null if it is none for P-256. */
export function readVerificationKey(base64: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : null;
  } catch {
    return null;
  }
}

function isSignature(base64: string, data: Buffer, key: KeyObject): boolean {
  try {
    return verify('sha256', data, key, Buffer.from(base64, 'base64'));
  } catch {
    return false;
  }
}

function toEvent(one: SendGridReport, now: number): ProviderEvent | null {
  const kind = kindOf(one);
  if (kind === null) return null;
  const detail = one.reason || one.response;
  return {
    id:
      one.sg_event_id === ''
        ? eventId(one.event, one.sg_message_id, one.email, one.timestamp)
        : eventId(one.sg_event_id),
    kind,
    token: one.daywire,
    email: one.email,
    status: one.status ?? fields.status.parse(detail),
    detail,
    at: Math.min(one.timestamp ?? now, now),
  };
}

/** `deferred` is a delay; `processed`, `open` and `click` change nothing. */
const KINDS: Record<string, ProviderEvent['kind']> = {
  ...{ delivered: 'delivered', blocked: 'soft', spamreport: 'complaint' },
  ...{ unsubscribe: 'unsubscribe', group_unsubscribe: 'unsubscribe' },
};

function kindOf({ event, type, status, reason }: SendGridReport): ProviderEvent['kind'] | null {
  if (event === 'dropped') return lookUp(DROPS, reason.toLowerCase());
  if (event !== 'bounce') return lookUp(KINDS, event);
  // SendGrid's own classes. An address that bounced gets no more mail from it; one that blocked a message does.
  if (type === 'bounce') return 'hard';
  if (type === 'blocked' || type === 'expired') return 'soft';
  return classifyRefusal({ status, text: reason });
}

/**
 * Webhooks of Postmark: JSON, one record a request, authenticated with Basic authentication
 * (https://postmarkapp.com/developer/webhooks/webhooks-overview).
 */
import { z } from 'zod';
import { classifyRefusal } from '../bounces/classify.ts';
import {
  eventId,
  fields,
  isAuthorized,
  lookUp,
  type ProviderCheck,
  type ProviderEvent,
  type ProviderRequest,
  parseJsonBody,
  readReports,
  unsigned,
} from './report-reader.ts';

const record = z
  .object({
    RecordType: z.string(),
    ID: fields.word,
    MessageID: fields.word,
    Type: fields.word,
    SuppressSending: z.unknown().optional(),
    SuppressionReason: fields.word,
    Email: fields.email,
    Recipient: fields.email,
    Details: fields.detail,
    Description: fields.detail,
    Metadata: z.object({ daywire: fields.token }).catch({ daywire: null }),
    BouncedAt: fields.isoInstant,
    DeliveredAt: fields.isoInstant,
    ChangedAt: fields.isoInstant,
  })
  .readonly();

type PostmarkRecord = z.output<typeof record>;

/**
 * What a bounce's type means (https://postmarkapp.com/developer/api/bounce-api#bounce-types). Types that are not listed
 * concern no address: answers of people, delays that end in another record, and faults of the message.
 */
const BOUNCES: Record<string, ProviderEvent['kind'] | 'by-text' | 'if-inactive'> = {
  HardBounce: 'hard',
  BadEmailAddress: 'hard',
  SoftBounce: 'soft',
  DnsError: 'soft',
  // Blocked by the receiving server, for content or reputation.
  Blocked: 'soft',
  SpamNotification: 'soft',
  VirusNotification: 'soft',
  DMARCPolicy: 'soft',
  Undeliverable: 'soft',
  Unknown: 'by-text',
  SpamComplaint: 'complaint',
  Unsubscribe: 'unsubscribe',
  ManuallyDeactivated: 'unsubscribe',
  // Postmark has refused its own customer: for an inactive recipient, or for a fault of the message.
  SMTPApiError: 'if-inactive',
};

/** Why Postmark no longer sends to an address, in a SubscriptionChange. */
const SUPPRESSIONS: Record<string, ProviderEvent['kind']> = {
  HardBounce: 'hard',
  SpamComplaint: 'complaint',
  ManualSuppression: 'unsubscribe',
};

/**
 * Verifies a request, then reads its records.
 * @param settings.secret `user:password` of the webhook's address
 */
export function checkPostmark({ headers, body, now }: ProviderRequest, settings: { secret: string }): ProviderCheck {
  if (!isAuthorized(headers, settings.secret, { bearer: false })) {
    return unsigned('the user name and password of the webhook are wrong or missing');
  }
  return readReports(parseJsonBody(body), record, (one) => toEvent(one, now));
}

function toEvent(one: PostmarkRecord, now: number): ProviderEvent | null {
  const detail = one.Details || one.Description;
  const kind = kindOf(one, detail);
  if (kind === null) return null;
  const email = one.Email ?? one.Recipient;
  const at = one.BouncedAt ?? one.DeliveredAt ?? one.ChangedAt;
  return {
    // Only bounces have an id. The type is part of it: a complaint has the id of a bounce, too.
    id: eventId(one.RecordType, one.ID, one.MessageID, email, kind, one.ID === '' ? at : null),
    kind,
    token: one.Metadata.daywire,
    email,
    status: fields.status.parse(detail),
    detail,
    at: Math.min(at ?? now, now),
  };
}

function kindOf(one: PostmarkRecord, detail: string): ProviderEvent['kind'] | null {
  switch (one.RecordType) {
    case 'Delivery':
      return 'delivered';
    case 'SpamComplaint':
      return 'complaint';
    case 'SubscriptionChange':
      // False: somebody was taken off Postmark's list.
      return one.SuppressSending === true ? lookUp(SUPPRESSIONS, one.SuppressionReason) : null;
    case 'Bounce':
      return bounceKind(one.Type, detail);
    default:
      return null;
  }
}

function bounceKind(type: string, detail: string): ProviderEvent['kind'] | null {
  const rule = lookUp(BOUNCES, type);
  switch (rule) {
    case 'by-text':
      return classifyRefusal({ status: null, text: detail });
    case 'if-inactive':
      // Error 406 (https://postmarkapp.com/developer/api/overview#error-codes): after a hard bounce, a complaint or a
      // suppression by hand. It does not say which.
      return /\b406\b|\binactive\b/i.test(detail) ? 'hard' : null;
    default:
      return rule;
  }
}

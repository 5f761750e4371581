/**
 * Webhooks of Brevo for transactional email: JSON, one event a request or an array of them, authenticated with Basic
 * authentication or a bearer token (https://developers.brevo.com/docs/transactional-webhooks,
 * https://developers.brevo.com/docs/username-and-password-authentication).
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

const report = z.object({
  event: z.string(),
  email: fields.email,
  'message-id': fields.word,
  reason: fields.detail,
  /** Documented as milliseconds; some examples have seconds. The other times are in the account's zone. */
  ts_epoch: z.unknown().optional(),
  ts_event: fields.seconds,
  'X-Mailin-custom': fields.token,
});

/**
 * Verifies a request, then reads its events.
 * @param settings.secret `user:password` of the webhook's address, or the bearer token
 */
export function checkBrevo({ headers, body, now }: ProviderRequest, settings: { secret: string }): ProviderCheck {
  if (!isAuthorized(headers, settings.secret, { bearer: true })) {
    return unsigned('the user name and password, or the token, of the webhook are wrong or missing');
  }
  return readReports(parseJsonBody(body), report, (one) => toEvent(one, now));
}

function toEvent(one: z.output<typeof report>, now: number): ProviderEvent | null {
  const status = fields.status.parse(one.reason);
  const kind = kindOf(one.event, { status, text: one.reason });
  if (kind === null) return null;
  const at = instantOf(one.ts_epoch) ?? one.ts_event;
  return {
    // Brevo has no ids of events.
    id: eventId(one.event, one['message-id'], one.email, at),
    kind,
    token: one['X-Mailin-custom'],
    email: one.email,
    status,
    detail: one.reason,
    at: Math.min(at ?? now, now),
  };
}

function instantOf(epoch: unknown): number | null {
  // Seconds reach 1e11 in the year 5138; milliseconds passed it in 1973.
  if (typeof epoch === 'number' && epoch >= 1e11 && epoch < 1e15) return Math.floor(epoch);
  return fields.seconds.parse(epoch);
}

// Brevo's own list of addresses that it sends nothing to. A blocked sender or account is the newsroom's problem.
const BLOCKED_RECIPIENT = /\b(black|block)-?list(ed)? (user|contact|recipient)|\b(hard[- ]?bounced?|invalid email)\b/i;
const COMPLAINED = /\b(complain|spam report|marked (it )?as spam)/i;
const UNSUBSCRIBED = /\bunsubscri/i;

const KINDS: Record<string, ProviderEvent['kind']> = {
  delivered: 'delivered',
  ...{ hard_bounce: 'hard', invalid_email: 'hard', soft_bounce: 'soft' },
  ...{ spam: 'complaint', complaint: 'complaint', unsubscribe: 'unsubscribe', unsubscribed: 'unsubscribe' },
};

function kindOf(event: string, refusal: { status: string | null; text: string }): ProviderEvent['kind'] | null {
  if (event === 'blocked') {
    if (UNSUBSCRIBED.test(refusal.text)) return 'unsubscribe';
    if (COMPLAINED.test(refusal.text)) return 'complaint';
    return BLOCKED_RECIPIENT.test(refusal.text) ? 'hard' : null;
  }
  // A delay or a failed attempt. Brevo also reports a server's "550 5.1.1 user unknown" as deferred.
  if (event === 'deferred' || event === 'error') return classifyRefusal(refusal) === 'hard' ? 'hard' : null;
  return lookUp(KINDS, event);
}

/**
 * What the pages of the audience call states, changes of consent, and reasons. Pure.
 */
import type { SuppressionReason, Tables } from '../../core/store/tables.ts';
import type { StatusKind } from '../../web/desk/parts/status-mark.ts';
import type { SubscriptionState } from '../consent/states.ts';

type Event = Pick<Tables['consent_events'], 'change' | 'channel' | 'newsletter' | 'detail'>;

export const STATE_MARKS: Record<SubscriptionState, StatusKind> = {
  confirmed: 'good',
  unconfirmed: 'waiting',
  unsubscribed: 'off',
};

export const REASONS: Record<SuppressionReason, string> = {
  'hard-bounce': 'the mailbox does not exist',
  'soft-bounces': 'mail bounced for a long time',
  complaint: 'a complaint',
  erased: 'the person had their data deleted',
  operator: 'blocked by an operator',
};

const CHANNELS: Record<Tables['consent_events']['channel'], string> = {
  form: 'with the form on the site',
  confirmation: 'with the link of the confirmation email',
  preferences: 'on the page of preferences',
  'unsubscribe-page': 'with the link to unsubscribe',
  'one-click': 'with the unsubscribe button of a mail program',
  mailto: 'by email',
  operator: 'by an operator',
  import: 'by an import',
  bounce: 'after a bounce',
  complaint: 'after a complaint',
};

/** The channel of a change, as the end of a sentence. */
export function channelWords(channel: Event['channel']): string {
  return CHANNELS[channel];
}

/** A reason of the suppression list; another text as it is. */
export function reasonWords(reason: string): string {
  return Object.hasOwn(REASONS, reason) ? REASONS[reason as SuppressionReason] : reason;
}

/** What changed, as a sentence without its full stop. @param name the newsletter's */
export function changeWords({ change, detail }: Event, name: string): string {
  switch (change) {
    case 'requested':
      return `Requested ${name}`;
    case 'confirmed':
      return detail === null ? `Confirmed ${name}` : `Confirmed ${name} (${detail})`;
    case 'unsubscribed':
      return `Left ${name}`;
    case 'zone':
      return detail === null ? 'Chose the time zone of the publication' : `Chose the time zone ${detail}`;
    case 'paused':
      return detail === null ? 'Paused' : `Paused ${detail}`;
    case 'resumed':
      return 'Ended the pause';
    case 'suppressed':
      return `Put on the suppression list: ${reasonWords(detail ?? 'operator')}`;
    case 'unsuppressed':
      return detail === null
        ? 'Taken off the suppression list'
        : `Taken off the suppression list: ${reasonWords(detail)}`;
    case 'exported':
      return 'Data exported';
  }
}

/** The subscriber that a path names, and what acts on subscribers share. */
import { html } from 'hono/html';
import { CHOICE_FACETS, readChoice } from '../../articles/choice.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import type { Tables } from '../../core/store/tables.ts';
import { maskLocalPart } from '../../lib/address.ts';
import { boundedLine } from '../../lib/text/clean-text.ts';
import type { DeskRequest, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { Html } from '../../web/desk/html.ts';
import { respondMissing } from '../../web/desk/page.ts';
import { textField } from '../../web/desk/parts/form.ts';
import type { StatusKind } from '../../web/desk/parts/status-mark.ts';
import type { ConsentChannel } from '../consent/changes.ts';
import type { SubscriptionState } from '../consent/states.ts';
import { maskAddressesIn, maskIn } from '../search/mask-in.ts';
import { findSubscriber, type Subscriber } from '../subscriptions.ts';

/** Calls `work` with the subscriber of the path; responds with 404 if there is none. */
export async function withSubscriberById(
  request: SignedInRequest,
  work: (subscriber: Subscriber) => Promise<Response>,
): Promise<Response> {
  const id = Number(request.c.req.param('id'));
  const subscriber = Number.isSafeInteger(id) ? await findSubscriber(request.desk.app.store.db, id) : null;
  return subscriber === null ? respondGone(request) : work(subscriber);
}

export function respondGone(request: DeskRequest): Promise<Response> {
  return respondMissing(request, 'There is no such subscriber: the data may have been deleted.');
}

/** Source of a consent event, such as `desk: Auden Vale`. */
export function sourceOf({ account }: SignedInRequest): string {
  return `desk: ${account.name}`;
}

export function operatorVia(request: SignedInRequest): ConsentChannel {
  return { channel: 'operator', source: sourceOf(request) };
}

/** The name of a newsletter, or its id where the configuration does not have it. */
export function newsletterName({ desk }: DeskRequest, id: string): string {
  return desk.app.config.newsletters.find((one) => one.id === id)?.title ?? id;
}

/** An address, masked without `audience.addresses`. Written from right to left, it does not turn the text around it. */
export function addressHtml(request: DeskRequest, email: string): Html {
  return html`<bdi class="break">${request.may('audience.addresses') ? email : maskLocalPart(email)}</bdi>`;
}

/** A text of others about a subscriber, such as a server's reply or the name of a file. Null stays empty. */
export function shownText(request: DeskRequest, text: string | null, email: string): string {
  if (text === null) return '';
  return request.may('audience.addresses') ? text : maskIn(text, email);
}

const LIMIT = 200;

export type TypedReason = { kind: 'given'; text: string } | { kind: 'missing'; error: string };

/** Addresses in it are masked. */
export function readReason({ form }: DeskRequest): TypedReason {
  const text = maskAddressesIn(boundedLine((form.get('reason') ?? '').slice(0, 4 * LIMIT), LIMIT));
  if (text !== '') return { kind: 'given', text };
  return { kind: 'missing', error: 'Say why, such as "asked by phone to be mailed again".' };
}

export function reasonField({ form }: DeskRequest, error?: string): Html {
  return textField({
    ...{ name: 'reason', label: 'Reason', hint: 'For the audit log; without an address.', required: true },
    ...{ maxLength: LIMIT, error, value: error === undefined ? '' : (form.get('reason') ?? '').slice(0, LIMIT) },
  });
}

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

/** The channel of a change, as the end of a sentence. */
export const CHANNELS: Record<Tables['consent_events']['channel'], string> = {
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

/** A reason of the suppression list; another text as it is. */
export function reasonWords(reason: string): string {
  return Object.hasOwn(REASONS, reason) ? REASONS[reason as SuppressionReason] : reason;
}

/** A stored choice: `sections finance, world; at least 3 stories`. */
export function choiceWords(choice: string | null): string {
  const { atLeast, ...chosen } = readChoice(choice);
  const facets = CHOICE_FACETS.flatMap((facet) =>
    chosen[facet].length === 0 ? [] : `${facet === 'tags' ? 'topics' : facet} ${chosen[facet].join(', ')}`,
  );
  const least = atLeast > 1 ? [`at least ${atLeast} stories`] : [];
  return [...(facets.length === 0 ? ['everything'] : facets), ...least].join('; ');
}

/** How much of an edition with choices a delivery has: `7 of 18 stories`. */
export function copyWords({ choice, stories, of }: { choice: string | null; stories: string[]; of: number }): string {
  return choice === null ? 'whole edition' : `${stories.length} of ${of} stories`;
}

/** What changed, as a sentence without its full stop. @param name the newsletter's */
export function changeWords({ change, detail }: Event, name: string): string {
  switch (change) {
    case 'requested':
      return detail === null ? `Requested ${name}` : `Requested ${name} at ${detail}`;
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
    case 'choice':
      return `Chose of ${name}: ${choiceWords(detail)}`;
    case 'moved':
      return detail === null ? `Changed to ${name}` : `Changed to ${name} from ${detail}`;
    case 'feed-wanted':
      return `Wants a private feed of ${name}`;
    case 'feed-ended':
      return `Ended the private feed of ${name}`;
  }
}

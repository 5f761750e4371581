/**
 * Acts on one subscriber. Each is an event of consent by the channel `operator` with the account's name, or a message,
 * and a row of the audit log in the same transaction.
 */
import { HOUR, localDate, localDateTime } from '../../lib/time.ts';
import type { DeskRequest, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { Notice } from '../../web/desk/notice.ts';
import { respondAfter } from '../../web/desk/page.ts';
import { requestLink } from '../account-links.ts';
import { type ResendResult, resendConfirmation } from '../consent/resend-confirmation.ts';
import { signupOptions } from '../consent/signup-limits.ts';
import { changePreferences } from '../preferences.ts';
import { endSubscriptions, type Subscriber } from '../subscriptions.ts';
import { subscriberSubject, suppressByOperator, unsuppressByOperator } from '../suppression.ts';
import { firstInstantOfDay } from '../zone.ts';
import { respondLedger } from './ledger-page.ts';
import {
  newsletterName,
  operatorVia,
  REASONS,
  readReason,
  respondGone,
  sourceOf,
  withSubscriberById,
} from './subscriber-of.ts';

export function handleUnsubscribeByOperator(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { id } = subscriber;
    const { db } = request.desk.app.store;
    const newsletter = request.form.get('newsletter') ?? '';
    const via = operatorVia(request);
    const audit = request.audit('subscriber.unsubscribe', subscriberSubject(subscriber.id), {
      newsletter: newsletter || 'all',
    });
    const newsletters = newsletter === '' ? 'all' : [newsletter];
    const result = await endSubscriptions(db, id, newsletters, via, request.at, audit);
    if (result.kind === 'unknown') return respondGone(request);
    const nameOf = (one: string) => newsletterName(request, one);
    if (result.kind === 'removed') {
      return afterUnsubscribing(request, subscriber, result.newsletters.map(nameOf).join(', '));
    }
    const text = `There is no subscription${newsletter === '' ? '' : ` to ${nameOf(newsletter)}`}.`;
    return after(request, subscriber, { kind: 'problem', text });
  });
}

/** No undo: it would record a consent that nobody has given. The person can give it, by a link to the preferences. */
function afterUnsubscribing(request: SignedInRequest, subscriber: Subscriber, names: string): Response {
  const text = `Unsubscribed from ${names}. Only the person can subscribe again.`;
  const action = `/audience/${subscriber.id}/preferences-link`;
  return after(request, subscriber, {
    ...{ kind: 'done', text },
    undo: { action, label: 'Send a link to the preferences', fields: {} },
  });
}

/** From the beginning of the day in the publication's zone. */
export function handlePauseSubscriber(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { config, store } = request.desk.app;
    const { zone } = config.publication;
    const until = firstInstantOfDay(request.form.get('until') ?? '', zone);
    const latest = request.at + MAX_PAUSE_DAYS * 24 * HOUR;
    if (until === null || until <= request.at || until > latest) {
      const error = `Choose a day after today, within ${MAX_PAUSE_DAYS} days.`;
      return respondLedger(request, { pause: error });
    }
    const audit = request.audit('subscriber.pause', subscriberSubject(subscriber.id), {
      until: localDateTime(until, zone),
    });
    const via = operatorVia(request);
    const result = await changePreferences(store.db, subscriber.id, { pausedUntil: until }, via, request.at, audit);
    if (result.kind === 'unknown') return respondGone(request);
    const undo = { action: `/audience/${subscriber.id}/resume`, fields: {} };
    const text = `No edition is mailed before ${localDateTime(until, zone)}.`;
    return after(request, subscriber, { kind: 'done', text, undo });
  });
}

export function handleResumeSubscriber(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const audit = request.audit('subscriber.resume', subscriberSubject(subscriber.id));
    const { db } = request.desk.app.store;
    const via = operatorVia(request);
    const result = await changePreferences(db, subscriber.id, { pausedUntil: null }, via, request.at, audit);
    const isDone = result.kind === 'changed';
    const text = isDone ? 'The pause is over: the next edition is mailed.' : 'There was no pause.';
    const until = isDone ? dayAfterToday(request, subscriber.pausedUntil) : null;
    const undo = until === null ? undefined : { action: `/audience/${subscriber.id}/pause`, fields: { until } };
    return after(request, subscriber, { kind: isDone ? 'done' : 'problem', text, undo });
  });
}

export function handleSuppression(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { store, keys } = request.desk.app;
    const audit = request.audit('subscriber.suppress', subscriberSubject(subscriber.id));
    const act = { source: sourceOf(request), onCommit: audit };
    const result = await suppressByOperator(store.db, await keys.signingSecrets(), subscriber.email, request.at, act);
    if (result.kind !== 'suppressed') {
      return after(request, subscriber, { kind: 'problem', text: 'The address was suppressed before.' });
    }
    const undo = { action: `/audience/${subscriber.id}/lift`, fields: { reason: 'Undone' } };
    const text = 'Nothing is mailed to this address any longer, even if it is requested.';
    // An earlier reason is replaced: to lift it would also lift the earlier one.
    return after(request, subscriber, {
      kind: 'done',
      text,
      ...(subscriber.suppressedReason === null ? { undo } : {}),
    });
  });
}

export function handleLift(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { store, keys } = request.desk.app;
    const reason = readReason(request);
    if (reason.kind === 'missing') return respondLedger(request, { lift: reason.error });
    const audit = request.audit('subscriber.lift', subscriberSubject(subscriber.id), {
      reason: reason.text,
      suppressed: subscriber.suppressedReason,
    });
    const act = { source: sourceOf(request), onCommit: audit };
    const result = await unsuppressByOperator(store.db, await keys.signingSecrets(), subscriber.email, request.at, act);
    const isDone = result.kind === 'lifted';
    const text = isDone
      ? 'The address is off the list of suppressions. Only its confirmed subscriptions are mailed.'
      : 'The address was not on the list.';
    // The new suppression has the reason "operator", the old one perhaps another: neither is mailed.
    const undo = { action: `/audience/${subscriber.id}/suppress`, label: 'Suppress it again', fields: {} };
    return after(request, subscriber, { kind: isDone ? 'done' : 'problem', text, ...(isDone ? { undo } : {}) });
  });
}

export function handleConfirmation(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { store, keys, config } = request.desk.app;
    const options = signupOptions(config.signup);
    const audit = request.audit('subscriber.send-confirmation', subscriberSubject(subscriber.id));
    const secrets = await keys.signingSecrets();
    const result = await resendConfirmation(store.db, secrets, subscriber.id, options, request.at, audit);
    if (result.kind === 'unknown') return respondGone(request);
    return after(request, subscriber, resendNotice(request, result));
  });
}

function resendNotice(request: DeskRequest, result: Exclude<ResendResult, { kind: 'unknown' }>): Notice {
  switch (result.kind) {
    case 'queued': {
      const names = result.newsletters.map((one) => newsletterName(request, one)).join(', ');
      return { kind: 'done', text: `A new request to confirm ${names} is queued.` };
    }
    case 'nothing-open':
      return { kind: 'problem', text: 'No subscription waits for its confirmation.' };
    case 'suppressed':
      return { kind: 'problem', text: `The address is suppressed (${REASONS[result.reason]}): lift that first.` };
    case 'limited': {
      const whose = { address: 'this mailbox', domain: 'this domain', all: 'all addresses' }[result.scope];
      const { zone } = request.desk.app.config.publication;
      const text = `The limit of confirmation emails to ${whose} is reached: try again after ${localDateTime(
        result.retryAt,
        zone,
      )}.`;
      return { kind: 'problem', text };
    }
  }
}

export function handlePreferencesLink(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { store, keys } = request.desk.app;
    const audit = request.audit('subscriber.send-preferences-link', subscriberSubject(subscriber.id));
    const secrets = await keys.signingSecrets();
    const result = await requestLink(store.db, secrets, subscriber.id, 'preferences', request.at, audit);
    if (result === 'unknown') return respondGone(request);
    const texts = {
      queued: 'An email with a link to the preferences is queued.',
      suppressed: 'It is recorded, but not mailed: an operator has suppressed the address.',
      limited: 'Two such links were sent within 12 hours: nothing was sent.',
    };
    return after(request, subscriber, { kind: result === 'queued' ? 'done' : 'problem', text: texts[result] });
  });
}

/** The day of an instant, as a pause names it; null for today and earlier. */
function dayAfterToday({ at, desk }: SignedInRequest, until: number | null): string | null {
  const { zone } = desk.app.config.publication;
  const day = until === null ? null : localDate(until, zone);
  return day !== null && day > localDate(at, zone) ? day : null;
}

/** A longer pause is better an end: the page of preferences has the same limit. */
const MAX_PAUSE_DAYS = 366;

function after(request: SignedInRequest, { id }: Subscriber, notice: Notice): Response {
  return respondAfter(request, `/audience/${id}`, notice);
}

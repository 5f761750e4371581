/**
 * The subscriber that a path names, and what acts on subscribers share.
 */
import { html } from 'hono/html';
import { maskLocalPart } from '../../lib/address.ts';
import type { DeskRequest, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondMissing } from '../../web/desk/page.ts';
import type { ConsentChannel } from '../consent/changes.ts';
import { maskIn } from '../search/mask-in.ts';
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

/** Who is named as the source of a consent event, `desk: Auden Vale`. */
export function sourceOf({ account }: SignedInRequest): string {
  return `desk: ${account.name}`;
}

export function operatorVia(request: SignedInRequest): ConsentChannel {
  return { channel: 'operator', source: sourceOf(request) };
}

/** What the audit log calls a subscriber. */
export function subjectOf({ id }: Pick<Subscriber, 'id'>): string {
  return `subscriber/${id}`;
}

/** The name of a newsletter, or its id where the configuration does not have it. */
export function newsletterName({ desk }: DeskRequest, id: string): string {
  return desk.app.config.newsletters.find((one) => one.id === id)?.title ?? id;
}

/** An address; masked without `audience.addresses`. */
function shownAddress(request: DeskRequest, email: string): string {
  return request.may('audience.addresses') ? email : maskLocalPart(email);
}

/** As HTML: an address that is written from right to left does not turn the text around it. */
export function addressHtml(request: DeskRequest, email: string): Html {
  return html`<bdi class="break">${shownAddress(request, email)}</bdi>`;
}

/** A text of others about a subscriber, such as a server's reply or the name of a file. Null stays empty. */
export function shownText(request: DeskRequest, text: string | null, email: string): string {
  if (text === null) return '';
  return request.may('audience.addresses') ? text : maskIn(text, email);
}

/**
 * The deletion of all data of a person: a page that says what goes and what stays, then the deletion.
 */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondPage } from '../../web/desk/page.ts';
import { passwordField, submitButton } from '../../web/desk/parts/form.ts';
import { eraseSubscriber } from '../erasure.ts';
import { addressHtml, newsletterName, respondGone, subjectOf, withSubscriberById } from './subscriber-of.ts';

export function respondErasurePage(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { id, email, subscriptions } = subscriber;
    const names = subscriptions.map(({ newsletter }) => newsletterName(request, newsletter)).join(', ');
    const { base } = request.desk;
    const body = html`<p>All data of <strong>${addressHtml(request, email)}</strong> is deleted at once. This cannot be
undone.</p>
<h2>Deleted</h2><ul class="rows"><li>The address, the time zone, a pause</li>
<li>${names === '' ? 'Subscriptions: none' : `Subscriptions: ${names}`}</li>
<li>Every change of consent, with wordings and clients' addresses: the proof that it was given goes, too</li>
<li>Service messages and their links, refusals, and the limits of requests for this address</li>
<li>The replies of servers about this address</li></ul>
<h2>What remains</h2><ul class="rows"><li>On the list of suppressions, a keyed hash of the address, so that no import
adds it again. The person can subscribe again.</li>
<li>In the figures of past editions, deliveries and bounces as numbers, without text and without a person</li>
<li>What daywire cannot delete: mail that was submitted, log files, backups, and files of imports and exports</li></ul>
<form class="narrow" method="post" action="${base}/audience/${id}/erase">${passwordField()}
<div class="buttons">${submitButton('Delete all data', { danger: true, id: 'erase' })}
<a class="button" href="${base}/audience/${id}">Keep it</a></div></form>`;
    return respondPage(request, { title: 'Delete all data?', section: 'audience', body });
  });
}

export function respondErasure(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { store, keys } = request.desk.app;
    const audit = request.audit('subscriber.erase', subjectOf(subscriber));
    const isErased = await eraseSubscriber(store.db, await keys.signingSecrets(), subscriber.id, request.at, audit);
    if (!isErased) return respondGone(request);
    return respondAfter(request, '/audience', {
      kind: 'done',
      text: `All data of subscriber ${subscriber.id} is deleted.`,
    });
  });
}

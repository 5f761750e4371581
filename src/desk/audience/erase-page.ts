/**
 * The deletion of all data of a person: a page that says what goes and what stays, then the deletion.
 */
import { html } from 'hono/html';
import { eraseSubscriber } from '../../subscribers/erasure.ts';
import { PERSONAL_DATA } from '../../subscribers/personal-data.ts';
import type { SignedInRequest } from '../desk-request.ts';
import { respondAfter, respondPage } from '../page.ts';
import { passwordField, submitButton } from '../parts/form.ts';
import { addressHtml } from './shown-address.ts';
import { respondGone, subjectOf, withSubscriber } from './subscriber-of.ts';

export function respondErasurePage(request: SignedInRequest): Promise<Response> {
  return withSubscriber(request, async (subscriber) => {
    const { id, email } = subscriber;
    const { base } = request.desk;
    const data: { what: string; erasure: string; remains?: string }[] = Object.values(PERSONAL_DATA);
    const deleted = data.filter(({ erasure }) => erasure === 'deleted').map(({ what }) => html`<li>${what}</li>`);
    const kept = data.flatMap(({ what, erasure, remains }) => {
      if (remains === undefined) return [];
      const how = erasure === 'anonymised' ? `${what}, without text and without a person` : what;
      return [html`<li>${how}: ${remains}</li>`];
    });
    const body = html`<p>All data of <strong>${addressHtml(request, email)}</strong> is deleted at once. This cannot be
undone.</p>
<h2>Deleted</h2><ul>${deleted}</ul>
<h2>What remains</h2><ul>${kept}</ul>
<p>Not deleted: mail that was submitted, log files, backups, and files of imports and exports. The person can subscribe
again; no import adds the address again.</p>
<form class="narrow" method="post" action="${base}/audience/${id}/erase">${passwordField()}
<div class="buttons">${submitButton('Delete all data', { danger: true, id: 'erase' })}
<a class="button" href="${base}/audience/${id}">Keep it</a></div></form>`;
    return respondPage(request, { title: 'Delete all data?', section: 'audience', body });
  });
}

export function respondErasure(request: SignedInRequest): Promise<Response> {
  return withSubscriber(request, async (subscriber) => {
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

/**
 * Downloads of personal data: all data of one person, and the list of subscribers as CSV. Both need the password again.
 */
import { html } from 'hono/html';
import { inTransaction } from '../../core/store/store.ts';
import { localDate } from '../../lib/time.ts';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondPage } from '../../web/desk/page.ts';
import { errorSummary, formStatus, passwordField, selectField, submitButton } from '../../web/desk/parts/form.ts';
import { exportSubscribers } from '../csv/export.ts';
import { eraseSubscriber } from '../erasure.ts';
import { exportSubscriberData, recordExport } from '../export-data.ts';
import { subscriberSubject } from '../suppression.ts';
import { addressHtml, newsletterName, operatorVia, respondGone, withSubscriberById } from './subscriber-of.ts';

/** Everything about one person, as JSON. The event of the export is in it. */
export function respondPersonExport(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { c, at, desk } = request;
    const { id } = subscriber;
    const audit = request.audit('subscriber.export', subscriberSubject(subscriber.id));
    const data = await inTransaction(desk.app.store.db, async (tx) => {
      await recordExport(tx, id, operatorVia(request), at, audit);
      return exportSubscriberData(tx, id);
    });
    if (data === null) return respondGone(request);
    const name = `subscriber-${id}-${localDate(at, desk.app.config.publication.zone)}.json`;
    return c.body(`${JSON.stringify(data, null, 2)}\n`, 200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Disposition': `attachment; filename="${name}"`,
    });
  });
}

/** @param error of the password */
export function respondExportForm(request: SignedInRequest, error?: string): Promise<Response> {
  const { form, desk } = request;
  const { newsletters } = desk.app.config;
  const options = [
    { value: '', label: 'All newsletters' },
    ...newsletters.map(({ id, title }) => ({ value: id, label: title })),
  ];
  const body = html`<p>A CSV file with the addresses, their newsletters and states. It can be imported again, here or
elsewhere. Keep it where only those who need it can read it, and delete it when it is no longer needed: what is
deleted here later stays in the file.</p>
<form class="narrow download" method="post" action="${desk.base}/audience/export" data-plain novalidate>
${errorSummary({ password: error })}
${selectField({ name: 'newsletter', label: 'Newsletter', options, value: form.get('newsletter') ?? '' })}
${passwordField(error)}
<p class="hint">Your browser saves the file; this page stays as it is.</p>
<div class="buttons">${submitButton('Download', { primary: true, id: 'download' })}
<a class="button" href="${desk.base}/audience">Back to the subscribers</a></div></form>`;
  const status = formStatus({ password: error });
  return respondPage(request, { title: 'Export subscribers', section: 'audience', body, status });
}

/** Streams the file. The audit log has a row before the first address leaves, and one with the number of rows. */
export async function respondListExport(request: SignedInRequest): Promise<Response> {
  const { c, form, at, desk } = request;
  const { store, config } = desk.app;
  const newsletter = form.get('newsletter') ?? '';
  if (newsletter !== '' && !config.newsletters.some(({ id }) => id === newsletter)) {
    return respondAfter(request, '/audience/export', { kind: 'problem', text: 'There is no such newsletter.' });
  }
  const which = newsletter || 'all';
  await inTransaction(store.db, request.audit('audience.export', `newsletter/${which}`));
  const onEnd = (rows: number, isComplete: boolean): Promise<void> =>
    inTransaction(store.db, request.audit('audience.export-end', `newsletter/${which}`, { rows, isComplete }));
  const parts = exportSubscribers(store.reports, newsletter === '' ? undefined : newsletter);
  const name = `subscribers-${which}-${localDate(at, config.publication.zone)}.csv`;
  return c.body(streamLines(parts, onEnd), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}"`,
  });
}

/**
 * A stream of a file whose first line is a header, at the speed of its reader.
 * @param onEnd gets the number of other lines that were read, once
 */
export function streamLines(
  parts: AsyncGenerator<string>,
  onEnd: (lines: number, isComplete: boolean) => Promise<void>,
): ReadableStream<Uint8Array> {
  let [lines, isComplete] = [-1, false];
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const part of parts) {
        lines += part.split('\n').length - 1;
        yield Buffer.from(part);
      }
      isComplete = true;
    } finally {
      await onEnd(Math.max(0, lines), isComplete);
    }
  }
  return ReadableStream.from(counted()) as unknown as ReadableStream<Uint8Array>;
}

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
<form class="narrow" method="post" action="${base}/audience/${id}/erase" novalidate>${passwordField()}
<div class="buttons">${submitButton('Delete all data', { danger: true, id: 'erase' })}
<a class="button" href="${base}/audience/${id}">Keep it</a></div></form>`;
    return respondPage(request, { title: 'Delete all data?', section: 'audience', body });
  });
}

export function respondErasure(request: SignedInRequest): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { store, keys } = request.desk.app;
    const audit = request.audit('subscriber.erase', subscriberSubject(subscriber.id));
    const isErased = await eraseSubscriber(store.db, await keys.signingSecrets(), subscriber.id, request.at, audit);
    if (!isErased) return respondGone(request);
    return respondAfter(request, '/audience', {
      kind: 'done',
      text: `All data of subscriber ${subscriber.id} is deleted.`,
    });
  });
}

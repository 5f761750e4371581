/**
 * The ledger of one subscriber: what was agreed to, what was mailed, and what came of it. The title of the page is the
 * subscriber's number: browsers keep titles.
 */
import { html } from 'hono/html';
import { parseAddress } from '../../lib/address.ts';
import { DAY, localDate } from '../../lib/time.ts';
import type { DeskRequest, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { errorSummary, passwordField, postButton, submitButton, textField } from '../../web/desk/parts/form.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { type StatusKind, statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { type SubscriberHistory, subscriberHistory } from '../history.ts';
import type { Subscriber } from '../subscriptions.ts';
import { findSuppression } from '../suppression.ts';
import { mailState } from './overview-page.ts';
import {
  addressHtml,
  CHANNELS,
  changeWords,
  choiceWords,
  copyWords,
  newsletterName,
  REASONS,
  reasonField,
  STATE_MARKS,
  shownText,
  withSubscriberById,
} from './subscriber-of.ts';

/** Entries of each list; the export has all. */
const SHOWN = 50;

/** What was wrong with a form of the page. */
export interface LedgerErrors {
  pause?: string;
  lift?: string;
}

export function respondLedger(request: SignedInRequest, errors: LedgerErrors = {}): Promise<Response> {
  return withSubscriberById(request, async (subscriber) => {
    const { email } = subscriber;
    const history = await subscriberHistory(request.desk.app.store.db, subscriber.id, SHOWN);
    const body = html`${await factsRegion(request, subscriber)}
${subscriptionsRegion(request, subscriber)}
${request.may('audience.change') ? actsRegion(request, subscriber, errors) : ''}
${consentRegion(request, email, history.consent)}
${deliveriesRegion(request, email, history.deliveries)}
${bouncesRegion(request, email, history.bounces)}
${messagesRegion(request, email, history.serviceMessages)}`;
    return respondPage(request, {
      title: `Subscriber ${subscriber.id}`,
      heading: html`<h1>${addressHtml(request, email)}</h1>`,
      section: 'audience',
      body,
      status: Object.keys(errors).length === 0 ? 200 : 422,
    });
  });
}

async function factsRegion(request: DeskRequest, subscriber: Subscriber): Promise<Html> {
  const { email, zone, createdAt, suppressedReason } = subscriber;
  const { store, keys } = request.desk.app;
  const address = parseAddress(email);
  const suppression =
    suppressedReason === null || address.kind === 'invalid'
      ? null
      : await findSuppression(store.db, await keys.signingSecrets(), address.key);
  const since = suppression === null ? '' : html`, since ${when(request, suppression.at)}`;
  return html`<section id="facts" data-region><dl class="pairs">
<dt>Mail</dt><dd>${mailState(request, subscriber)}${since}</dd>
<dt>Stored since</dt><dd>${when(request, createdAt)}</dd>
<dt>Time zone</dt><dd>${zone ?? 'that of the publication'}</dd></dl></section>`;
}

function subscriptionsRegion(request: DeskRequest, { id, subscriptions }: Subscriber): Html {
  const mayChange = request.may('audience.change');
  const rows = subscriptions.map(({ newsletter, state, changedAt, choice, feedSince }) => {
    const name = newsletterName(request, newsletter);
    const feed = feedSince === null ? '' : html`, private feed since ${when(request, feedSince)}`;
    const hint = choice === null && feed === '' ? '' : html`<p class="hint">${choiceWords(choice)}${feed}</p>`;
    const what = html`${name}${hint}`;
    const end = postButton(request, `/audience/${id}/unsubscribe`, 'Unsubscribe', {
      ...{ fields: { newsletter }, id: `unsubscribe-${newsletter}`, name: `Unsubscribe from ${name}`, danger: true },
    });
    const act = state === 'unsubscribed' ? '' : end;
    return {
      cells: [what, statusMark(STATE_MARKS[state], state), when(request, changedAt), ...(mayChange ? [act] : [])],
    };
  });
  const open = subscriptions.filter(({ state }) => state !== 'unsubscribed');
  const all = postButton(request, `/audience/${id}/unsubscribe`, 'Unsubscribe from all', {
    ...{ id: 'unsubscribe-all', danger: true },
  });
  return html`<section id="subscriptions" data-region><h2>Subscriptions</h2>
${
  rows.length === 0
    ? html`<p class="empty">None: this person gets no newsletter. A sign-up or an import adds one.</p>`
    : rowTable('Subscriptions', ['Newsletter', 'State', 'Since', ...(mayChange ? ['Acts'] : [])], rows)
}${mayChange && open.length > 1 ? html`<p>${all}</p>` : ''}</section>`;
}

function actsRegion(request: DeskRequest, subscriber: Subscriber, errors: LedgerErrors): Html {
  const { id, suppressedReason, subscriptions } = subscriber;
  const isOpen = subscriptions.some(({ state }) => state === 'unconfirmed');
  const button = (act: string, label: string) => postButton(request, `/audience/${id}/${act}`, label, { id: act });
  return html`<section id="acts" data-region><h2>Acts</h2>
<div class="buttons">${isOpen ? button('confirmation', 'Send the confirmation again') : ''}
${button('preferences-link', 'Send a link to the preferences')}
${suppressedReason === 'operator' ? '' : button('suppress', 'Suppress')}
<a class="button danger" href="${request.desk.base}/audience/${id}/erase">Delete all data …</a></div>
${pauseForm(request, subscriber, errors.pause)}
${suppressedReason === null ? '' : liftForm(request, subscriber, errors.lift)}
<details id="export"><summary>Export all data of this person</summary>
<form class="narrow" method="post" action="${request.desk.base}/audience/${id}/export" data-plain novalidate>
<p>A JSON file with everything that is stored, for the person. The export is recorded in the ledger.</p>
${passwordField()}${submitButton('Download', { id: 'download' })}</form></details></section>`;
}

function pauseForm(request: DeskRequest, { id, pausedUntil }: Subscriber, error: string | undefined): Html {
  const { zone } = request.desk.app.config.publication;
  if (pausedUntil !== null && pausedUntil > request.at) {
    return html`<p>${postButton(request, `/audience/${id}/resume`, 'End the pause', { id: 'resume' })}</p>`;
  }
  const tomorrow = localDate(request.at + DAY, zone);
  return html`<form class="filters" id="pause-form" method="post" action="${request.desk.base}/audience/${id}/pause"
novalidate>${errorSummary({ until: error })}
${textField({
  ...{ name: 'until', label: 'Pause until', type: 'date', required: true, error },
  value: error === undefined ? '' : (request.form.get('until') ?? '').slice(0, 20),
  hint: `From ${tomorrow} on; mail resumes at the beginning of that day.`,
})}${submitButton('Pause', { id: 'pause' })}</form>`;
}

function liftForm(request: DeskRequest, { id, suppressedReason }: Subscriber, error: string | undefined): Html {
  const why = suppressedReason === null ? '' : REASONS[suppressedReason];
  return html`<form class="narrow" id="lift-form" method="post" action="${request.desk.base}/audience/${id}/lift"
novalidate>${errorSummary({ reason: error })}
<p>Suppressed: ${why}. Lift it only if the person wants mail again, or the mailbox works again.</p>
${reasonField(request, error)}${submitButton('Lift the suppression', { id: 'lift' })}</form>`;
}

function consentRegion(request: DeskRequest, email: string, consent: SubscriberHistory['consent']): Html {
  const rows = consent.map((event) => {
    const name = event.newsletter === null ? 'all newsletters' : newsletterName(request, event.newsletter);
    const wording =
      event.consentVersion === null
        ? ''
        : html`<details><summary>Wording ${event.consentVersion}</summary>
<blockquote dir="auto">${event.consentText}</blockquote></details>`;
    const change = html`${shownText(request, changeWords(event, name), email)}${wording}`;
    const source = words(shownText(request, event.source, email));
    return { cells: [instant(request, event.at), change, CHANNELS[event.channel], source] };
  });
  return list('consent', 'Consent', rows, ['When', 'What', 'How', 'From'], 'No change of consent is recorded.');
}

const DELIVERY_MARKS: Record<SubscriberHistory['deliveries'][number]['state'], StatusKind> = {
  pending: 'waiting',
  submitting: 'busy',
  submitted: 'good',
  failed: 'bad',
  suppressed: 'off',
};

function deliveriesRegion(request: DeskRequest, email: string, deliveries: SubscriberHistory['deliveries']): Html {
  const rows = deliveries.map((one) => {
    const revision = one.revision === 1 ? '' : `, revision ${one.revision}`;
    const delivered = one.deliveredAt === null ? '' : html`, delivered ${when(request, one.deliveredAt)}`;
    const links = one.copy?.stories.map((id) => html` <a href="${request.desk.base}/articles/${id}">${id}</a>`);
    const copy = one.copy && html`<details><summary>${copyWords(one.copy)}</summary>${links}</details>`;
    return {
      cells: [
        instant(request, one.changedAt),
        html`${newsletterName(request, one.newsletter)} ${one.slot}${revision}${copy ?? ''}`,
        html`${statusMark(DELIVERY_MARKS[one.state], one.state)}${delivered}`,
        words(shownText(request, one.reply ?? one.reason, email)),
      ],
    };
  });
  const columns = ['When', 'Edition', 'State', 'Reply of the server, or reason'];
  const note = html`<p class="hint">Submitted: the mail server has accepted it. Whether it was read is not known.</p>`;
  const empty = 'No edition was mailed, or it is longer ago than is kept.';
  return list('deliveries', 'Editions', rows, columns, empty, note);
}

function bouncesRegion(request: DeskRequest, email: string, bounces: SubscriberHistory['bounces']): Html {
  const rows = bounces.map((one) => {
    const edition = one.newsletter === null ? 'a service message' : newsletterName(request, one.newsletter);
    const what = `${one.kind === 'complaint' ? 'complaint' : `${one.kind} bounce`} ${one.status ?? ''}`;
    const detail = words(shownText(request, one.detail, email));
    return { cells: [instant(request, one.at), what, `${edition} ${one.slot ?? ''}`, detail] };
  });
  const columns = ['When', 'What', 'Of', 'Words of the server'];
  return list('bounces', 'Bounces and complaints', rows, columns, 'None: no mail came back.');
}

const KINDS: Record<SubscriberHistory['serviceMessages'][number]['kind'], string> = {
  confirm: 'request to confirm',
  already: 'already subscribed',
  preferences: 'link to the preferences',
  export: 'link to the data export',
  erase: 'link to the deletion of data',
};

function messagesRegion(request: DeskRequest, email: string, messages: SubscriberHistory['serviceMessages']): Html {
  const rows = messages.map((one) => {
    const used = one.usedAt === null ? '' : html`, used ${when(request, one.usedAt)}`;
    return {
      cells: [
        instant(request, one.createdAt),
        KINDS[one.kind],
        html`${statusMark(DELIVERY_MARKS[one.state], one.state)}${used}`,
        words(shownText(request, one.reply ?? one.reason, email)),
      ],
    };
  });
  const columns = ['Requested', 'What', 'State', 'Reply of the server, or reason'];
  return list('messages', 'Service messages', rows, columns, 'None. The buttons above send one.');
}

/** A region with a table, newest first. */
function list(
  id: string,
  title: string,
  rows: TableRow[],
  columns: string[],
  empty: string,
  note: Html = html``,
): Html {
  const more =
    rows.length < SHOWN ? '' : html`<p class="hint">The newest ${SHOWN}. The export of the person's data has all.</p>`;
  const content =
    rows.length === 0 ? html`<p class="empty">${empty}</p>` : html`${rowTable(title, columns, rows)}${note}`;
  return html`<section id="${id}" data-region><h2>${title}</h2>${content}${more}</section>`;
}

/** When something happened, which names its row. */
function instant(request: DeskRequest, at: number): Html {
  return html`<span class="nowrap">${when(request, at)}</span>`;
}

/** The words of a server or another program. */
function words(text: string): Html | '' {
  return text === '' ? '' : html`<span class="break" dir="auto">${text}</span>`;
}

/**
 * The result of a search, in response to its form.
 */
import { html } from 'hono/html';
import type { DeskRequest, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { parseSearch, searchSubscribers } from '../search/search.ts';
import type { Subscriber } from '../subscriptions.ts';
import { nextPageForm, searchForm } from './overview-page.ts';
import { addressHtml, newsletterName } from './subscriber-of.ts';
import { REASONS, STATE_MARKS } from './words.ts';

const PAGE = 50;

export async function respondSearch(request: SignedInRequest): Promise<Response> {
  const typed = (request.form.get('address') ?? '').slice(0, 1_000);
  const search = parseSearch(typed, request.may('audience.addresses'));
  if (search.kind === 'invalid') {
    const body = searchForm(request, typed, `Not searched: ${search.reason}.`);
    return respondPage(request, { title: 'Audience', section: 'audience', body, status: 422 });
  }
  const given = Number(request.form.get('after') ?? Number.NaN);
  const after = Number.isSafeInteger(given) ? given : null;
  const { subscribers, next } = await searchSubscribers(request.desk.app.store.db, search, { after, limit: PAGE });
  const isEmpty = subscribers.length === 0;
  const found = isEmpty
    ? html`<p class="empty">${emptyText(request, search.kind, after)}</p>`
    : results(request, subscribers);
  const body = html`${searchForm(request, typed)}
${found}
${next === null ? '' : nextPageForm(request, typed, next)}`;
  return respondPage(request, {
    title: isEmpty ? 'No subscriber found' : 'Found subscribers',
    section: 'audience',
    body,
  });
}

function emptyText(request: SignedInRequest, kind: 'address' | 'prefix', after: number | null): Html {
  if (after !== null) return html`There are no more.`;
  const who = kind === 'address' ? 'No subscriber has this address.' : 'No address of a subscriber begins with this.';
  return html`${who} An address that was deleted may be on the
<a href="${request.desk.base}/audience/suppressions">list of suppressions</a>.`;
}

function results(request: DeskRequest, subscribers: readonly Subscriber[]): Html {
  const columns = ['Address', 'Newsletters', 'Mail', 'Stored since'].map((label) => ({ label }));
  const rows = subscribers.map((subscriber) => row(request, subscriber));
  return html`<section id="found">${rowTable('Found subscribers', columns, rows)}</section>`;
}

function row(request: DeskRequest, subscriber: Subscriber): TableRow {
  const { id, email, subscriptions, createdAt } = subscriber;
  const states = subscriptions.map(
    ({ newsletter, state }) =>
      html`<div>${newsletterName(request, newsletter)} ${statusMark(STATE_MARKS[state], state)}</div>`,
  );
  const link = html`<a href="${request.desk.base}/audience/${id}">${addressHtml(request, email)}</a>`;
  const newsletters = states.length === 0 ? 'none' : html`${states}`;
  return { cells: [link, newsletters, mailState(request, subscriber), when(request, createdAt)] };
}

/** Why a subscriber gets no mail, whatever the subscriptions. */
export function mailState(request: DeskRequest, subscriber: Subscriber): Html {
  const { suppressedReason, pausedUntil, subscriptions } = subscriber;
  if (suppressedReason !== null) return html`${statusMark('bad', 'suppressed')}: ${REASONS[suppressedReason]}`;
  if (pausedUntil !== null && pausedUntil > request.at) {
    return html`${statusMark('waiting', 'paused')} until ${when(request, pausedUntil)}`;
  }
  const isMailed = subscriptions.some(({ state }) => state === 'confirmed');
  return isMailed ? statusMark('good', 'mailed') : statusMark('off', 'no confirmed subscription');
}

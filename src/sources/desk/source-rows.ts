/** The tables of sources: how each was polled, and the acts on it. */
import { html } from 'hono/html';
import { formatCount } from '../../lib/text/count.ts';
import { findSameBrands } from '../../outlets/brands.ts';
import { siblingsOf } from '../../own-sites/shared-items.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { postButton } from '../../web/desk/parts/form.ts';
import { operatorText, sentence } from '../../web/desk/parts/operator-text.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { type StatusKind, statusMark } from '../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import { apiName } from '../source-state.ts';
import type { SourceState, SourceStatus } from '../source-status.ts';

/** Items are counted up to this number: more count as this many. */
export const COUNTED_ITEMS = 1_000;

/** The mark of a state, its word, and its meaning as a sentence; null where the word says it. */
export const SOURCE_MARKS: Record<SourceState, [kind: StatusKind, word: string, meaning: string | null]> = {
  read: ['good', 'read', null],
  new: ['off', 'not polled yet', null],
  paused: ['off', 'paused', 'It is not polled.'],
  moved: ['good', 'moved', 'It is read at its new address.'],
  dormant: ['off', 'dormant', 'It has had no news for 30 days, and is polled once a day.'],
  waiting: ['waiting', 'asked to wait', 'Its server asked not to be called so often.'],
  held: ['waiting', 'held', 'So many items are new that somebody must look at them first.'],
  blocked: ['bad', 'blocked', 'Its server does not let daywire in: ask the outlet to. It is tried once a day.'],
  failing: ['bad', 'failing', 'It is tried again after longer and longer pauses.'],
  gone: ['bad', 'gone', 'It is no longer polled. Resume it if the feed is back.'],
};

export function sourcesTable(
  request: SignedInRequest,
  titleId: string,
  label: string,
  sources: readonly SourceStatus[],
): Html {
  const columns = [
    ...[{ label }, { label: 'State' }, { label: 'Last poll' }, { label: 'Next poll' }],
    ...[{ label: 'New in 24 h', isNumber: true }, { label: 'Acts' }],
  ];
  const brands = findSameBrands(sources);
  const rows = sources.map((source) => sourceRow(request, source, brands.get(source.id)));
  return rowTable({ titleId }, columns, rows);
}

function sourceRow(request: SignedInRequest, source: SourceStatus, brand: string | undefined): TableRow {
  const { id, url, outlet, api, endpoint, movedTo, waiting, held } = source;
  const found = api === null ? 'not found yet' : `${apiName(api)} at ${endpoint}`;
  const siblings = outlet === null ? siblingsOf(request.desk.app.config, source).join(', ') : '';
  const shared = siblings && html`<p class="meaning">One site with ${siblings}: what several have is one article.</p>`;
  const name =
    outlet === null
      ? html`${id}<br>${address(url)}<br><span class="meaning">${found}</span>${shared}`
      : html`${outlet}<br><code>${id}</code> ${address(url)}${
          brand === undefined ? '' : html`<p class="meaning">${sentence(brand)}</p>`
        }`;
  const moving = movedTo === null ? '' : html`<p class="meaning">Permanent redirects lead to ${movedTo}.</p>`;
  const gone = waiting > 0 ? withdrawnPart(request, source) : '';
  const undecided = held === 0 ? gone : html`${heldPart(request, source)}${gone}`;
  return {
    id: `source-${id}`,
    cells: [name, html`${stateCell(request, source)}${moving}${undecided}`, ...pollCells(request, source)],
  };
}

function address(url: string): Html {
  return html`<a href="${url}" rel="noreferrer">${url.replace(/^https?:\/\//, '')}</a>`;
}

function stateCell(request: SignedInRequest, status: SourceStatus): Html {
  const { use, state, reason, failures, failingSince, isRepaired, pausedAt } = status;
  const [kind, word, ofAll] = SOURCE_MARKS[state];
  const meaning = use === 'articles' && state === 'failing' ? 'Its articles stay as they are.' : ofAll;
  const isFailing = failingSince !== null && pausedAt === null;
  const times = failures === 1 ? '1 poll has failed' : `${formatCount(failures)} polls have failed in a row`;
  return html`${statusMark(kind, word)}${isFailing ? html` since ${when(request, failingSince)}` : ''}${
    reason === null ? '' : html`<p>${sentence(operatorText(request, reason))}</p>`
  }${isFailing ? html`<p class="meaning">${times}.</p>` : ''}${
    meaning === null ? '' : html`<p class="meaning">${meaning}</p>`
  }${isRepaired ? html`<p class="meaning">Its feed is not well-formed, and is read all the same.</p>` : ''}`;
}

function pollCells(request: SignedInRequest, status: SourceStatus): TableRow['cells'] {
  const { polledAt, succeededAt, nextAt, lastDay } = status;
  const lastRead = succeededAt === null ? 'never read' : html`read ${fromNow(request, succeededAt)}`;
  const hasFailed = polledAt !== null && status.failures > 0;
  return [
    html`${polledAt === null ? 'never' : fromNow(request, polledAt)}${
      hasFailed ? html`<p class="meaning">${lastRead}</p>` : ''
    }`,
    nextAt === null ? 'not planned' : nextAt <= request.at ? 'now' : fromNow(request, nextAt),
    countText(lastDay),
    request.may('deliveries.control') ? pollButtons(request, status) : '',
  ];
}

function countText(count: number): string {
  return count < COUNTED_ITEMS ? formatCount(count) : `${formatCount(COUNTED_ITEMS)} or more`;
}

function pollButtons(request: SignedInRequest, status: SourceStatus): Html {
  const { id, state } = status;
  const isStopped = state === 'paused' || state === 'gone';
  // Resume has the id of Pause, and so the focus after it.
  const button = (act: string, label: string, key = act): Html =>
    postButton(request, `/sources/${id}/${act}`, label, { id: `${key}-${id}`, name: `${label}: ${id}` });
  const resume = button('resume', 'Resume', 'pause');
  return isStopped ? resume : html`${button('poll', 'Poll now')} ${button('pause', 'Pause')}`;
}

function heldPart(request: SignedInRequest, { id, use, held }: SourceStatus): Html {
  const items = held === 1 ? '1 item waits' : `${countText(held)} items wait`;
  const accepted = use === 'roundup' ? 'shown in the roundup, as far as they are of its window' : 'imported';
  return html`<p><strong>${items} for a decision.</strong></p>${
    request.may('deliveries.control')
      ? html`<p>${postButton(request, `/sources/${id}/accept`, 'Accept', {
          ...{ id: `accept-${id}`, name: `Accept the held items of ${id}` },
        })} ${postButton(request, `/sources/${id}/ignore`, 'Ignore for good', {
          ...{ danger: true, id: `ignore-${id}`, name: `Ignore for good the held items of ${id}` },
        })}</p>
<p class="meaning">Accepted ones are ${accepted}. Ignored ones never are.</p>`
      : ''
  }`;
}

function withdrawnPart(request: SignedInRequest, { id, waiting }: SourceStatus): Html {
  const posts = waiting === 1 ? '1 post is' : `${countText(waiting)} posts are`;
  return html`<p><strong>${posts} gone from the site.</strong> The articles stay until you decide.</p>${
    request.may('drafts.edit')
      ? html`<p>${postButton(request, `/sources/${id}/keep`, 'Keep the articles', { id: `keep-${id}` })}</p>
<details><summary class="danger">Retract the articles</summary>
<p>This retracts the ${waiting === 1 ? 'article' : `${countText(waiting)} articles`} for good: feeds and pages show
that they were withdrawn.</p>
${postButton(request, `/sources/${id}/retract`, 'Retract', { id: `retract-${id}`, danger: true })}</details>`
      : ''
  }`;
}

/** The tables of sources: how each was polled, and the acts on it. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { formatCount } from '../../web/desk/parts/figure.ts';
import { postButton } from '../../web/desk/parts/form.ts';
import { operatorText, sentence } from '../../web/desk/parts/operator-text.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { statusMark } from '../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import { apiName } from '../source-state.ts';
import { COUNTED_ITEMS, type OutletHealth, type PollHealth, type SiteHealth } from './source-health.ts';
import { outletState, type SourceState, siteState } from './source-states.ts';

export function sitesTable(request: SignedInRequest, sites: readonly SiteHealth[]): Html {
  return table(
    'sites-title',
    'Site',
    sites.map((site) => siteRow(request, site)),
  );
}

export function outletsTable(request: SignedInRequest, outlets: readonly OutletHealth[]): Html {
  return table(
    'outlets-title',
    'Outlet',
    outlets.map((outlet) => outletRow(request, outlet)),
  );
}

function table(titleId: string, what: string, rows: TableRow[]): Html {
  const columns = [
    ...[{ label: what }, { label: 'State' }, { label: 'Last poll' }, { label: 'Next poll' }],
    ...[{ label: 'New in 24 h', isNumber: true }, { label: 'Acts' }],
  ];
  return rowTable({ titleId }, columns, rows);
}

function siteRow(request: SignedInRequest, site: SiteHealth): TableRow {
  const { source, api, endpoint, withdrawn, problem } = site;
  const found = api === null ? 'not found yet' : `${apiName(api)} at ${endpoint}`;
  const waiting = withdrawn === 0 ? '' : withdrawnPart(request, site);
  return {
    id: `source-${source.id}`,
    cells: [
      html`${source.id}<br>${address(source.url)}<br><span class="meaning">${found}</span>`,
      html`${stateCell(request, siteState(site), site, problem)}${waiting}`,
      ...pollCells(request, site),
    ],
  };
}

function outletRow(request: SignedInRequest, outlet: OutletHealth): TableRow {
  const { source, movedTo, held, reason } = outlet;
  const moving = movedTo === null ? '' : html`<p class="meaning">Permanent redirects lead to ${movedTo}.</p>`;
  return {
    id: `source-${source.id}`,
    cells: [
      html`${source.outlet}<br><code>${source.id}</code> ${address(source.url)}`,
      html`${stateCell(request, outletState(outlet), outlet, reason)}${moving}${
        held === 0 ? '' : heldPart(request, outlet)
      }`,
      ...pollCells(request, outlet),
    ],
  };
}

function address(url: string): Html {
  return html`<a href="${url}" rel="noreferrer">${url.replace(/^https?:\/\//, '')}</a>`;
}

function stateCell(
  request: SignedInRequest,
  { kind, word, meaning }: SourceState,
  { failures, failingSince, isRepaired, pausedAt }: PollHealth,
  reason: string | null,
): Html {
  const isFailing = failingSince !== null && pausedAt === null;
  const times = failures === 1 ? '1 poll has failed' : `${formatCount(failures)} polls have failed in a row`;
  return html`${statusMark(kind, word)}${isFailing ? html` since ${when(request, failingSince)}` : ''}${
    reason === null ? '' : html`<p>${sentence(operatorText(request, reason))}</p>`
  }${isFailing ? html`<p class="meaning">${times}.</p>` : ''}${
    meaning === null ? '' : html`<p class="meaning">${meaning}</p>`
  }${isRepaired ? html`<p class="meaning">Its feed is not well-formed, and is read all the same.</p>` : ''}`;
}

function pollCells(request: SignedInRequest, health: SiteHealth | OutletHealth): TableRow['cells'] {
  const { polledAt, succeededAt, nextAt, lastDay } = health;
  const lastRead = succeededAt === null ? 'never read' : html`read ${fromNow(request, succeededAt)}`;
  const hasFailed = polledAt !== null && health.failures > 0;
  return [
    html`${polledAt === null ? 'never' : fromNow(request, polledAt)}${
      hasFailed ? html`<p class="meaning">${lastRead}</p>` : ''
    }`,
    nextAt === null ? 'not planned' : nextAt <= request.at ? 'now' : fromNow(request, nextAt),
    countText(lastDay),
    request.may('deliveries.control') ? pollButtons(request, health) : '',
  ];
}

function countText(count: number): string {
  return count < COUNTED_ITEMS ? formatCount(count) : `${formatCount(COUNTED_ITEMS)} or more`;
}

function pollButtons(request: SignedInRequest, health: SiteHealth | OutletHealth): Html {
  const { id } = health.source;
  const isStopped = health.pausedAt !== null || ('state' in health && health.state === 'gone');
  const button = (act: string, label: string): Html =>
    postButton(request, `/sources/${id}/${act}`, label, { id: `${act}-${id}`, name: `${label}: ${id}` });
  return isStopped ? button('resume', 'Resume') : html`${button('poll', 'Poll now')} ${button('pause', 'Pause')}`;
}

function heldPart(request: SignedInRequest, { source: { id }, held }: OutletHealth): Html {
  const items = held === 1 ? '1 item waits' : `${countText(held)} items wait`;
  return html`<p><strong>${items} for a decision.</strong></p>${
    request.may('deliveries.control')
      ? html`<p>${postButton(request, `/sources/${id}/accept`, 'Accept', {
          ...{ id: `accept-${id}`, name: `Accept the held items of ${id}` },
        })} ${postButton(request, `/sources/${id}/ignore`, 'Ignore for good', {
          ...{ id: `ignore-${id}`, name: `Ignore for good the held items of ${id}` },
        })}</p>
<p class="meaning">Accepted ones are shown in the roundup, as far as they are of its window. Ignored ones never
are.</p>`
      : ''
  }`;
}

function withdrawnPart(request: SignedInRequest, { source: { id }, withdrawn }: SiteHealth): Html {
  const posts = withdrawn === 1 ? '1 post is' : `${countText(withdrawn)} posts are`;
  return html`<p><strong>${posts} gone from the site.</strong> The articles stay until you decide.</p>${
    request.may('drafts.edit')
      ? html`<p>${postButton(request, `/sources/${id}/keep`, 'Keep the articles', { id: `keep-${id}` })}</p>
<details><summary>Retract the articles</summary>
<p>This retracts the ${withdrawn === 1 ? 'article' : `${countText(withdrawn)} articles`} for good: feeds and pages show
that they were withdrawn.</p>
${postButton(request, `/sources/${id}/retract`, 'Retract', { id: `retract-${id}`, danger: true })}</details>`
      : ''
  }`;
}

/** The parts of Today. */
import { html } from 'hono/html';
import { withDeskWords } from '../../../core/actions.ts';
import { RELEASE_QUEUE } from '../../../delivery/alerts.ts';
import { deliveryPath, type EditionDelivery, liveFigures } from '../../../delivery/desk/deliveries/delivery-parts.ts';
import {
  deliveryStateMark,
  editionDeskPath,
  mailedName,
  newsletterTitle,
  outcomeText,
} from '../../../delivery/desk/editions/edition-names.ts';
import { fullEditionName } from '../../../editions/queries.ts';
import type { EditionSlot } from '../../../editions/slot.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { operatorText } from '../../../web/desk/parts/operator-text.ts';
import { rowTable, type TableRow } from '../../../web/desk/parts/row-table.ts';
import { statusMark } from '../../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import { runMark, scheduleName } from '../runs/run-states.ts';
import { draftRow } from './draft-row.ts';
import { adviceFor, findNeeds, missingRoles, type NextEdition, nextEdition } from './needs.ts';
import type { Today, TodayNewsletter } from './read-today.ts';

/** One line that tells whether all is well. */
export function glanceSection(request: SignedInRequest, today: Today): Html {
  const needs = findNeeds(today, request.at);
  const next = nextEdition(today, request.at);
  const upcoming = next === null ? html`No edition is to come.` : upcomingText(request, next);
  if (needs.length === 0) {
    return html`<p class="lead">${statusMark('good', 'All is well.')} ${upcoming}</p>`;
  }
  const count = needs.length === 1 ? 'One thing needs you.' : `${needs.length} things need you.`;
  return html`<p class="lead">${statusMark('bad', count)} ${upcoming}</p>
<ul class="problems">${needs.map(
    ({ text, anchor }) => html`<li class="bad"><a href="${anchor}"><span dir="auto">${text}</span></a></li>`,
  )}</ul>`;
}

function upcomingText(request: SignedInRequest, { title, slotAt, closeAt }: NextEdition): Html {
  return closeAt === null
    ? html`Next is <strong>${title}</strong>, ${when(request, slotAt)}, ${fromNow(request, slotAt)}.`
    : html`<strong>${title}</strong> is being sent: it closes ${fromNow(request, closeAt)}.`;
}

/** A table of all newsletters: another one than the first is not hidden. */
export function draftsSection(request: SignedInRequest, newsletters: readonly TodayNewsletter[]): Html {
  if (newsletters.length === 0) {
    return html`<p class="soft">No newsletter is configured: see "newsletters" in the configuration.</p>`;
  }
  const rows = newsletters.flatMap((one) => newsletterRows(request, one));
  return rowTable({ titleId: 'drafts-title' }, ['Edition', 'Draft', 'Stories', 'Checks'], rows);
}

function newsletterRows(request: SignedInRequest, { newsletter, drafts, later }: TodayNewsletter): TableRow[] {
  const { id, title, kind } = newsletter;
  if (drafts.length === 0) {
    const none = kind === 'alert' ? 'No alert is open.' : 'Its schedule has no slot to come.';
    return [{ cells: [title, none, '', ''] }];
  }
  const following =
    later.length === 0 ? html`` : html`<span class="meaning">then ${laterSlots(request, id, later)}</span>`;
  return drafts.map((draft, index) => draftRow(request, draft, index === drafts.length - 1 ? following : html``));
}

function laterSlots(request: SignedInRequest, newsletter: string, slots: readonly EditionSlot[]): Html[] {
  return slots.map(({ label, slotAt }, index) => {
    const text = when(request, slotAt);
    const path = `${request.desk.base}/editions/${newsletter}/${label}/draft`;
    const slot = request.may('editions.read') ? html`<a href="${path}">${text}</a>` : text;
    return html`${index === 0 ? '' : ' and '}${slot}`;
  });
}

export function sendsSection(request: SignedInRequest, { sends, heldDelivery }: Today): Html {
  const held =
    heldDelivery === null
      ? ''
      : html`<p>${statusMark('bad', 'Nothing is submitted.')} ${operatorText(
          request,
          withDeskWords(`The queue is held, ${heldDelivery}`, [RELEASE_QUEUE]),
        )}.</p>`;
  if (sends.length === 0) return html`${held}<p class="soft">No edition is being sent. Open one above to send it.</p>`;
  return html`${held}${sends.map((send) => sendPart(request, send))}`;
}

function sendPart(request: SignedInRequest, send: EditionDelivery): Html {
  const { edition, state, reason } = send;
  const title = html`${fullEditionName(edition)}`;
  const path = request.desk.base + deliveryPath(edition.id);
  return html`<h3>${request.may('deliveries.read') ? html`<a href="${path}">${title}</a>` : title}</h3>
<p>${deliveryStateMark(state)} <span dir="auto">${mailedName(edition)}</span>, closed
${when(request, edition.closedAt)}${reason === null ? '' : html`: <bdi>${operatorText(request, reason)}</bdi>`}</p>
${liveFigures(send)}`;
}

export function alertsSection(request: SignedInRequest, { alerts }: Today): Html {
  if (alerts.length === 0) return html`<p class="soft">No alert is open: nothing to do.</p>`;
  return html`<ul class="rows">${alerts.map((alert) => {
    const { title, hint, link } = adviceFor(alert);
    const { firstAt, count } = alert;
    const text = withDeskWords(alert.message, alert.actions);
    return html`<li><p>${statusMark('bad', title)} since ${when(request, firstAt)}${
      count > 1 ? html`, ${count} times` : ''
    }</p>
<p dir="auto">${operatorText(request, text)}</p>${hint === null ? '' : html`<p class="meaning">${hint}</p>`}${
      link === null || !request.may(link.needs)
        ? ''
        : html`<p><a href="${request.desk.base}${link.path}">${link.label}</a></p>`
    }</li>`;
  })}</ul>`;
}

/** Slots that no process has taken, and runs of the last day that were late, skipped or failed. */
export function missedSection(request: SignedInRequest, { overdue, troubled }: Today): Html {
  if (overdue.length + troubled.length === 0) {
    return html`<p class="soft">Nothing was late, skipped or failed in the last day.</p>`;
  }
  const { config } = request.desk.app;
  const rows = [
    ...overdue.map(({ schedule, slotAt, count }) => ({
      cells: [
        when(request, slotAt),
        scheduleName(config, schedule),
        statusMark('bad', 'not taken'),
        `${count > 1 ? `${count} slots have come` : 'The slot has come'}, and no process has run it.`,
      ],
    })),
    ...troubled.map((run) => ({
      cells: [
        when(request, run.slotAt),
        scheduleName(config, run.schedule),
        runMark(run),
        run.reason === null ? '' : operatorText(request, run.reason),
      ],
    })),
  ];
  return html`${rowTable({ titleId: 'missed-title' }, ['Slot', 'Schedule', 'State', 'Reason'], rows)}
${request.may('editions.read') ? html`<p><a href="${request.desk.base}/runs">All runs</a></p>` : ''}`;
}

export function processesSection(request: SignedInRequest, { processes }: Today): Html {
  const missing = missingRoles(processes).map((text) => html`<p>${statusMark('bad', `${text}.`)}</p>`);
  if (processes.length === 0) return html`${missing}`;
  const rows = processes.map(({ host, pid, roles, version, startedAt, seenAt, isRunning }) => {
    const state = isRunning
      ? html`${statusMark('good', 'runs')} since ${when(request, startedAt)}`
      : html`${statusMark('off', 'ended')} last seen ${fromNow(request, seenAt)}`;
    return { cells: [`${host}, process ${pid}`, state, roles.join(', '), version] };
  });
  return html`${missing}${rowTable({ titleId: 'processes-title' }, ['Process', 'State', 'Roles', 'Version'], rows)}`;
}

export function lastEditionsSection(request: SignedInRequest, editions: Today['lastEditions']): Html {
  if (editions.length === 0)
    return html`<p class="soft">No edition has closed yet. The first one is listed here when its slot has come.</p>`;
  return html`<ul class="rows">${editions.map(({ edition, state, counts }) => {
    const { desk } = request;
    const title = newsletterTitle(desk, edition.newsletter);
    const path = desk.base + editionDeskPath(edition);
    const name = request.may('editions.read') ? html`<a href="${path}">${title}</a>` : title;
    return html`<li>${name}, closed ${when(request, edition.closedAt)}: ${deliveryStateMark(state)},
${outcomeText(counts)}.</li>`;
  })}</ul>`;
}

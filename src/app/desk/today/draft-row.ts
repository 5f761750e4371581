/** The state of a draft, in words and with a mark. */
import { html } from 'hono/html';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { formatCount } from '../../../web/desk/parts/figure.ts';
import { postButton } from '../../../web/desk/parts/form.ts';
import { operatorText } from '../../../web/desk/parts/operator-text.ts';
import type { TableRow } from '../../../web/desk/parts/row-table.ts';
import { statusMark } from '../../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import type { TodayDraft } from './read-today.ts';

/** @param following of its newsletter, beneath the slot */
export function draftRow(
  request: SignedInRequest,
  newsletter: NewsletterConfig,
  draft: TodayDraft,
  following: Html,
): TableRow {
  const { slot } = draft;
  const { title, id } = newsletter;
  const path = `${request.desk.base}/editions/${id}/${slot.label}/draft`;
  const name = request.may('editions.read') ? html`<a href="${path}">${title}</a>` : title;
  const instant = html`${when(request, slot.slotAt)}, ${fromNow(request, slot.slotAt)}`;
  return {
    cells: [
      html`${name}<br>${instant}${following}`,
      stateCell(request, newsletter, draft),
      storiesCell(draft, newsletter.minimumStories),
      checksCell(request, draft, path),
    ],
  };
}

function stateCell(request: SignedInRequest, newsletter: NewsletterConfig, draft: TodayDraft): Html {
  const { lost, situation } = draft;
  if (lost !== null && (situation.kind === 'automatic' || situation.kind === 'unapproved')) {
    return html`${statusMark('waiting', 'approval withdrawn')}
<p><span dir="auto">${lost.by}</span>’s approval was withdrawn ${when(request, lost.at)}: <span dir="auto">${
      lost.cause
    }</span>.</p><p class="meaning">${
      situation.kind === 'automatic' ? 'It closes by itself all the same.' : 'It does not close until it is approved.'
    }</p>${runText(request, draft)}`;
  }
  return html`${situationText(request, newsletter, draft)}${runText(request, draft)}`;
}

function situationText(request: SignedInRequest, newsletter: NewsletterConfig, { situation, slot }: TodayDraft): Html {
  switch (situation.kind) {
    case 'countdown': {
      const cancel = postButton(request, '/today/cancel', 'Cancel', {
        fields: { newsletter: newsletter.id, slot: slot.label },
        ...{ id: `cancel-${newsletter.id}-${slot.label}`, name: `Cancel sending ${newsletter.title}` },
      });
      return html`${statusMark('busy', 'being sent')}
<p>It closes ${fromNow(request, situation.closeAt)}.${request.may('drafts.edit') ? html` ${cancel}` : ''}</p>`;
    }
    case 'held': {
      const { by, at, reason } = situation;
      return html`${statusMark('waiting', 'held')} by <span dir="auto">${by}</span>, ${when(request, at)}${
        reason === null ? '' : html`<p dir="auto">${reason}</p>`
      }<p class="meaning">It does not close until somebody lets it go.</p>`;
    }
    case 'void': {
      const { by, why, needed } = situation;
      return html`${statusMark(needed ? 'bad' : 'waiting', 'approval void')}
<p>The approval by <span dir="auto">${by}</span> no longer counts: ${why}. ${
        needed ? 'Approve it again.' : 'It closes by its other decisions.'
      }</p>`;
    }
    case 'approved': {
      const { by, at, changed, gone } = situation;
      return html`${statusMark('good', 'approved')} by <span dir="auto">${by}</span>, ${when(request, at)}${
        changed + gone === 0 ? '' : html`<p class="meaning">${differences(changed, gone)}</p>`
      }`;
    }
    case 'unapproved':
      return html`${statusMark('waiting', 'not approved')}
<p class="meaning">It does not close until it is approved.</p>`;
    case 'automatic':
      return html`${statusMark('good', 'automatic')}<p class="meaning">It closes by itself.</p>`;
  }
}

function differences(changed: number, gone: number): string {
  const stories = (count: number, what: string): string[] =>
    count === 0 ? [] : [`${count === 1 ? '1 story' : `${count} stories`} ${what}`];
  return `Since then: ${[...stories(changed, 'changed'), ...stories(gone, 'gone')].join(', ')}.`;
}

function runText(request: SignedInRequest, { run, skippedAt }: TodayDraft): Html {
  const end =
    skippedAt === null
      ? ''
      : html`<p>It is given up at ${when(request, skippedAt)}, ${fromNow(request, skippedAt)}.</p>`;
  if (run === null) return html`${end}`;
  const { state, since, reason, retryAt } = run;
  if (state === 'waiting') return html`<p>It has waited since ${when(request, since)}.</p>${end}`;
  if (state === 'running') return html`<p>${statusMark('busy', 'closing')}</p>`;
  if (state !== 'failed') return html`${end}`;
  return html`<p>${statusMark('bad', 'failed')} ${reason === null ? '' : operatorText(request, reason)}${
    retryAt === null ? '' : html`; tried again ${fromNow(request, retryAt)}`
  }</p>${end}`;
}

function storiesCell({ stories, isTooShort }: TodayDraft, minimum: number): Html {
  const text = stories === 1 ? '1 story' : `${formatCount(stories)} stories`;
  return isTooShort
    ? html`${statusMark('bad', text)}<p>It needs ${minimum}: the slot would be skipped.</p>`
    : html`${text}`;
}

function checksCell(request: SignedInRequest, { checks }: TodayDraft, path: string): Html {
  switch (checks.kind) {
    case 'nothing':
      return html`nothing to check`;
    case 'pending':
      return html`<span data-pending>${statusMark('busy', 'being checked')}</span>`;
    case 'failed':
      return html`${statusMark('bad', 'cannot be rendered')}<p dir="auto">${operatorText(request, checks.reason)}</p>`;
    case 'checked': {
      const { errors, warnings } = checks;
      if (errors + warnings === 0) return statusMark('good', 'no warnings');
      const parts = [
        ...(errors === 0 ? [] : [errors === 1 ? '1 error' : `${errors} errors`]),
        ...(warnings === 0 ? [] : [warnings === 1 ? '1 warning' : `${warnings} warnings`]),
      ];
      const mark = statusMark(errors > 0 ? 'bad' : 'waiting', parts.join(', '));
      return request.may('editions.read') ? html`<a href="${path}#checks">${mark}</a>` : mark;
    }
  }
}

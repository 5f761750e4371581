/** The state of a draft, in words and with a mark. */
import { html } from 'hono/html';
import { describeState, draftStateText } from '../../../editions/desk/draft/draft-state.ts';
import { actPath } from '../../../editions/desk/draft/draft-view.ts';
import { countsText } from '../../../editions/desk/draft/problem-list.ts';
import { count } from '../../../lib/text/count.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { postButton } from '../../../web/desk/parts/form.ts';
import { operatorText } from '../../../web/desk/parts/operator-text.ts';
import type { TableRow } from '../../../web/desk/parts/row-table.ts';
import { statusMark } from '../../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import type { TodayDraft } from './read-today.ts';

/** @param following of its newsletter, beneath the slot */
export function draftRow(request: SignedInRequest, draft: TodayDraft, following: Html): TableRow {
  const { slot, newsletter } = draft;
  const { title, id } = newsletter;
  const path = `${request.desk.base}/editions/${id}/${slot.label}/draft`;
  const name = request.may('editions.read') ? html`<a href="${path}">${title}</a>` : title;
  const instant = html`${when(request, slot.slotAt)}, ${fromNow(request, slot.slotAt)}`;
  return {
    cells: [
      html`${name}<br>${instant}${following}`,
      stateCell(request, draft),
      storiesCell(draft),
      checksCell(request, draft, path),
    ],
  };
}

function stateCell(request: SignedInRequest, draft: TodayDraft): Html {
  const state = draftStateText(request, describeState(draft, request.at, draft.lost));
  if (draft.draft.closeAt === null || !request.may('drafts.edit')) return html`${state}${runText(request, draft)}`;
  const { id, title } = draft.newsletter;
  const cancel = postButton(request, actPath(draft, 'cancel-send'), 'Cancel', {
    ...{ id: `cancel-${id}-${draft.slot.label}`, name: `Cancel sending ${title}` },
  });
  return html`${state} ${cancel}${runText(request, draft)}`;
}

function runText(request: SignedInRequest, { run }: TodayDraft): Html {
  if (run === null) return html``;
  const { state, since, reason, retryAt } = run;
  if (state === 'waiting') return html`<p>It has waited since ${when(request, since)}.</p>`;
  if (state === 'running') return html`<p>${statusMark('busy', 'closing')}</p>`;
  if (state !== 'failed') return html``;
  return html`<p>${statusMark('bad', 'failed')} ${reason === null ? '' : operatorText(request, reason)}${
    retryAt === null ? '' : html`; tried again ${fromNow(request, retryAt)}`
  }</p>`;
}

function storiesCell({ storyCount, newsletter }: TodayDraft): Html {
  const text = count(storyCount, 'story', 'stories');
  return storyCount < newsletter.minimumStories ? statusMark('bad', text) : html`${text}`;
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
      const mark = statusMark(errors > 0 ? 'bad' : 'waiting', countsText(errors, warnings));
      return request.may('editions.read') ? html`<a href="${path}#checks">${mark}</a>` : mark;
    }
  }
}

/**
 * A command that was refused because another editor has changed the same since: both values, and the choice.
 */
import { html } from 'hono/html';
import type { DraftConflictError } from '../../app/drafts/edit-draft.ts';
import type { FieldValue } from '../../editions/draft/decisions.ts';
import { type DescriptionNames, describeField, describeValue } from '../../editions/draft/describe.ts';
import type { Html } from '../desk-request.ts';
import { postButton } from '../parts/form.ts';
import { actPath, draftPage } from './edition-address.ts';
import { type EditionPageView, storyName } from './edition-view.ts';

export interface RefusedCommand {
  error: DraftConflictError;
  /** The act that can be repeated, below the draft's path; null where it cannot, such as an undo. */
  repeat: { act: string; fields: Record<string, string> } | null;
}

export function conflictNotice(view: EditionPageView, { error, repeat }: RefusedCommand): Html {
  const { request, draft } = view;
  const names = { story: (id: string) => `“${storyName(view, id)}”` };
  const theirs = request.desk.base + draftPage(request, draft);
  const keep =
    repeat === null
      ? ''
      : postButton(request, actPath(request, draft, repeat.act), 'Keep mine', {
          ...{ fields: { ...repeat.fields, seen: draft.draft.revision }, id: 'keep-mine' },
        });
  return html`<section id="conflict" data-region role="alert" class="conflict" aria-labelledby="conflict-title">
<h2 id="conflict-title">Nothing was changed: <bdi>${error.by}</bdi> was first</h2>
${error.conflicts.map(
  ({ field, wanted, current }) => html`<p><bdi>${error.by}</bdi> has changed ${describeField(
    field,
    names,
  )} since your page was loaded.</p>
<dl class="pairs"><dt>Yours</dt><dd class="break" dir="auto">${valueText(wanted, names)}</dd>
<dt>Theirs</dt><dd class="break" dir="auto">${valueText(current, names)}</dd></dl>`,
)}
<div class="buttons">${keep}<a class="button" id="take-theirs" href="${theirs}">Take theirs</a></div></section>`;
}

/** A text as it is, which may have several lines; other values in words. */
function valueText(value: FieldValue, names: DescriptionNames): string {
  return typeof value === 'string' ? value : describeValue(value, names);
}

/** The place of the notice on a page without one. */
export function noConflict(): Html {
  return html`<section id="conflict" data-region></section>`;
}

/** A command that was refused because another editor has changed the same since: both values, and the choice. */
import { html } from 'hono/html';
import type { Html } from '../../../web/desk/desk-request.ts';
import { postButton } from '../../../web/desk/parts/form.ts';
import type { FieldValue } from '../../draft/decisions.ts';
import { type DescriptionNames, describeField, describeValue } from '../../draft/describe.ts';
import { draftPath } from '../../draft/draft-target.ts';
import type { DraftConflictError } from '../../draft/edit-draft.ts';
import { actPath, type DraftPageView, storyName } from './draft-view.ts';

export interface RefusedCommand {
  error: DraftConflictError;
  /** The act that can be repeated, below the draft's path; null where it cannot, such as an undo. */
  repeat: { act: string; fields: Record<string, string> } | null;
}

export function conflictNotice(view: DraftPageView, { error, repeat }: RefusedCommand): Html {
  const { request, draft } = view;
  const names = { story: (id: string) => `“${storyName(view, id)}”` };
  const theirs = request.desk.base + draftPath(draft);
  const keep =
    repeat === null
      ? ''
      : postButton(request, actPath(draft, repeat.act), 'Keep mine', {
          ...{ fields: { ...repeat.fields, seen: draft.draft.revision }, id: 'keep-mine' },
        });
  const value = (one: FieldValue): Html => html`<dd class="break" dir="auto">${valueText(one, names)}</dd>`;
  return html`<section id="conflict" data-region role="alert" class="conflict" aria-labelledby="conflict-title">
<h2 id="conflict-title">Nothing was changed: <bdi>${error.by}</bdi> changed the same</h2>
${error.conflicts.map(
  ({ field, wanted, current }) => html`<p><bdi>${error.by}</bdi> has changed ${describeField(field, names)}.</p>
<dl class="pairs"><dt>Yours</dt>${value(wanted)}
<dt>Theirs</dt>${value(current)}</dl>`,
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

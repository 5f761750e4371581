/**
 * A command that was refused because another editor has changed the same since: both values, and the choice.
 */
import { html } from 'hono/html';
import type { Html } from '../../../web/desk/desk-request.ts';
import { postButton } from '../../../web/desk/parts/form.ts';
import type { FieldValue } from '../../draft/decisions.ts';
import { type DescriptionNames, describeField, describeValue } from '../../draft/describe.ts';
import type { DraftConflictError } from '../../draft/edit-draft.ts';
import { actPath, type DraftPageView, draftPage, storyName } from './draft-view.ts';

export interface RefusedCommand {
  error: DraftConflictError;
  /** The act that can be repeated, below the draft's path; null where it cannot, such as an undo. */
  repeat: { act: string; fields: Record<string, string> } | null;
}

export function conflictNotice(view: DraftPageView, { error, repeat }: RefusedCommand): Html {
  const { request, draft } = view;
  const names = { story: (id: string) => `“${storyName(view, id)}”` };
  const theirs = request.desk.base + draftPage(request, draft);
  const keep =
    repeat === null
      ? ''
      : postButton(request, actPath(request, draft, repeat.act), 'Keep mine', {
          ...{ fields: { ...repeat.fields, seen: draft.draft.revision }, id: 'keep-mine' },
        });
  const words = repeat === null ? UNDO_WORDS : COMMAND_WORDS;
  const value = (one: FieldValue): Html => html`<dd class="break" dir="auto">${valueText(one, names)}</dd>`;
  return html`<section id="conflict" data-region role="alert" class="conflict" aria-labelledby="conflict-title">
<h2 id="conflict-title">Nothing was changed: <bdi>${error.by}</bdi> ${words.order}</h2>
${error.conflicts.map(
  ({ field, wanted, current }) => html`<p><bdi>${error.by}</bdi> has changed ${describeField(
    field,
    names,
  )} since ${words.since}.</p>
<dl class="pairs"><dt>${words.mine}</dt>${value(wanted)}
<dt>${words.theirs}</dt>${value(current)}</dl>`,
)}
<div class="buttons">${keep}<a class="button" id="take-theirs" href="${theirs}">${words.give}</a></div></section>`;
}

const COMMAND_WORDS = {
  order: 'was first',
  since: 'your page was loaded',
  mine: 'Yours',
  theirs: 'Theirs',
  give: 'Take theirs',
};
/** Of an undo or redo, which cannot be repeated. */
const UNDO_WORDS = {
  order: 'came after you',
  since: 'your command',
  mine: 'Undone',
  theirs: 'Now',
  give: 'Leave it',
};

/** A text as it is, which may have several lines; other values in words. */
function valueText(value: FieldValue, names: DescriptionNames): string {
  return typeof value === 'string' ? value : describeValue(value, names);
}

/** The place of the notice on a page without one. */
export function noConflict(): Html {
  return html`<section id="conflict" data-region></section>`;
}

/**
 * The subject, the preheader and the note of an edition: a form each, so that a conflict about one does not keep the
 * others from being saved.
 */
import { html } from 'hono/html';
import type { Html } from '../../../web/desk/desk-request.ts';
import { bothVersions } from '../../../web/desk/parts/differences.ts';
import { errorSummary, hiddenFields, submitButton, textField } from '../../../web/desk/parts/form.ts';
import { draftPath } from '../../draft/draft-target.ts';
import { MAX_NOTE_LENGTH } from '../../rendering/note.ts';
import { PHONE_PREHEADER, PHONE_SUBJECT } from '../preview/inbox-line.ts';
import { actPath, type DraftPageView } from './draft-view.ts';
import { problemsOf } from './problem-list.ts';

export const TEXT_FIELDS = ['subject', 'preheader', 'note'] as const;
export type TextFieldName = (typeof TEXT_FIELDS)[number];

/** A text that was refused, as it was typed. */
export interface RefusedText {
  field: TextFieldName;
  text: string;
  error: string;
  /** The revision of the draft that its editor saw; null for the present one. */
  seen: number | null;
  /** That of a colleague who was first. */
  theirs?: { by: string; text: string };
}

// None has a `maxlength`: a browser would cut a text that is pasted, without a word.
const FIELDS: Record<TextFieldName, { label: string; counter: number; rows?: number }> = {
  subject: { label: 'Subject', counter: PHONE_SUBJECT },
  preheader: { label: 'Preheader', counter: PHONE_PREHEADER },
  note: { label: 'Note', counter: MAX_NOTE_LENGTH, rows: 2 },
};

/** Each is one line where there is room: label, field and button, with what it is about beneath. */
export function textForms(view: DraftPageView, refused: RefusedText | null): Html {
  return html`<section id="texts" data-region aria-labelledby="texts-title">
<h2 id="texts-title">Texts</h2>
${TEXT_FIELDS.map((field) => textForm(view, field, refused?.field === field ? refused : null))}</section>`;
}

function textForm(view: DraftPageView, name: TextFieldName, refused: RefusedText | null): Html {
  const { request, draft, mayEdit } = view;
  const { label, ...bounds } = FIELDS[name];
  const edited = draft.draft.decisions[name];
  const problems = name === 'subject' ? view.problems.filter(({ code }) => code === 'long-subject') : [];
  if (!mayEdit) {
    const shown = edited ?? automaticText(view, name) ?? 'none';
    return html`<h3>${label}</h3><p class="break" dir="auto">${shown}</p>${problemsOf(problems)}`;
  }
  const theirs = refused?.theirs;
  const action = request.desk.base + actPath(draft, name);
  const back =
    edited === null
      ? ''
      : html`<button name="automatic" value="1" class="quiet" id="${name}-automatic">${
          name === 'note' ? 'Remove the note' : 'Back to automatic'
        }</button>`;
  return html`<form id="${name}-form" class="text-form" method="post" action="${action}" data-keep>
${
  theirs === undefined
    ? errorSummary({ [name]: refused?.error })
    : html`${bothVersions(html`<bdi>${theirs.by}</bdi>`, theirs.text, refused?.text ?? '')}
<p><a id="take-theirs" href="${request.desk.base}${draftPath(draft)}">Take theirs</a></p>`
}
${hiddenFields({ seen: refused?.seen ?? draft.draft.revision })}${textField({
  ...{ name: 'text', id: name, label, ...bounds },
  value: refused?.text ?? edited ?? '',
  ...(name === 'subject' ? { key: 's' } : {}),
  hint: hintOf(view, name),
  error: refused?.error,
})}
<div class="buttons tight">${submitButton('Save', { id: `${name}-save`, name: `Save the ${name}` })}${back}</div>
${problemsOf(problems)}</form>`;
}

function hintOf(view: DraftPageView, name: TextFieldName): string {
  if (name === 'note') return 'At the top, in Markdown: paragraphs, links and emphasis. Ctrl+Enter saves it.';
  const automatic = automaticText(view, name);
  return automatic === null ? 'Automatic, once there is a story.' : `Automatic: ${automatic}`;
}

function automaticText({ draft: { automatic } }: DraftPageView, name: TextFieldName): string | null {
  return name === 'note' ? null : (automatic?.[name] ?? null);
}

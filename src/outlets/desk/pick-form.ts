/**
 * The form with which an editor picks a group, or edits what the roundup says of it.
 */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { hiddenFields, selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { when } from '../../web/desk/parts/when.ts';
import { MAX_OWN_HEADLINE, MAX_SENTENCE } from '../story-groups/commands.ts';
import { firstItemOf, reportedAt, type StoryGroup } from '../story-groups/story-group.ts';
import { groupPath, itemsText } from './group-address.ts';

/** What was typed into the form, and is wrong. */
export interface RefusedPick {
  form: URLSearchParams;
  part: 'text' | 'headline' | 'picture' | 'section' | null;
  message: string;
}

export interface PickFormOptions {
  group: StoryGroup;
  /** The last command before the group was read. */
  seen: number;
  /** The list that is shown afterwards; null: the group. */
  back: string | null;
  refused?: RefusedPick | undefined;
}

/** Whether the form edits a pick, and makes none. */
export function isEdit({ decision }: StoryGroup): boolean {
  return decision?.state === 'picked' && decision.pickedBy === 'editor';
}

export function pickForm(request: SignedInRequest, { group, seen, back, refused }: PickFormOptions): Html {
  const { decision, items } = group;
  const edits = isEdit(group);
  const errorOf = (part: RefusedPick['part']) => (refused?.part === part ? refused.message : undefined);
  const typed = (name: string, stored: string): string => refused?.form.get(name) ?? stored;
  // A pick that was taken back is picked as if for the first time, but nobody writes the sentence again.
  const kept = edits ? decision : null;
  const act = edits ? 'edit' : 'pick';
  return html`<form id="pick-form" method="post" action="${request.desk.base}${groupPath(group.id)}/${act}">
${hiddenFields({ items: itemsText(items), seen, ...(back === null ? {} : { back }) })}
${refused !== undefined && refused.part === null ? html`<p class="error" id="pick-error">${refused.message}</p>` : ''}
${textField({
  ...{ name: 'text', id: 'own-text', label: 'Your sentence', rows: 4, counter: MAX_SENTENCE, required: true },
  ...{ hint: 'In Markdown, in your own words. Readers see it below the headline.' },
  ...{ value: typed('text', decision?.text ?? ''), error: errorOf('text') },
})}
${textField({
  ...{ name: 'headline', label: 'Headline', counter: MAX_OWN_HEADLINE, error: errorOf('headline') },
  ...{ hint: 'Empty: the headline of the outlet that is named first.', value: typed('headline', kept?.headline ?? '') },
  placeholder: firstItemOf(group).title,
})}
${firstChoice(request, group, typed('first', String(firstItemOf(group).id)))}
${selectField({
  ...{ name: 'section', label: 'Section', value: typed('section', kept?.section ?? '') },
  options: [
    { value: '', label: 'none' },
    ...request.desk.app.config.sections.map(({ id, title }) => ({ value: id, label: title })),
  ],
})}
${errorOf('section') === undefined ? '' : html`<p class="error">${errorOf('section')}</p>`}
${pictureChoice(group, refused === undefined ? (kept?.hasPicture ?? false) : refused.form.get('picture') === '1')}
<div class="buttons">${submitButton(edits ? 'Save' : 'Pick', { primary: true, id: 'pick-group' })}
<span class="hint">${
    edits
      ? 'The article changes at once. New reports are credited.'
      : 'A picked group is an article at once, and in the coming edition.'
  }</span></div></form>`;
}

function firstChoice(request: SignedInRequest, { items }: StoryGroup, chosen: string): Html {
  if (items.length === 1) return html``;
  return html`<fieldset><legend>Named first</legend>${items.map(
    (item) =>
      html`<label class="choice"><input type="radio" name="first" value="${item.id}"${
        String(item.id) === chosen ? html` checked` : ''
      }> <span><bdi>${item.outlet}</bdi>, <span class="soft">${when(request, reportedAt(item))}</span></span></label>`,
  )}</fieldset>`;
}

function pictureChoice({ items }: StoryGroup, isChosen: boolean): Html {
  const outlet = items.find(({ imageUrl }) => imageUrl !== null)?.outlet;
  if (outlet === undefined) return html`<p class="hint">No report has a picture.</p>`;
  return html`<label class="choice"><input type="checkbox" name="picture" value="1"${
    isChosen ? html` checked` : ''
  }> With the outlet's picture, and the outlet as its credit</label>`;
}

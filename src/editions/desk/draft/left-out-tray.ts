/** The tray: articles that are not in the edition, with the reasons. */
import { html } from 'hono/html';
import type { DeskRequest, Html } from '../../../web/desk/desk-request.ts';
import { hiddenFields } from '../../../web/desk/parts/form.ts';
import { when } from '../../../web/desk/parts/when.ts';
import { type LeftOutReason, type LeftOutStory, leftOutWords } from '../../selection/left-out.ts';
import { actPath, type DraftPageView, rowId } from './draft-view.ts';
import { HANDLE, headlineLink, storyFacts, submitTo } from './story-blocks.ts';

/** What an editor can do about an article that is left out. */
export const ACTS: Record<LeftOutReason['kind'], readonly ('pin' | 'drop' | 'restore')[]> = {
  'did-not-fit': ['pin', 'drop'],
  'not-picked': ['pin', 'drop'],
  dropped: ['restore'],
  'dropped-earlier': ['pin'],
  'too-old': ['pin'],
  'not-selected': ['pin'],
  'not-public-yet': [],
  'in-earlier-edition': [],
  'cannot-be-shown': [],
  'is-roundup': [],
  draft: [],
  retracted: [],
};

/** What an editor may want in the edition. The rest is in a list that is closed at first. */
const FIRST: readonly LeftOutReason['kind'][] = ['did-not-fit', 'not-picked', 'dropped', 'cannot-be-shown'];

export function leftOutTray(view: DraftPageView): Html {
  const { draft } = view;
  if (draft.newsletter.kind === 'alert') return html`<section id="tray"></section>`;
  const first = draft.leftOut.filter(({ reason }) => FIRST.includes(reason.kind));
  const rest = draft.leftOut.filter(({ reason }) => !FIRST.includes(reason.kind));
  const rows = (stories: readonly LeftOutStory[]): Html =>
    html`<ul class="rows">${stories.map((story) => trayRow(view, story))}</ul>`;
  const more = draft.furtherLeftOut;
  return html`<section id="tray" aria-labelledby="tray-title"><section id="tray-first" data-region>
<h2 id="tray-title">Not in it <span class="soft">${first.length + more}</span></h2>
${first.length === 0 ? html`<p class="soft">Every story that was eligible is in the edition.</p>` : rows(first)}
${more === 0 ? '' : html`<p class="soft">And ${more} more that did not fit.</p>`}
</section><section id="tray-others" data-region>${
    rest.length === 0
      ? ''
      : html`<details id="tray-rest">
<summary>Other articles <span class="soft">${rest.length} of the newest</span></summary>
${rows(rest)}</details>`
  }</section></section>`;
}

function trayRow(view: DraftPageView, { id, article, reason }: LeftOutStory): Html {
  const { request, draft, mayEdit, find } = view;
  const acts = mayEdit ? ACTS[reason.kind] : [];
  const action = (act: string): string => request.desk.base + actPath(draft, act);
  const name = article?.headline || id;
  const buttons = acts.map((act) => {
    const { label, key } = BUTTONS[act];
    return submitTo(action(act), label, { key, id: `${key}-${id}`, name: `${label}: ${name}` });
  });
  const [isDraggable, isShown] = [acts.includes('pin'), article === null || find.matches(article)];
  const facts = article === null ? '' : html` · ${storyFacts(request, article)}`;
  const [act] = acts;
  return html`<li data-row class="acts"${isDraggable ? html` data-drag-item="${id}"` : ''}${
    isShown ? '' : html` hidden`
  }>${isDraggable ? HANDLE : ''}<div class="story">${headlineLink(view, { id, article }, rowId(id))}</div>
<div class="hint facts">${reasonText(request, reason)}${facts}</div>
${act === undefined ? '' : rowForm(view, id, action(act), buttons)}</li>`;
}

export function rowForm({ draft }: DraftPageView, story: string, action: string, buttons: Html[]): Html {
  return html`<form method="post" action="${action}" class="buttons tight">
${hiddenFields({ story, seen: draft.draft.revision })}${buttons}</form>`;
}

const BUTTONS = {
  pin: { label: 'Pin', key: 'p' },
  drop: { label: 'Drop', key: 'x' },
  restore: { label: 'Restore', key: 'r' },
} as const;

export function reasonText(request: DeskRequest, reason: LeftOutReason): Html {
  return reason.kind === 'not-public-yet'
    ? html`not public before ${when(request, reason.publicAt)}`
    : html`<span class="break">${leftOutWords(reason)}</span>`;
}
